"""Text of columns: 2theta in degrees, intensity and perhaps others, which are not used.

Columns are separated by blanks, commas or semicolons; what follows # is a comment, and lines in
front of the numbers are a heading, which may say what the first column is over. Nothing is guessed:
a file that can be read in two ways is refused.
"""

import io
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, decoded
from diffsym.experimental.readers.base import Axis, MeasuredPattern
from diffsym.experimental.readers.headings import FITTING, names_two_theta, stated_unit, wrong_axis
from diffsym.experimental.readers.remarks import (
    OURS,
    refuse_neutrons,
    stated_anode,
    stated_lines,
)

# Between columns, where blanks are single. A comma without a blank beside it may be something else.
SEPARATOR = re.compile(r" ?; ?| , | ,|, | ")
STARTS_AS_NUMBER = re.compile(r"[ ,;]*[+-]?\.?\d")
MOST_LINES = 300_000
"""So many lines are read by the rules of this module."""
MOST_PLAIN_LINES = 1_000_000
"""So many of numbers between blanks alone."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# The digits of 1 534 as two columns.
GROUPS = re.compile(r"\d{1,3} \d{3}")
PLAIN_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
PLAIN_LINE = re.compile(rf"^[ \t]*{PLAIN_NUMBER}(?:[ \t]+{PLAIN_NUMBER})+[ \t]*$", re.MULTILINE)
NO_PLAIN_TEXT = re.compile(r"[^0-9+\-.eE \t\n]")


class _Row(NamedTuple):
    """A line of numbers: the line's number in the file, from 1, and its fields."""

    line: int
    fields: list[str]

    def __str__(self) -> str:
        return f"line {self.line}, '{_shown(' '.join(self.fields))}',"


LONGEST_LINE = 100_000
LONG_LINE = re.compile(rb"[^\r\n]{%d}" % (LONGEST_LINE + 1))


def read(content: bytes) -> MeasuredPattern:
    """Read a file; see the module.

    Raises
    ------
    DiffsymError
        If it cannot be read with certainty.
    """
    if b"\0" in content and not content.startswith(UTF_16):
        raise DiffsymError("the file is binary; export it as text of two columns")
    if LONG_LINE.search(content):
        raise DiffsymError(
            f"a line has more than {LONGEST_LINE} characters; export the pattern with one point a "
            "line"
        )
    headings, values = _columns(decoded(content))
    # Lines keep their numbers.
    headings = ["" if line.startswith(OURS) else line for line in headings]
    refuse_neutrons(headings)
    x, axis = _over(values[:, 0], headings)
    return assembled(
        x,
        values[:, 1],
        wavelength=stated_lines(headings),
        anode=stated_anode(headings),
        axis=axis,
    )


def _columns(text: str) -> tuple[list[str], NDArray[np.float64]]:
    """Lines of the heading, and the first two columns, (n, 2)."""
    if (plain := _plain(text)) is not None:
        return plain
    if text.count("\n") >= MOST_LINES:
        raise DiffsymError(f"the file has more than {MOST_LINES} lines; give the pattern alone")
    lines = text.split("\n")
    rows = _rows(lines)
    headings = lines[: rows[0].line - 1]
    # Of a file that is refused anyway, this is the better reason.
    refuse_neutrons(line for line in headings if not line.startswith(OURS))
    rows = _with_points(rows)
    _check_columns(rows)
    return headings, np.array([row.fields[:2] for row in rows], dtype=float)


def _plain(text: str) -> tuple[list[str], NDArray[np.float64]] | None:
    """The same of a file whose numbers stand between blanks, with nothing else among them.

    Nearly all files are so. NumPy reads them much faster than the rules of this module, which give
    the same; wherever they could say something else, None is returned.
    """
    first = PLAIN_LINE.search(text)
    if first is None or NO_PLAIN_TEXT.search(text, first.start()):
        return None
    headings = text[: first.start()].split("\n")[:-1]
    if GROUPS.fullmatch(" ".join(first[0].split()[1:3])) or not all(map(_is_heading, headings)):
        return None
    if text.count("\n", first.start()) >= MOST_PLAIN_LINES:
        return None
    try:
        table = np.loadtxt(io.StringIO(text[first.start() :]), comments=None, ndmin=2)
    except ValueError:
        return None
    return headings, table[:, :2]


def _is_heading(line: str) -> bool:
    """Whether a line is empty, a comment or words, and no damaged line of numbers."""
    content = line.partition("#")[0].strip()
    return not content or not (
        all(map(_is_numeric, _fields(content)))
        or (STARTS_AS_NUMBER.match(content) and not names_two_theta(line))
    )


def _over(
    x: NDArray[np.float64], headings: Sequence[str]
) -> tuple[NDArray[np.float64], Axis | None]:
    """The first column, and what the heading says that it is; nanometres as A."""
    for line, text in enumerate(headings, start=1):
        if name := wrong_axis(text):
            told = f"line {line}, '{_shown(text)}', says that the first column is {name}"
            unit, factor = stated_unit(text)
            fitting = () if unit else FITTING.get(name, ())
            return factor * x, Axis(told, unit, fitting)
    for line, text in enumerate(headings, start=1):
        if names_two_theta(text):
            told = f"line {line}, '{_shown(text)}', says that the first column is 2theta"
            return x, Axis(told, "2theta", ("centidegrees",))
    return x, None


def _rows(lines: Sequence[str]) -> list[_Row]:
    """Lines of numbers, if all lines behind the first of them are."""
    rows: list[_Row] = []
    for line, text in enumerate(lines, start=1):
        content = text.partition("#")[0].strip()
        fields = _fields(content)
        if content and all(_is_numeric(field) for field in fields):
            rows.append(_Row(line, fields))
        elif content and (rows or (STARTS_AS_NUMBER.match(content) and not names_two_theta(text))):
            raise DiffsymError(
                f"line {line}, '{_shown(content)}', is no line of numbers; correct it, or mark it "
                "as a comment with #"
            )
    if not rows:
        raise DiffsymError("there are no two columns of numbers, 2theta and intensity; add them")
    return rows


def _fields(content: str) -> list[str]:
    """What stands between separators; those behind the last field do not count."""
    fields = content.split()
    if "," in content or ";" in content:
        fields = SEPARATOR.split(" ".join(fields).rstrip(" ,;"))
    return fields


def _with_points(rows: list[_Row]) -> list[_Row]:
    """Rows whose numbers have decimal points; commas that may mean several things are refused.

    Commas separate columns if a line has nothing else that could. Otherwise they are decimal commas
    if every angle has one and no number has a point: an angle has no thousands.
    """
    with_comma = next((row for row in rows if any("," in field for field in row.fields)), None)
    if with_comma is None:
        return rows
    if any(len(row.fields) == 1 for row in rows):
        split = [row._replace(fields=",".join(row.fields).split(",")) for row in rows]
        if any(map(_has_point, rows)) or all(len(row.fields) == 2 for row in split):
            return split
    elif all("," in row.fields[0] and not _has_point(row) for row in rows) and all(
        field.count(",") <= 1 for row in rows for field in row.fields
    ):
        return [row._replace(fields=[f.replace(",", ".") for f in row.fields]) for row in rows]
    raise DiffsymError(
        f"{with_comma} has a decimal comma or a thousands separator; write decimal points, no "
        "thousands separators, and blanks between columns"
    )


def _check_columns(rows: Sequence[_Row]) -> None:
    """DiffsymError if rows have not the same columns, or these may be parts of one number."""
    first = rows[0]
    for row in rows:
        if len(row.fields) == 1:
            raise DiffsymError(
                f"{row} holds one number; give 2theta and intensity in each line, or mark it as a "
                "comment with #"
            )
        if len(row.fields) != len(first.fields):
            raise DiffsymError(
                f"{row} has {len(row.fields)} columns and line {first.line} has "
                f"{len(first.fields)}; give each line the same, without thousands separators"
            )
    if len({" ".join(row.fields[2:3]) for row in rows}) > 1 and all(
        GROUPS.fullmatch(" ".join(row.fields[1:3])) for row in rows
    ):
        raise DiffsymError(
            f"{first} and all others may have a thousands separator; write intensities without one "
            "or remove the third column"
        )


def _has_point(row: _Row) -> bool:
    return any("." in field for field in row.fields)


def _is_numeric(field: str) -> bool:
    """Whether a text is a number, or several with commas between them."""
    return all(map(_is_number, field.split(",")))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _shown(text: str) -> str:
    """The beginning of a line, for a sentence."""
    return "".join(letter if letter.isprintable() else " " for letter in text.strip()[:60])
