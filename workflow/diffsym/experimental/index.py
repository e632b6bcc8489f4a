"""The index of a folder of measured patterns: which files there are, and what is known of them."""

import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diffsym.errors import DiffsymError, nearest
from diffsym.experimental.checks import check_labels
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable
from diffsym.experimental.units import unit_of

INDEX = "patterns.csv"
# What may be known of a pattern: the columns of numbers.
NUMBERS = ("space_group", "primitive_volume", "wavelength")
COLUMNS = ("file", *NUMBERS, "scan", "unit", "comment")


@dataclass(frozen=True)
class _Row:
    """A row of the index.

    Attributes
    ----------
    line
        Its number in the file, from 1.
    cells
        Texts by column, without blanks around them.
    surplus
        Whether it has more cells than there are columns.
    """

    line: int
    cells: Mapping[str, str]
    surplus: bool

    @property
    def file(self) -> str:
        return self.cells["file"]

    @property
    def name(self) -> str:
        """What the pattern is called: the file and, if one is named, its scan."""
        scan = self.cells.get("scan")
        return f"{self.file}#{scan}" if self.file and scan else self.file

    @property
    def place(self) -> tuple[str, str]:
        """File and scan, of which each may be listed once."""
        return os.path.normpath(self.file), self.cells.get("scan", "")

    @property
    def labels(self) -> dict[str, float]:
        """Numbers of the cells that are not empty; NaN for one that holds no number."""
        return {key: _number(self.cells[key]) for key in NUMBERS if self.cells.get(key)}


def indexed_patterns(folder: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns that the index of a folder names, each with what is told of it.

    Yields
    ------
    name, pattern
        A row that cannot be used is an `Unreadable`, which names the row's line. One without a file
        has the line as its name.

    Raises
    ------
    DiffsymError
        If the index cannot be read, a column is unknown or named twice, or there is no `file`.
    """
    rows = _read(folder / INDEX)
    listings: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        listings.setdefault(row.place, []).append(row)
    for row in rows:
        unusable = _unusable(row, listings[row.place])
        pattern = unusable or read_pattern(
            folder / row.file,
            row.labels.get("wavelength"),
            scan=row.cells.get("scan") or None,
            unit=unit_of(row.cells["unit"]) if row.cells.get("unit") else None,
        )
        if isinstance(pattern, MeasuredPattern):
            pattern = replace(
                pattern,
                space_group=row.labels.get("space_group", pattern.space_group),
                primitive_volume=row.labels.get("primitive_volume", pattern.primitive_volume),
                wavelength=row.labels.get("wavelength", pattern.wavelength),
            )
        yield row.name or f"line {row.line}", pattern


def _read(path: Path) -> list[_Row]:
    """Rows of the index; comments are lines that begin with #."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        reader = csv.reader(
            ("" if line.startswith("#") else line for line in lines),
            skipinitialspace=True,
            strict=True,
        )
        table = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if cells]
    except (OSError, ValueError, csv.Error) as error:
        raise DiffsymError(
            f"{path}: no index of measured patterns ({error}); write a CSV file in UTF-8 with the "
            f"column file and, if known, {', '.join(NUMBERS)}"
        ) from None
    columns = _columns(path, table[0][1] if table else [])
    return [
        _Row(line, dict(zip(columns, cells, strict=False)), any(cells[len(columns) :]))
        for line, cells in table[1:]
        if any(cells)
    ]


def _columns(path: Path, names: Sequence[str]) -> list[str]:
    """Names of the columns, without empty ones behind the last."""
    columns = list(names)
    while columns and not columns[-1]:
        del columns[-1]
    for column in columns:
        if column not in COLUMNS:
            raise DiffsymError(f"{path}: unknown column '{column}'{nearest(column, COLUMNS)}")
    if "file" not in columns or len(set(columns)) < len(columns):
        raise DiffsymError(
            f"{path}: no index of measured patterns, its columns are {', '.join(columns) or 'none'}"
            "; the column file must be there, and each column once, separated by commas"
        )
    return columns


def _unusable(row: _Row, listings: Sequence[_Row]) -> Unreadable | None:
    """Why a row cannot be used, None if it can; `listings` are all rows with its file."""
    where = f"line {row.line} of {INDEX}"
    try:
        _check_cells(row)
    except DiffsymError as error:
        return Unreadable(f"{where}: {error}", "index")
    for other in listings:
        if (other.labels, other.cells.get("unit")) != (row.labels, row.cells.get("unit")):
            first, second = sorted([row.line, other.line])
            return Unreadable(
                f"lines {first} and {second} of {INDEX} tell different things of this file; remove "
                "the wrong line",
                "contradiction",
            )
    if row is not listings[0]:
        return Unreadable(
            f"{where}: line {listings[0].line} names the same file; remove one of them", "duplicate"
        )
    return None


def _check_cells(row: _Row) -> None:
    """DiffsymError if a row by itself cannot be used."""
    if not row.file:
        raise DiffsymError("there is no name of a file; add it or remove the line")
    if row.surplus:
        raise DiffsymError("there are more cells than columns; put a text with a comma in quotes")
    for key, number in row.labels.items():
        if math.isnan(number):
            raise DiffsymError(
                f"{key}: '{row.cells[key]}' is no number; correct it, or give nothing if it is "
                "unknown"
            )
    check_labels(**row.labels)
    if row.cells.get("unit"):
        unit_of(row.cells["unit"])


def _number(text: str) -> float:
    """The number that a text holds, NaN if it holds none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
