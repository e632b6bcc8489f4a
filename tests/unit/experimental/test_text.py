"""Text files of measured patterns: read as they are meant, or refused with the reason."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffsym.errors import DiffsymError
from diffsym.experimental.readers import read_pattern, text
from diffsym.experimental.readers.base import Unreadable
from diffsym.experimental.readers.headings import wrong_axis

ROWS = [(10.0, 900.0), (10.5, 1534.0), (11.0, 1100.5)]


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "pattern.xy"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_pattern(path)

    return write


@pytest.mark.parametrize(
    "content",
    [
        "10 900\n10.5 1534\n11 1100.5\n",
        "\ufeff10.0,900\r\n10.5,1534\r\n11.0,1100.5\r\n",
        "10;900;30\n10.5 ; 1534; 39\n\n11;1.1005e3;33\n",
        "10,   900\n10.5, 1534\n11.0,1100.5\n",
        "10.0,900,,\n10.5,1534,\n11.0,1100.5\n",
        "10.0 900 # peak\n10.5\t1534\n# 2 lines\n  11.0  1100.5",
        "10,00\t900\n10,50\t1534\n11,00\t1100,5\n",
        "10,0; 900,0\n10,5; 1534,0\n11,0; 1100,5\n",
        "2Theta Intensity\n10 900\n10.5 1534\n11 1100.5\n",
        "Sample: D8, 40 keV\n2-Theta Angle (Degrees)\n\n10 900\n10.5 1534\n11 1100.5\n",
        "# wavelength = 1.54 A, q max 8 A^-1\n# 2th_deg I\n10 900\n10.5 1534\n11 1100.5\n",
        b"'Angle (\xb0)' counts\n10 900\n10.5 1534\n11 1100.5\n",
    ],
)
def test_what_has_one_meaning_is_read(file, content):
    pattern = file(content)
    assert not isinstance(pattern, Unreadable), pattern
    np.testing.assert_array_equal(np.column_stack([pattern.two_theta, pattern.intensity]), ROWS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("10.0 1,534\n10.5 1,537\n", "line 1, '10.0 1,534', has a decimal comma or a thousands"),
        ("10.0 984\n10.5 1,537\n", "line 2, '10.5 1,537', has a decimal comma or a thousands"),
        ("10;1,534\n11;1,537\n", "decimal comma"),
        ("10,0 1.534\n10,5 1.537\n", "decimal comma"),
        ("10,00,34,0\n10,50,37,0\n", "decimal comma"),
        ("10.0,1,534\n10.5,1,537\n", "may have a thousands separator"),
        ("10.0 1 534\n10.5 1\u202f537\n", "may have a thousands separator"),
        ("10.0,984\n10.5,1,537\n", "line 2, '10.5 1 537', has 3 columns and line 1 has 2"),
        ("10.0 1'534\n", "line 1, '10.0 1'534', is no line of numbers"),
        ("10.0 1_534\n", "line 1, '10.0 1_534', is no line of numbers"),
        ("10.0,,5.7\n10.5,33,5.7\n", "line 1, '10.0,,5.7', is no line of numbers"),
        (",33\n10.5,33\n", "line 1, ',33', is no line of numbers"),
        ("10.0 33\n10.5\n", "line 2, '10.5', holds one number"),
        ("1.5406\n10.0 33\n10.5 34\n", "line 1, '1.5406', holds one number"),
        ("10.0\n10.5\n", "line 1, '10.0', holds one number"),
        ("10.0 33\nend of range 1\n40.0 37\n", "line 2, 'end of range 1', is no line of numbers"),
        ("", "the file is empty"),
        ("only words\n", "no two columns of numbers"),
        (b"RAW9.01\0\0\1", "the file is binary"),
        ("# --> q_nm^-1 I\n6 20\n", "line 1, '# --> q_nm^-1 I', says that the first column is"),
        ("d-spacing,counts\n3.1,20\n", "is a lattice spacing d; convert it to 2theta in degrees"),
    ],
)
def test_what_has_no_or_two_meanings_is_refused(file, content, words):
    pattern = file(content)
    assert isinstance(pattern, Unreadable), pattern
    assert words in pattern.reason
    assert "\n" not in pattern.reason


@pytest.mark.parametrize(
    ("heading", "axis"),
    [
        ("# chi_Q chi_I", "a scattering vector"),
        ("Q(\u212b\u207b\u00b9)\tI", "a scattering vector"),
        ("#L Q S(Q)", "a scattering vector"),
        ("X axis: scattering vector (1/nm)", "a scattering vector"),
        ("integrationspace = qspace", "a scattering vector"),
        ("Column 1: q (1/nm), column 2: I", "a scattering vector"),
        ("x [nm-1], y", "in units of an inverse length"),
        ("s (A^-1) counts", "in units of an inverse length"),
        ("d (A) I", "a lattice spacing d"),
        ("d\tintensity", "a lattice spacing d"),
        ("theta,intensity", "theta"),
        ("\u03b8 (deg) I", "theta"),
        ("2th_rad I", "in radians"),
        ("TOF (us) counts", "a time of flight"),
        ("time-of-flight counts", "a time of flight"),
        ("Energy [keV];counts", "an energy"),
        ("r G(r) dr dG(r)", "a distance r"),
    ],
)
def test_another_axis_is_recognised(heading, axis):
    assert wrong_axis(heading) == axis


@pytest.mark.parametrize(
    "heading",
    [
        "# 2theta (deg), I, q (1/nm)",
        "2\u03b8 [\u00b0] counts",
        "two-theta intensity",
        "Theta/2Theta scan",
        "Scan type: Coupled TwoTheta/Theta",
        "# energy = 17.4 keV",
        "Energy 60 keV, D8 Advance",
        "Theta: fixed",
        "Date: today, Operator: D. Smith",
        "# Qmax = 25 A^-1",
        "# Column 2: q (1/nm)",
        "quartz, Rietveld round robin",
        "",
    ],
)
def test_remarks_are_no_other_axis(heading):
    assert wrong_axis(heading) is None


NUMBERS = [
    "10",
    "10.5",
    ".5",
    "-3",
    "+4.",
    "1e3",
    "1.5E-2",
    "900",
    "1 534",
    "1534",
    "nan",
    "e",
    ".",
]
LINES = st.one_of(
    st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=3).map("  ".join),
    st.lists(st.sampled_from([*NUMBERS, "#", ",", ";", "x", "2theta", "", "\t"]), max_size=4).map(
        " ".join
    ),
)


def outcome(function, *arguments):
    """What a function returns, or the sentence that it raises, as text."""
    try:
        return str(function(*arguments))
    except DiffsymError as error:
        return f"refused: {error}"


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_plain_tables_are_read_as_by_the_rules(content):
    """The fast way and the slow one agree, on what they read and on what they refuse."""
    fast = outcome(text.read, content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_plain", lambda _: None)
        assert outcome(text.read, content.encode()) == fast


def test_long_tables_are_read(file):
    pattern = file("2theta I\n" + "".join(f"{i / 5000:.4f} {i % 97}\n" for i in range(850_000)))
    assert len(pattern.two_theta) == 850_000
    assert pattern.two_theta[-1] == 169.9998
    with_errors = file("10 1,\n" * 300_001)
    assert isinstance(with_errors, Unreadable)
    assert "more than 300000 lines" in with_errors.reason


@pytest.mark.parametrize("piece", ["7", "7 ", "x", "7.", "BANK ", ",", "1/d "])
def test_one_long_line_is_told_in_time(file, piece):
    start = time.monotonic()
    pattern = file(piece * (2_000_000 // len(piece)))
    if isinstance(pattern, Unreadable):
        assert len(pattern.reason) < 300
    else:
        # The first two columns of the only line.
        assert len(pattern.two_theta) == 1
    assert time.monotonic() - start < 5
