"""Files of many instruments, read as their manifest says."""

import csv

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import Unreadable
from diffsym.scattering.types import Radiation
from diffsym.settings.patterns import spectral_lines

# What differs from the manifest, and why.
OTHERWISE = {
    # The manifest has the counts as stored; a point was measured with an attenuator of 188.
    "m54313_om2th_10.xrdml": {"max_intensity": 352876, "sum_intensity": 65529 + 187 * 1877},
}
# What ought to be refused, but says nothing of the reason.
SILENT = {
    "PrSrMnO.gda": "neutrons: nothing in the file says so",
    "LaMnO3_50k.gsas": "neutrons: nothing in the file says so",
    "PbSO4_d1a.dat": "neutrons: two columns without a heading",
    "TwoTheta_scan_scrambled.raw": "a true header and shuffled intensities",
}
# What could be read, but is refused.
NOT_READ = {
    # It is 2theta, but the file says theta.
    "example_ocx.xy": "says that the first column is theta",
}


def verdict(path):
    """The pattern and, if it cannot be used, the reason."""
    pattern = read_pattern(path)
    if isinstance(pattern, Unreadable):
        return None, pattern.reason
    try:
        radiation = Radiation.of(pattern.wavelength or 1.5406)
        check_pattern(pattern.two_theta, pattern.intensity, radiation)
    except DiffsymError as error:
        return pattern, str(error)
    return pattern, ""


@pytest.fixture(scope="module")
def manifest(shared_dir):
    folder = shared_dir / "data" / "instrument_files"
    if not (folder / "manifest.csv").exists():
        pytest.skip("the instrument files beside the checkout are absent")
    with (folder / "manifest.csv").open(newline="") as handle:
        return folder, list(csv.DictReader(handle))


def test_what_is_to_be_read_is_read_exactly(manifest):
    folder, rows = manifest
    read = 0
    for row in rows:
        name = row["file"]
        if not row["expected"].startswith(("read", "warn")) or row["expected"] == "read as d":
            continue
        pattern, reason = verdict(folder / name)
        if name in NOT_READ:
            assert NOT_READ[name] in reason
            continue
        assert pattern is not None, (name, reason)
        told = {**row, **OTHERWISE.get(name, {})}
        assert len(pattern.two_theta) == int(told["points"]), name
        ends = [float(told["first_x"]), float(told["last_x"])]
        assert axis(row, pattern)[[0, -1]] == pytest.approx(ends, abs=2e-4), name
        assert pattern.intensity.max() == pytest.approx(float(told["max_intensity"]), rel=1e-5)
        assert pattern.intensity.sum() == pytest.approx(float(told["sum_intensity"]), rel=1e-5)
        assert check_wavelength(row, pattern), (name, pattern.wavelength)
        read += 1
    assert read >= 51


def axis(row, pattern):
    """The first column of the file, of which some are over Q."""
    if row["expected"] != "read as Q":
        return pattern.two_theta
    return 4 * np.pi * np.sin(np.radians(pattern.two_theta / 2)) / pattern.wavelength


def test_a_lattice_spacing_is_read_if_the_user_says_so(manifest):
    path = manifest[0] / "CeO2_dspacing.xy"
    pattern = read_pattern(path, 0.4, unit="d")
    assert len(pattern.two_theta) == 2315
    check_pattern(pattern.two_theta, pattern.intensity, Radiation.of(0.4))
    # The lines 111 and 220 of CeO2, a = 5.411 A.
    spacings = 0.2 / np.sin(np.radians(pattern.two_theta / 2))
    for squares in (3, 8):
        near = abs(spacings - 5.411 / np.sqrt(squares)) < 0.1
        strongest = spacings[near][pattern.intensity[near].argmax()]
        assert strongest == pytest.approx(5.411 / np.sqrt(squares), abs=0.02)


def check_wavelength(row, pattern):
    """Whether the pattern has a wavelength where its file states one, and the right one."""
    if row["wavelength_in_file"] in {"no", "anode in header"}:
        return pattern.wavelength is None
    first, *others = [float(number) for number in row["wavelength"].split(";") if number] or [None]
    lines = spectral_lines(pattern.wavelength)
    if first is None:
        return len(lines) >= 1
    right = lines[0][0] == pytest.approx(first, abs=2e-6)
    return right and (not others or lines[1][0] == pytest.approx(others[0], abs=2e-6))


def test_what_is_to_be_refused_is_refused_with_a_sentence(manifest):
    folder, rows = manifest
    refused = 0
    for row in rows:
        name = row["file"]
        if row["expected"].startswith(("read", "warn")) and row["expected"] != "read as d":
            continue
        pattern, reason = verdict(folder / name)
        if name in SILENT:
            assert pattern is not None
            continue
        assert reason, name
        assert "\n" not in reason
        refused += 1
    assert refused >= 24


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("polefigure.uxd", "a scan over 'PHI'"),
        ("sf6_190gsas.dat", "time of flight"),
        ("GSAS_NaNO3_230C.gsa", "time of flight"),
        ("pattern_001.chi", "declares 1455 points and has 75"),
        ("pbso4_neutron.dat", "neutrons"),
        ("NdNi4MgDx_hrpt.dat", "neutrons"),
        ("ALUMINA.cif", "neutrons"),
        ("1517474.cif", "neutrons"),
        ("cu_metal_rt.xdi", "X-ray absorption spectrum"),
        ("Ni-neutron.gr", "pair distribution function"),
        ("SiO2_NIMROD.mint01", "neutrons"),
        ("philipsXpert.rw1", "binary file of Philips"),
    ],
)
def test_the_reason_of_a_refusal_is_told(manifest, name, words):
    pattern = read_pattern(manifest[0] / name)
    assert isinstance(pattern, Unreadable)
    assert words in pattern.reason


@pytest.mark.parametrize(
    ("first", "second", "tolerance"),
    [
        # One is rounded to hundredths.
        ("BT86.raw", "BT86.uxd", 5.1e-3),
        ("D5000_1.RAW", "D5000_1.xy", 1e-9),
        ("PBSO4.XRA", "pbso4_xray.dat", 1e-9),
        ("PBSO4.XRA", "PbSO4_lab.dat", 1e-9),
    ],
)
def test_twins_agree(manifest, first, second, tolerance):
    one, other = (read_pattern(manifest[0] / name) for name in (first, second))
    n = min(len(one.two_theta), len(other.two_theta))
    np.testing.assert_allclose(one.two_theta[:n], other.two_theta[:n], atol=tolerance)
    differing = np.count_nonzero(one.intensity[:n] != other.intensity[:n])
    # Two counts of pbso4_xray.dat are others.
    assert differing <= 2


def test_declared_and_present_points_are_compared(manifest):
    pattern = read_pattern(manifest[0] / "PrSrMnO.gda")
    assert pattern.repairs == ("the file declares 2415 points and has 2395",)
    assert read_pattern(manifest[0] / "inas_layer_radial.ras.bz2").scans == (
        "1 2-Theta/Omega",
        "2 2-Theta/Omega",
    )


@pytest.mark.parametrize("tenth", range(1, 10))
def test_files_that_are_cut_off_are_told_or_right(manifest, tmp_path, tenth):
    folder, rows = manifest
    for row in rows:
        content = (folder / row["file"]).read_bytes()
        path = tmp_path / row["file"]
        path.write_bytes(content[: len(content) * tenth // 10])
        pattern, whole = read_pattern(path), read_pattern(folder / row["file"])
        if isinstance(pattern, Unreadable):
            assert pattern.reason
            continue
        # The last number of a text may be cut.
        n = len(pattern.two_theta) - 1
        assert not isinstance(whole, Unreadable), row["file"]
        np.testing.assert_array_equal(pattern.two_theta[:n], whole.two_theta[:n])
        np.testing.assert_array_equal(pattern.intensity[:n], whole.intensity[:n])
