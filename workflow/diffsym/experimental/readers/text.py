"""Text of columns: 2theta in degrees, intensity and perhaps others, which are not used.

Columns are separated by blanks, commas or semicolons; what follows # is a comment, and lines in
front of the numbers are a heading. Nothing is guessed: a file that can be read in two ways is
refused.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.base import MeasuredPattern, assembled, decoded
from diffsym.experimental.readers.headings import names_two_theta, wrong_axis
from diffsym.experimental.readers.remarks import refuse_neutrons, stated_wavelength

# Between columns, where blanks are single. A comma without a blank beside it may be something else.
SEPARATOR = re.compile(r" ?; ?| , | ,|, | ")
STARTS_AS_NUMBER = re.compile(r"[ ,;]*[+-]?\.?\d")
MOST_LINES = 300_000
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# The digits of 1 534 as two columns.
GROUPS = re.compile(r"\d{1,3} \d{3}")


class _Row(NamedTuple):
    """A line of numbers: the line's number in the file, from 1, and its fields."""

    line: int
    fields: list[str]

    def __str__(self) -> str:
        return f"line {self.line}, '{_shown(' '.join(self.fields))}',"


def read(content: bytes) -> MeasuredPattern:
    """Read a file; see the module.

    Raises
    ------
    DiffsymError
        If it cannot be read with certainty.
    """
    if b"\0" in content and not content.startswith(UTF_16):
        raise DiffsymError("the file is binary; export it as text of two columns")
    lines = decoded(content).split("\n")
    if len(lines) > MOST_LINES:
        raise DiffsymError(f"the file has more than {MOST_LINES} lines; give the pattern alone")
    rows = _rows(lines)
    headings = lines[: rows[0].line - 1]
    refuse_neutrons(headings)
    rows = _with_points(rows)
    _check_columns(rows)
    values = np.array([row.fields[:2] for row in rows], dtype=float)
    return assembled(
        values[:, 0],
        values[:, 1],
        wavelength=stated_wavelength(headings),
        is_two_theta=any(map(names_two_theta, headings)),
    )


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
        elif not rows and (axis := wrong_axis(text)):
            raise DiffsymError(
                f"line {line}, '{_shown(text)}', says that the first column is {axis}; convert it "
                "to 2theta in degrees, or correct the line"
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
