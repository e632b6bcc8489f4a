"""NeXus and HDF5: patterns where files mark them, and nothing from other files."""

import sys

import numpy as np
import pytest
from instrument_files import ALPHA_1, ALPHA_2, ANGLES, COUNTS, DOUBLET, RATIO, G, R

from diffsym.app.command import main
from diffsym.experimental.readers import read_measured, read_pattern, read_pdf
from diffsym.experimental.readers.base import MeasuredPdf, Unreadable

h5py = pytest.importorskip("h5py")
FRAMES = COUNTS + np.arange(3)[:, np.newaxis]
Q = 4 * np.pi * np.sin(np.radians(ANGLES / 2)) / ALPHA_1


@pytest.fixture
def written(tmp_path):
    """Writes a file by a function of the open file; its path."""

    def write(fill, name="a.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            fill(file)
        return tmp_path / name

    return write


def nexus(file, *, name="two_theta", x=ANGLES, unit="deg", values=COUNTS):
    entry = file.create_group("entry")
    data = entry.create_group("result")
    data.attrs.update({"NX_class": "NXdata", "signal": "intensity", "axes": name})
    data[name], data["intensity"], data["other"] = x, values, np.arange(7)
    data[name].attrs["units"] = unit
    source = entry.create_group("instrument/source")
    source["k_alpha_one"], source["k_alpha_two"] = ALPHA_1, ALPHA_2
    source["ratio_k_alphatwo_k_alphaone"] = RATIO
    source["xray_tube_material"] = "Cu"


def pyfai(file):
    file["2th"], file["I"] = ANGLES, FRAMES
    file["poni_file"] = "# Nota\nDetector: Pilatus\nWavelength: 4.13e-11\n"


def mantid(file, *, values=G, x=R):
    data = file.create_group("mantid_workspace_1/workspace")
    data.attrs["NX_class"] = np.bytes_("NXdata")
    data["axis1"], data["axis2"], data["values"] = x, [1.0], values[np.newaxis]
    data["axis1"].attrs["label"] = np.bytes_("Angstrom")
    data["values"].attrs.update({"signal": np.bytes_("1"), "axes": np.bytes_("axis2,axis1")})


def check(pattern, counts=COUNTS):
    assert not isinstance(pattern, Unreadable), pattern
    np.testing.assert_allclose(pattern.two_theta, ANGLES, rtol=1e-12)
    np.testing.assert_array_equal(pattern.intensity, counts)


def test_marked_data_are_read(written):
    pattern = read_pattern(written(nexus))
    check(pattern)
    assert pattern.wavelength == DOUBLET
    assert (pattern.anode, pattern.scans, pattern.repairs) == ("Cu", (), ())


@pytest.mark.parametrize(
    ("name", "x", "unit"),
    [
        ("two_theta", np.radians(ANGLES), "rad"),
        ("q", Q, "1/angstrom"),
        ("q", 10 * Q, "nm^-1"),
        ("d", 2 * np.pi / Q, "angstrom"),
    ],
)
def test_units_are_those_of_the_file(written, name, x, unit):
    check(read_pattern(written(lambda file: nexus(file, name=name, x=x, unit=unit)), ALPHA_1))


def test_q_without_a_unit_is_asked_for(written):
    path = written(lambda file: nexus(file, name="q", x=Q, unit=""))
    pattern = read_pattern(path)
    assert isinstance(pattern, Unreadable)
    assert "the file says 'entry/result/q'; convert it" in pattern.reason
    check(read_pattern(path, unit="Q"))


@pytest.mark.parametrize("scan", [None, "1", "3", "frame 2"])
def test_frames_are_scans(written, scan):
    pattern = read_pattern(written(pyfai), scan=scan)
    number = {None: 0, "1": 0, "3": 2, "frame 2": 1}[scan]
    check(pattern, FRAMES[number])
    assert (pattern.scan, pattern.scans) == (number, ("frame 1", "frame 2", "frame 3"))
    assert pattern.wavelength == 0.413


def test_a_frame_that_is_not_there_is_told(written, capsys):
    assert main(["convert", str(written(pyfai)), "--scan", "4"]) == 2
    assert "3 scans (1: frame 1, 2: frame 2, 3: frame 3)" in capsys.readouterr().err


def test_groups_are_scans(written):
    def two(file):
        nexus(file)
        file.copy("entry", "second")
        file["second/result/intensity"][...] = COUNTS + 5

    path = written(two)
    check(read_pattern(path))
    check(read_pattern(path, scan="second/result"), COUNTS + 5)


def test_edges_of_bins_and_missing_numbers(written):
    def fill(file):
        file["tth"] = np.append(ANGLES, ANGLES[-1] + 0.05) - 0.025
        file["counts"] = np.where(COUNTS > 3000, np.nan, COUNTS)
        file["wavelength"] = 0.0413
        file["wavelength"].attrs["units"] = "nm"

    pattern = read_pattern(written(fill))
    n = int((COUNTS > 3000).sum())
    np.testing.assert_allclose(pattern.two_theta, ANGLES[COUNTS <= 3000], rtol=1e-12)
    assert pattern.repairs == (f"{n} points without a number were left out",)
    assert pattern.wavelength == pytest.approx(0.413)


def test_pair_distribution_functions(written):
    pdf = read_measured(written(mantid))
    assert isinstance(pdf, MeasuredPdf)
    np.testing.assert_array_equal((pdf.r, pdf.G), (R, G))
    pattern = read_pattern(written(mantid))
    assert isinstance(pattern, Unreadable)
    assert "this is a pair distribution function, no powder pattern" in pattern.reason
    tends_to_one = read_pdf(written(lambda file: mantid(file, values=1 + 0.1 * G)))
    assert isinstance(tends_to_one, Unreadable)
    assert "but g(r), which tends to 1" in tends_to_one.reason


def test_other_files_are_never_read(written, tmp_path):
    def secret(file):
        file["2th"], file["I"] = ANGLES, COUNTS

    written(secret, "secret.h5")
    COUNTS.astype("<f8").tofile(tmp_path / "secret.bin")
    other = str(tmp_path / "secret.h5")

    def by_link(file):
        file["2th"] = h5py.ExternalLink(other, "2th")
        file["I"] = h5py.ExternalLink(other, "I")

    def by_group(file):
        file["entry"] = h5py.ExternalLink(other, "/")

    def by_storage(file):
        file["2th"] = ANGLES
        place = [(str(tmp_path / "secret.bin"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("I", COUNTS.shape, "<f8", external=place)

    def by_layout(file):
        layout = h5py.VirtualLayout(COUNTS.shape, "f8")
        layout[:] = h5py.VirtualSource(other, "I", COUNTS.shape)
        file["2th"] = ANGLES
        file.create_virtual_dataset("I", layout)

    for fill in (by_link, by_group, by_storage, by_layout):
        pattern = read_pattern(written(fill))
        assert isinstance(pattern, Unreadable), fill
        assert "other file" in pattern.reason or "another file" in pattern.reason


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda _: None, "holds no pattern that we find"),
        (lambda file: file.create_dataset("image", data=np.ones((9, 9))), "holds no pattern"),
        (lambda file: nexus(file, name="omega"), "holds no pattern"),
        (lambda file: nexus(file, x=ANGLES[:9]), "holds no pattern"),
        (lambda file: nexus(file, unit="rad", x=ANGLES), "above pi"),
    ],
)
def test_what_holds_no_pattern_is_refused(written, fill, words):
    pattern = read_pattern(written(fill))
    assert isinstance(pattern, Unreadable)
    assert words in pattern.reason
    assert "\n" not in pattern.reason


def test_neutrons_are_refused(written):
    def fill(file):
        nexus(file)
        file["entry/instrument/source/probe"] = "neutron"

    assert "a pattern of neutrons" in read_pattern(written(fill)).reason


@pytest.mark.parametrize("fill", [nexus, pyfai, mantid])
def test_a_damaged_file_is_told(written, tmp_path, fill):
    content = bytearray(written(fill).read_bytes())
    path = tmp_path / "damaged.h5"
    whole = read_measured(tmp_path / "a.h5")
    for tenth in range(10):
        path.write_bytes(content[: len(content) * tenth // 10])
        assert isinstance(read_measured(path), Unreadable)
    random = np.random.default_rng(0)
    for place in random.integers(8, len(content), 60):
        damaged = content.copy()
        damaged[place : place + 3] = random.bytes(3)
        path.write_bytes(damaged)
        found = read_measured(path)
        if isinstance(found, Unreadable):
            assert "\n" not in found.reason
        else:
            assert type(found) is type(whole)


def test_without_h5py_it_says_what_to_install(written, monkeypatch):
    path = written(nexus)
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert "install it with pip install h5py" in read_pattern(path).reason


def test_it_is_the_twin_of_its_source(shared_dir):
    folder = shared_dir / "data" / "instrument_files"
    if not folder.exists():
        pytest.skip("the instrument files beside the checkout are absent")
    one = read_pattern(folder / "xrdml_918-16_10_ref.nxs")
    other = read_pattern(folder / "XRD-918-16_10.xrdml")
    np.testing.assert_allclose(one.two_theta, other.two_theta, atol=1e-6)
    np.testing.assert_array_equal(one.intensity, other.intensity)
    assert one.wavelength == other.wavelength
    last = read_pattern(folder / "LNMO_p8_scan-0000.h5", scan="21")
    assert (len(last.two_theta), last.scan) == (3000, 20)


def test_files_of_other_suffixes(written):
    check(read_pattern(written(nexus, "a.dat")))
