"""Which scan of a file is read, and what its first column is taken for."""

import instrument_files as files
import numpy as np
import pytest
from instrument_files import ANGLES, COUNTS
from whole_files import TWO

from diffsym.errors import DiffsymError
from diffsym.experimental.patterns import read_patterns
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.assembly import chosen, scan_told
from diffsym.experimental.readers.base import Unreadable
from diffsym.experimental.units import UNITS, unit_of
from diffsym.settings.measured.patterns import MeasuredPatterns
from diffsym.settings.measured.readers import FORMATS, ROOM, format_of


@pytest.fixture
def read(tmp_path):
    def read(name, content, **told):
        (tmp_path / name).write_bytes(content)
        return read_pattern(tmp_path / name, **told)

    return read


def test_every_format_of_several_scans_is_here():
    # HDF5 has tests of its own.
    modules = {form.module for form in FORMATS if form.many} - {f"{ROOM}.hdf5"}
    assert {format_of(name, content).module for name, content, _ in TWO.values()} == modules


@pytest.mark.parametrize("kind", TWO)
def test_any_scan_can_be_read(read, kind):
    name, content, names = TWO[kind]
    for told, number in [(None, 0), ("1", 0), ("2", 1), (names[1].upper(), 1)]:
        pattern = read(name, content, scan=told)
        assert not isinstance(pattern, Unreadable), pattern
        assert (pattern.scans, pattern.scan) == (names, number)
        np.testing.assert_allclose(pattern.two_theta, ANGLES, atol=2e-6)
        np.testing.assert_array_equal(pattern.intensity, COUNTS + number)
    for told in ["0", "3", "third", "-1", ""]:
        pattern = read(name, content, scan=told)
        assert isinstance(pattern, Unreadable)
        assert pattern.reason.startswith(f"there is no scan '{told}'; the file holds 2 scans (1: ")
        assert names[1] in pattern.reason


def test_a_file_of_one_scan_has_no_second(read):
    assert not isinstance(read("a.xy", files.pairs().encode(), scan="1"), Unreadable)
    for name, content in [("a.xy", files.pairs().encode()), ("a.ras", files.ras())]:
        pattern = read(name, content, scan="2")
        assert isinstance(pattern, Unreadable)
        assert "the file holds one scan" in pattern.reason


def test_a_later_range_that_is_cut_off_is_told(read):
    for kind in ["RAW 1", "RAW 2", "RAW 1.01", "RAW 4"]:
        name, content, _ = TWO[kind]
        for n in range(300, len(content), 371):
            pattern = read(name, content[:n], scan="2")
            assert isinstance(pattern, Unreadable), (kind, n)
            assert "\n" not in pattern.reason


def test_many_scans_are_not_all_listed():
    names = [f"frame {i}" for i in range(1, 22)]
    (told,) = scan_told(names, 3)
    assert told.startswith("the file holds 21 scans (1: frame 1, ")
    assert told.endswith("10: frame 10 and 11 more); number 4 was read")
    assert scan_told(names[:1], 0) == ()
    # Of equal names the number decides.
    with pytest.raises(DiffsymError, match="2 scans"):
        chosen(["same", "same"], "same")


LENGTH = 0.7
Q = 4 * np.pi * np.sin(np.radians(ANGLES / 2)) / LENGTH
IN_UNITS = {
    "2theta": ANGLES,
    "centidegrees": 100 * ANGLES,
    "radians": np.radians(ANGLES),
    "Q": Q,
    "Q/nm": 10 * Q,
    "d": 2 * np.pi / Q,
    "1/d": Q / (2 * np.pi),
}
HEADINGS = {
    "2th_rad I": "radians",
    "# 1/d (A^-1)": "1/d",
    "d-spacing (A), counts": "d",
    "q_nm^-1 I": "Q/nm",
    "Q (1/A) I": "Q",
    "2Theta I": "2theta",
}


def over(x, heading="", counts=COUNTS):
    rows = "\n".join(f"{a!r} {c:g}" for a, c in zip(x.tolist(), counts, strict=True))
    return f"{heading}\n{rows}\n".encode()


def test_every_unit_is_tested():
    assert set(IN_UNITS) == set(UNITS) == {*HEADINGS.values(), "centidegrees"}


@pytest.mark.parametrize("unit", IN_UNITS)
@pytest.mark.parametrize("order", [1, -1])
def test_the_user_may_say_the_unit(read, unit, order):
    content = over(IN_UNITS[unit][::order], counts=COUNTS[::order])
    pattern = read("a.xy", content, wavelength=LENGTH, unit=unit)
    assert not isinstance(pattern, Unreadable), pattern
    np.testing.assert_allclose(pattern.two_theta, ANGLES, rtol=1e-12)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    assert pattern.repairs == (() if order > 0 else ("the angles fall and were reversed",))


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_file_may_say_the_unit(read, heading):
    unit = HEADINGS[heading]
    for told in (None, unit):
        pattern = read("a.xy", over(IN_UNITS[unit], heading), wavelength=LENGTH, unit=told)
        assert not isinstance(pattern, Unreadable), pattern
        np.testing.assert_allclose(pattern.two_theta, ANGLES, rtol=1e-12)
        assert pattern.repairs == ()


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("# Q I", "Q"), ("# Q I", "Q/nm"), ("d I", "d"), ("# x [nm-1], y", "Q/nm")],
)
def test_a_name_without_a_unit_may_be_completed(read, heading, unit):
    content = over(IN_UNITS[unit], heading)
    alone = read("a.xy", content, wavelength=LENGTH)
    assert isinstance(alone, Unreadable)
    assert alone.reason.endswith("correct the line, or say its unit")
    pattern = read("a.xy", content, wavelength=LENGTH, unit=unit)
    np.testing.assert_allclose(pattern.two_theta, ANGLES, rtol=1e-12)
    assert pattern.repairs == ()


def test_a_contradiction_is_told(read):
    pattern = read("a.xy", over(ANGLES, "theta,intensity"), unit="2theta")
    np.testing.assert_array_equal(pattern.two_theta, ANGLES)
    assert pattern.repairs == (
        "line 1, 'theta,intensity', says that the first column is theta; 2theta in degrees was "
        "given and used",
    )
    pattern = read("a.gsa", files.gsas("FXYE"), unit="centidegrees")
    np.testing.assert_allclose(pattern.two_theta, ANGLES)
    assert pattern.repairs == ()
    pattern = read("a.raw", files.raw_2(), unit="centidegrees")
    np.testing.assert_allclose(pattern.two_theta, ANGLES / 100, atol=1e-6)
    assert pattern.repairs == (
        "the file says 2theta in degrees; 2theta in hundredths of a degree was given and used",
    )


@pytest.mark.parametrize(
    ("unit", "wavelength", "words"),
    [
        ("radians", None, "30.1 is above pi: no angle in radians"),
        ("Q", None, "or give the wavelength in the index of the folder or with --wavelength"),
        ("Q", 1.54, "Q up to 30.1 1/A cannot be measured with this wavelength"),
        ("d", 70.0, "cannot be measured with this wavelength"),
    ],
)
def test_impossible_units_are_refused(read, unit, wavelength, words):
    pattern = read("a.xy", over(ANGLES), unit=unit, wavelength=wavelength)
    assert isinstance(pattern, Unreadable)
    assert pattern.reason.startswith(f"the unit that was given says {UNITS[unit]}")
    assert words in pattern.reason


def test_spacings_are_positive(read):
    pattern = read("a.xy", b"-1 5\n2 6\n", unit="d", wavelength=0.7)
    assert isinstance(pattern, Unreadable)
    assert "a lattice spacing d is not positive" in pattern.reason


def test_units_that_do_not_exist_are_told():
    assert unit_of(" CentiDegrees") == "centidegrees"
    with pytest.raises(DiffsymError, match="did you mean 'radians'"):
        unit_of("radian")


def test_the_index_says_scan_and_unit(tmp_path, caplog):
    (tmp_path / "a.ras").write_bytes(TWO["ras"][1])
    (tmp_path / "b.xy").write_bytes(over(Q, counts=COUNTS + 2))
    rows = [
        "file,scan,unit,wavelength,space_group",
        "a.ras,1,,,2",
        "a.ras,2 2-theta,,,14",
        "a.ras,3,,,",
        "b.xy,,q,0.7,",
        "b.xy,1,inch,0.7,",
    ]
    (tmp_path / "patterns.csv").write_text("\n".join(rows))
    keys = MeasuredPatterns(kind="patterns", path=str(tmp_path), wavelength=1.5)
    patterns, rejected = read_patterns("lab", tmp_path, keys)
    assert patterns["pattern_id"].to_pylist() == [
        "lab:a.ras#1",
        "lab:a.ras#2 2-theta",
        "lab:b.xy",
    ]
    assert patterns["space_group"].to_pylist() == [2, 14, None]
    np.testing.assert_array_equal(patterns["intensity"][1].as_py(), COUNTS + 1)
    assert "the file holds 2 scans (1: 1 2-Theta, 2: 2 2-Theta); number 2 was read" in caplog.text
    reasons = dict(
        zip(rejected["entry_id"].to_pylist(), rejected["reason"].to_pylist(), strict=True)
    )
    assert reasons["a.ras#3"].startswith("there is no scan '3'")
    np.testing.assert_allclose(patterns["two_theta"][2].as_py(), ANGLES)
    assert reasons["b.xy#1"].startswith("line 6 of patterns.csv: unit: there is no 'inch'")


def test_a_scan_with_two_units_is_not_used(tmp_path):
    (tmp_path / "b.xy").write_bytes(over(Q))
    (tmp_path / "c.xy").write_bytes(over(ANGLES))
    (tmp_path / "patterns.csv").write_text("file,unit,wavelength\nb.xy,Q,1\nb.xy,d,1\nc.xy,,1")
    keys = MeasuredPatterns(kind="patterns", path=str(tmp_path), wavelength=1.5)
    _, rejected = read_patterns("lab", tmp_path, keys)
    assert rejected["code"].to_pylist() == ["contradiction", "contradiction"]
