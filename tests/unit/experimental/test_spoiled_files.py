"""Files of every format, spoilt: a sentence or the right points, soon, and never a traceback."""

import resource
import time

import numpy as np
import pytest
from whole_files import FUNCTIONS, TWO, WHOLE

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers import read_measured
from diffsym.experimental.readers.base import MeasuredPdf, Unreadable
from diffsym.experimental.units import UNITS
from diffsym.scattering.types import Radiation
from diffsym.settings.measured.readers import SUFFIXES

ALL = {
    **{f"one scan, {kind}": facts[:2] for kind, facts in WHOLE.items()},
    **{f"two scans, {kind}": facts[:2] for kind, facts in TWO.items()},
    **{f"function, {kind}": facts[:2] for kind, facts in FUNCTIONS.items()},
}
LONGEST = 5.0
"""Seconds."""
LARGEST = 500_000
"""KiB of memory that reading may add."""
PIECE = 300_000


def in_the_middle(content, piece):
    half = len(content) // 2
    return content[:half] + piece + content[half:]


SPOILS = {
    "first half": lambda content: content[: len(content) // 2],
    "second half": lambda content: content[len(content) // 2 :],
    "one byte": lambda content: content[:1],
    "nothing": lambda _: b"",
    "a hundred copies": lambda content: 100 * content,
    "NaN in the middle": lambda content: in_the_middle(content, b" nan "),
    "zeros in the middle": lambda content: in_the_middle(content, bytes(999)),
    "a long line of digits": lambda content: in_the_middle(content, b"7" * PIECE),
    "a long line of letters": lambda content: in_the_middle(content, b"x" * PIECE),
    "many blanks": lambda content: in_the_middle(content, b" " * PIECE),
    "many line ends": lambda content: in_the_middle(content, b"\n" * PIECE),
}


def told(path, **keys):
    """The reason why a file is refused, on reading or on checking; None for a pattern."""
    found = read_measured(path, **keys)
    if isinstance(found, Unreadable):
        return found.reason
    if isinstance(found, MeasuredPdf):
        assert found.r.shape == found.G.shape
        return None
    try:
        check_pattern(found.two_theta, found.intensity, Radiation.of(found.wavelength or 1.5406))
    except DiffsymError as error:
        return str(error)
    return None


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("kind", ALL)
def test_a_spoilt_file_is_told_soon(tmp_path, kind, spoil):
    name, content = ALL[kind]
    (tmp_path / name).write_bytes(SPOILS[spoil](content))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    reason = told(tmp_path / name)
    assert time.process_time() - start < LONGEST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST
    if reason is not None:
        assert 0 < len(reason) < 600
        assert "\n" not in reason


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_another_suffix_gives_the_same_or_a_sentence(tmp_path, suffix):
    for name, content in ALL.values():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"other{suffix}").write_bytes(content)
        first, second = (read_measured(tmp_path / file) for file in (name, f"other{suffix}"))
        if isinstance(second, Unreadable):
            assert "\n" not in second.reason
        elif type(first) is type(second) and not isinstance(first, MeasuredPdf):
            np.testing.assert_array_equal(first.intensity, second.intensity)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", [kind for kind in ALL if not kind.startswith("function")])
def test_a_wrong_unit_is_refused_or_told(tmp_path, kind, unit):
    name, content = ALL[kind]
    (tmp_path / name).write_bytes(content)
    reason = told(tmp_path / name, unit=unit, wavelength=1.5406)
    found = read_measured(tmp_path / name, 1.5406, unit=unit)
    if unit in {"2theta", "centidegrees"}:
        return
    # Angles from 10 to 30 degrees may be Q in 1/nm, or d of a crystal with a large cell.
    assert reason or unit in {"Q/nm", "d"}
    # Only a text says nothing that the user could contradict.
    silent = ("the unit that was given", "the file does not say")
    assert isinstance(found, Unreadable) or found.repairs or found.axis.told.startswith(silent)
