"""Formats of instruments: small files of each, whole, damaged, under other names and packed."""

import bz2
import gzip
import logging
import math

import instrument_files as files
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instrument_files import ALPHA_1, ANGLES, COUNTS, DOUBLET, N
from whole_files import WHOLE

from diffsym.experimental.patterns import read_patterns
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import Unreadable
from diffsym.settings.measured.patterns import MeasuredPatterns
from diffsym.settings.measured.readers import FORMATS, MODULES, ROOM, SUFFIXES, format_of


@pytest.fixture
def read(tmp_path):
    def read(name, content):
        (tmp_path / name).write_bytes(content)
        return read_pattern(tmp_path / name)

    return read


def check(pattern, wavelength=None, anode=None):
    assert not isinstance(pattern, Unreadable), pattern
    np.testing.assert_allclose(pattern.two_theta, ANGLES, atol=2e-6)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    assert pattern.anode == anode
    if wavelength is None or pattern.wavelength is None:
        assert pattern.wavelength == wavelength
    else:
        np.testing.assert_allclose(pattern.wavelength, wavelength, atol=1e-6)


@pytest.mark.parametrize("kind", WHOLE)
def test_every_format_is_read_exactly(read, kind):
    name, content, wavelength, anode = WHOLE[kind]
    pattern = read(name, content)
    check(pattern, wavelength, anode)
    assert pattern.repairs == ()


def test_every_module_has_a_file_here():
    modules = {format_of(name, content).module for name, content, *_ in WHOLE.values()}
    # Those of pair distribution functions and HDF5 have tests of their own.
    others = {f"{ROOM}.pdf", f"{ROOM}.hdf5"}
    assert modules == set(MODULES) - others
    assert {"." + name.split(".")[1] for name, *_ in WHOLE.values()} <= set(SUFFIXES)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".BZ2", bz2.compress)])
def test_packed_files_are_read(read, kind, suffix, pack):
    name, content, wavelength, anode = WHOLE[kind]
    check(read(name + suffix, pack(content)), wavelength, anode)


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind not in {"DASH", "Fit2D"}])
@pytest.mark.parametrize("name", ["a.raw", "a.xy", "a.dat", "a.brml", "a"])
def test_the_content_decides_and_not_the_name(read, kind, name):
    check(read(name, WHOLE[kind][1]), *WHOLE[kind][2:])


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_that_is_cut_off_is_told_or_right(read, kind, tenth):
    name, content, *_ = WHOLE[kind]
    pattern = read(name, content[: len(content) * tenth // 10])
    if isinstance(pattern, Unreadable):
        assert pattern.reason
        assert "\n" not in pattern.reason
        return
    # Only text without a number of points can be right, and its last number may be cut.
    declares = kind not in {"DASH", "pyFAI", "EVA", "UTF-16", "prn", "powder CIF, list"}
    assert not declares, kind
    n = len(pattern.two_theta) - 1
    np.testing.assert_allclose(pattern.two_theta[:n], ANGLES[:n])
    np.testing.assert_array_equal(pattern.intensity[:n], COUNTS[:n])


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6),
    bytes_=st.binary(min_size=1, max_size=8),
)
def test_damaged_bytes_never_raise(tmp_path, kind, places, bytes_):
    name, content, *_ = WHOLE[kind]
    damaged = bytearray(content)
    for place in places:
        # Most of a file is numbers; what is interesting lies in front of them.
        at = math.floor(place**3 * len(content))
        damaged[at : at + len(bytes_)] = bytes_
    (tmp_path / name).write_bytes(damaged)
    pattern = read_pattern(tmp_path / name)
    if isinstance(pattern, Unreadable):
        assert "\n" not in pattern.reason
    else:
        assert pattern.two_theta.shape == pattern.intensity.shape


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 999, bytes(range(256)) * 9, b"\n\n7\n"])
def test_rubbish_of_every_name_is_told(read, suffix, content):
    pattern = read(f"a{suffix}", content)
    assert isinstance(pattern, Unreadable)
    assert pattern.reason


TIMES = "RALF 1000 10 1000 0.0008"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xrdml", files.xrdml(axis="Omega"), "a scan over 'Omega'"),
        (
            "a.xrdml",
            files.xrdml(positions="<commonPosition>30</commonPosition>"),
            "2theta is fixed",
        ),
        ("a.xrdml", files.xrdml(data=""), "0 angles and 0 intensities"),
        (
            "a.xrdml",
            files.xrdml().replace(b'"Scan"', b'"Area measurement"'),
            "a map of reciprocal space",
        ),
        ("a.brml", files.brml(axis="Phi"), "2theta is fixed or not counted"),
        ("a.brml", files.brml(channels=192), "192 channels of a detector"),
        ("a.rasx", files.rasx(axis="Omega"), "a scan over 'Omega'"),
        ("a.rasx", files.rasx(declared=2 * N), "declares 806 points and has 403"),
        ("a.ras", files.ras(axis="TwoThetaChi"), "a scan over 'TwoThetaChi'"),
        ("a.raw", files.raw_1_01(kind=3), "a scan over 'axis of kind 3'"),
        ("a.raw", files.raw_4(drive=b"Rocking Curve"), "a scan over 'Rocking Curve'"),
        ("a.raw", b"RAW2" + bytes(400), "header of 0 bytes"),
        ("a.raw", files.stoe().replace(b"Powdat", b"Psddat"), "the version RAW_1.06Psddat"),
        ("a.uxd", files.uxd(drive="PHI"), "a scan over 'PHI'"),
        ("a.asc", files.rigaku_asc(axis="omega"), "a scan over 'omega'"),
        ("a.asc", files.rigaku_asc().replace(b"*END", b"...\n*END"), "a fragment"),
        ("a.gsa", files.gsas("ALT", head=TIMES), "time of flight"),
        ("a.gsa", files.gsas("ALT"), "the kind ALT"),
        ("a.gsa", files.gsas(remark="neutrons at 4 K"), "the file says 'neutrons'"),
        ("a.gsa", files.gsas(declared=N + 40), "declares 443 points and has 403"),
        ("a.dat", files.blocks("D1A(ILL)"), "a pattern of neutrons"),
        ("a.dat", b"title\nlambda= 1.494\n" + files.blocks(), "a pattern of neutrons"),
        ("a.dat", files.blocks(last=60.0), "declares 1001 points and has 403"),
        ("a.chi", files.chi("Q (Inverse Nanometres)"), "is a scattering vector"),
        ("a.chi", files.chi(declared=1455), "declares 1455 points and has 403"),
        ("a.cif", files.pdcif(head="_diffrn_radiation_probe neutron\n"), "a pattern of neutrons"),
        ("a.cif", files.pdcif(tag="_pd_calc_intensity_total"), "a calculated pattern only"),
        ("a.cif", b"data_quartz\n_cell_length_a 4.9\n", "no powder pattern"),
        ("a.cif", files.pdcif().replace(b"inc 0.05", b"inc 0.08"), "403 points do not fit"),
        ("a.gr", files.gr(), "a pair distribution function"),
        ("a.dat", b"x\n#L r G(r) dr\n" + files.gr(more=" 0.1"), "a pair distribution function"),
        ("a.nxs", b"\x89HDF\r\n\x1a\n", "the HDF5 file is damaged"),
        ("a.xy", b"# XDI/1.0\n# Column.1: energy eV\n8000 1\n", "X-ray absorption"),
        ("a.xy", b"# RUN1.mint01\n" + files.pairs().encode(), "neutrons"),
        ("a.rd", b"V3RAW" + bytes(300), "a binary file of Philips"),
        ("a.brml", files.zipped({"sheet.xml": "<a/>"}), "a zip archive without a pattern"),
        ("a.xy.gz", gzip.compress(files.pairs().encode())[:-9], "the packed file is damaged"),
        ("a.xy", b"# neutrons\n" + files.pairs().encode(), "a pattern of neutrons"),
    ],
)
def test_what_is_no_powder_pattern_is_refused(read, name, content, words):
    pattern = read(name, content)
    assert isinstance(pattern, Unreadable), pattern
    assert words in pattern.reason
    assert "\n" not in pattern.reason


def test_counts_are_corrected_for_the_attenuator_and_intensities_are_not(read):
    factors = np.where(COUNTS > 1000, 2.0, 1.0)
    told = f"<beamAttenuationFactors>{files.plain(factors)}</beamAttenuationFactors>"
    stored = f"<counts>{files.plain(COUNTS / factors)}</counts>"
    check(read("a.xrdml", files.xrdml(data=told + stored)), DOUBLET, "Cu")
    stored = f"<intensities>{files.plain(COUNTS)}</intensities>"
    check(read("a.xrdml", files.xrdml(data=told + stored, schema="1.3")), DOUBLET, "Cu")


def test_angles_may_be_listed(read):
    listed = f"<listPositions>{' '.join(f'{angle:.4f}' for angle in ANGLES)}</listPositions>"
    check(read("a.xrdml", files.xrdml(positions=listed)), DOUBLET, "Cu")


@pytest.mark.parametrize("name", ["Locked Coupled", "Detector Scan", "2Theta-Omega", "Gonio"])
def test_scans_over_two_theta_have_many_names(read, name):
    check(read("a.xrdml", files.xrdml(axis=name)), DOUBLET, "Cu")


def test_the_first_of_several_scans_is_read(read):
    scan = '<scan scanAxis="Omega"><dataPoints /></scan>'
    for name, content, scans in [
        ("a.ras", files.ras(scans=2), ("1 2-Theta", "2 2-Theta")),
        ("a.raw", files.raw_1_01(ranges=2), ("range 1", "range 2")),
        ("a.uxd", files.uxd(ranges=2), ("range 1", "range 2")),
        ("a.xrdml", files.xrdml(more=scan), ("1 Gonio", "2 Omega")),
    ]:
        pattern = read(name, content)
        assert pattern.scans == scans
        np.testing.assert_array_equal(pattern.intensity, COUNTS)


def test_what_is_put_right_is_told(read):
    ends = f"<startPosition>{files.LAST}</startPosition><endPosition>{files.FIRST}</endPosition>"
    falling = f"<counts>{files.plain(COUNTS[::-1])}</counts>"
    pattern = read("a.xrdml", files.xrdml(positions=ends, data=falling))
    check(pattern, DOUBLET, "Cu")
    assert pattern.repairs == ("the angles fall and were reversed",)

    pattern = read("a.gsa", files.gsas(declared=N + 2))
    check(pattern)
    assert pattern.repairs == ("the file declares 405 points and has 403",)

    pattern = read("a.xy", b"10 4\n10.1 6\n10.1 8\n10.2 5\n")
    assert pattern.two_theta.tolist() == [10, 10.1, 10.2]
    assert pattern.intensity.tolist() == [4, 7, 5]
    assert pattern.repairs == ("1 repeated angles were joined, with the mean intensity",)

    holes = files.pdcif(angles="list").replace(f" {COUNTS[5]:g}\n".encode(), b" .\n")
    pattern = read("a.cif", holes)
    assert len(pattern.two_theta) < N
    assert "without a number were left out" in pattern.repairs[0]

    counts = np.where(COUNTS > 3000, -9999, COUNTS)
    pattern = read("a.raw", files.raw_4(counts=counts))
    assert len(pattern.two_theta) == np.count_nonzero(COUNTS <= 3000)
    assert "that were not measured were left out" in pattern.repairs[0]

    content = files.xrdml().replace(b'Gonio" status="Completed"', b'Gonio" status="Aborted"')
    assert read("a.xrdml", content).repairs == ("the scan is marked as 'Aborted'",)


def test_an_axis_that_falls_without_a_name_is_left_alone(read):
    """It may be a lattice spacing, which the check of patterns rejects."""
    pattern = read("a.xy", b"7.2 4\n7.1 6\n7.0 8\n")
    assert pattern.two_theta.tolist() == [7.2, 7.1, 7.0]
    assert read("a.xy", b"2theta I\n7.2 4\n7.1 6\n").two_theta.tolist() == [7.1, 7.2]


@pytest.mark.parametrize(
    ("remark", "wavelength"),
    [
        ("# Wavelength (A) = 0.7", 0.7),
        ("# wavelength: 0.07 nm", 0.7),
        ("# Wavelength 7.0e-11", 0.7),
        ("# wave length = 0.7 Angstrom", 0.7),
        ("# wavelength = 17.4 keV", None),
        ("# wavelength = 0.7, second wavelength = 0.8", None),
        ("# wavelength: see notes", None),
    ],
)
def test_wavelengths_in_remarks(read, remark, wavelength):
    check(read("a.xy", f"{remark}\n{files.pairs()}".encode()), wavelength)


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize(
    ("heading", "convert"),
    [
        ("# q_A^-1 I", lambda q: q),
        ("# q_nm^-1 I", lambda q: 10 * q),
        ("Q (1/nm), I", lambda q: 10 * q),
        ("d (A) I", lambda q: 2 * np.pi / q),
        ("d-spacing (nm)", lambda q: 0.2 * np.pi / q),
    ],
)
def test_q_and_d_are_converted_with_a_wavelength(tmp_path, heading, convert, stated):
    q = 4 * np.pi * np.sin(np.radians(ANGLES / 2)) / 0.7
    rows = "\n".join(f"{x!r} {c:g}" for x, c in zip(convert(q).tolist(), COUNTS, strict=True))
    remark = "# wavelength: 0.7 A\n" if stated else ""
    (tmp_path / "a.xy").write_text(f"{remark}{heading}\n{rows}\n")
    alone = read_pattern(tmp_path / "a.xy")
    if stated:
        check(alone, 0.7)
    else:
        assert isinstance(alone, Unreadable)
        assert "or give the wavelength in the index" in alone.reason
    check(read_pattern(tmp_path / "a.xy", 0.7), 0.7 if stated else None)
    too_long = read_pattern(tmp_path / "a.xy", 9.0)
    assert isinstance(too_long, Unreadable)
    assert "cannot be measured with this wavelength" in too_long.reason
    (tmp_path / "patterns.csv").write_text("file,wavelength\na.xy,0.7\n")
    keys = MeasuredPatterns(kind="patterns", path=str(tmp_path), wavelength=1.5)
    patterns, _ = read_patterns("lab", tmp_path, keys)
    np.testing.assert_allclose(patterns["two_theta"][0].as_py(), ANGLES)
    assert patterns["wavelengths"].to_pylist() == [[0.7]]


def test_several_wavelengths_of_a_powder_cif(read):
    head = (
        "loop_\n_diffrn_radiation_wavelength\n_diffrn_radiation_wavelength_wt\n"
        f"{ALPHA_1} 1.0\n{DOUBLET[1][0]} {DOUBLET[1][1]}\n"
    )
    check(read("a.cif", files.pdcif(head=head, length=0.7)), DOUBLET)


def test_impossible_wavelengths_are_told(read):
    for content in [
        files.xrdml().replace(b"1.5401", b"154.01"),
        files.uxd().replace(b"_WLRATIO=0.49", b"_WLRATIO=49"),
    ]:
        pattern = read("a", content)
        assert isinstance(pattern, Unreadable)
        assert "cannot be" in pattern.reason


def test_too_much_is_refused(read, monkeypatch):
    monkeypatch.setattr("diffsym.experimental.readers.packed.LARGEST", 1_000_000)
    pattern = read("a.xy.gz", gzip.compress(bytes(2_000_000)))
    assert isinstance(pattern, Unreadable)
    assert "more than 1 MB" in pattern.reason
    pattern = read("a.xy", b"1 2\n" * 150_001)
    assert not isinstance(pattern, Unreadable)
    pattern = read("b.xy", b"1\n" * 400_000)
    assert isinstance(pattern, Unreadable)
    assert "more than 300000 lines" in pattern.reason


def test_every_format_is_refused_or_has_a_module():
    for form in FORMATS:
        assert bool(form.module) != bool(form.refusal)


def test_a_folder_of_instrument_files_is_read_as_it_is(tmp_path, caplog):
    shifted = {}
    for i, kind in enumerate(["xrdml", "brml", "ras", "RAW 4", "GSAS STD", "prn"]):
        name, content, *_ = WHOLE[kind]
        shifted[f"{i}.{name.split('.')[1]}"] = content
    shifted["2.ras"] = files.ras(scans=2)
    shifted["6.gr"] = b"1 2\n"
    shifted["7.gsa.gz"] = gzip.compress(files.gsas(declared=N + 2))
    for name, content in shifted.items():
        (tmp_path / name).write_bytes(content)
    keys = MeasuredPatterns(kind="patterns", path=str(tmp_path), wavelength=1.5)
    with caplog.at_level(logging.WARNING):
        patterns, rejected = read_patterns("lab", tmp_path, keys)
    # All intensities are the same, so that all but the first are copies of it.
    assert patterns["pattern_id"].to_pylist() == ["lab:0.xrdml"]
    assert patterns["wavelengths"].to_pylist() == [[ALPHA_1, DOUBLET[1][0]]]
    codes = dict(zip(rejected["entry_id"].to_pylist(), rejected["code"].to_pylist(), strict=True))
    assert codes == {
        "1.brml": "duplicate",
        "2.ras": "duplicate",
        "3.raw": "duplicate",
        "4.gsa": "duplicate",
        "5.prn": "duplicate",
        "6.gr": "unreadable",
        "7.gsa.gz": "duplicate",
    }
    for name in ["0.xrdml", "1.brml", "3.raw", "4.gsa", "6.gr", "2.ras"]:
        (tmp_path / name).unlink()
    (tmp_path / "patterns.csv").write_text("file,space_group,wavelength\n7.gsa.gz,225,0.7\n")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        patterns, _ = read_patterns("lab", tmp_path, keys)
    assert patterns["wavelengths"].to_pylist() == [[0.7]]
    assert "7.gsa.gz: the file declares 405 points and has 403" in caplog.text
