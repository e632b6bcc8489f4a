"""Answers to files, as text, JSON and rows of a table."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from diffsym.app.reading import ReadingOptions, ReadPattern, read_file
from diffsym.files import readable
from diffsym.identification.answer import Answer, Evidence, NearestStructure, answer_pattern


@dataclass(frozen=True)
class FileAnswer:
    """What becomes of a file.

    Attributes
    ----------
    file
        Its path.
    read
        Its pattern; None if it gave none.
    answer
        To the pattern; None if there is none.
    error
        Why there is none.
    """

    file: Path
    read: ReadPattern | None = None
    answer: Answer | None = None
    error: str = ""

    @property
    def name(self) -> str:
        """Its path as text that can be stored."""
        return readable(str(self.file))

    def content(self) -> dict[str, Any]:
        """File, wavelength (A), unit and scan, then the fields of the answer."""
        head = {"file": self.name}
        if self.read is None or self.answer is None:
            return {**head, "error": self.error}
        return {
            **head,
            "wavelength": list(self.read.wavelengths),
            "unit": self.read.unit,
            "scan": self.read.scan,
            **asdict(self.answer),
        }


def answer_file(file: Path, evidence: Evidence, reading: ReadingOptions, top: int) -> FileAnswer:
    """Read a file and answer its pattern.

    Parameters
    ----------
    file
        In a format of `diffsym.experimental.readers`.
    evidence
        What it is answered with.
    reading
        What the user says of it.
    top
        So many groups and structures.

    Raises
    ------
    DiffsymError
        If the file gives no pattern, or nobody says the wavelength.
    """
    read = read_file(file, reading)
    answer = answer_pattern(
        read.pattern.two_theta,
        read.pattern.intensity,
        read.radiation,
        evidence,
        top=top,
        repairs=read.told,
    )
    if answer.certain and read.is_contradicted:
        reason = "the wavelength is not that of the file, and one of them is wrong"
        answer = replace(answer, certain=False, reason=reason)
    return FileAnswer(file, read, answer)


def json_line(found: FileAnswer) -> str:
    """The answer as one line of JSON."""
    return json.dumps(found.content(), ensure_ascii=False)


ROWS = pa.schema(
    {
        "file": pa.string(),
        "error": pa.string(),
        "wavelength": pa.string(),
        "unit": pa.string(),
        "scan": pa.int64(),
        "certain": pa.bool_(),
        "certainty": pa.float64(),
        "reason": pa.string(),
        "space_group": pa.int64(),
        "symbol": pa.string(),
        "crystal_system": pa.string(),
        "extinction_class": pa.string(),
        "ranked": pa.string(),
        "probabilities": pa.string(),
        "set_90": pa.string(),
        "agreement": pa.float64(),
        "nearest": pa.string(),
        "nearest_formula": pa.string(),
        "nearest_name": pa.string(),
        "nearest_space_group": pa.int64(),
        "nearest_score": pa.float64(),
        "repairs": pa.string(),
    }
)
"""Columns of the table of many files; several values stand in one cell, with blanks between."""


def row_of(found: FileAnswer) -> dict[str, Any]:
    """The answer as one row of plain values."""
    empty = dict.fromkeys(ROWS.names) | {"file": found.name, "error": found.error or None}
    if found.read is None or found.answer is None:
        return empty
    answer = found.answer
    first = answer.ranked[0] if answer.ranked else None
    structure = answer.nearest[0] if answer.nearest else None
    return empty | {
        "wavelength": _cell(f"{length:g}" for length in found.read.wavelengths),
        "unit": found.read.unit,
        "scan": found.read.scan,
        "certain": answer.certain,
        "certainty": answer.certainty,
        "reason": answer.reason,
        "space_group": first and first.space_group,
        "symbol": first and first.symbol,
        "crystal_system": answer.crystal_system,
        "extinction_class": answer.extinction_class,
        "ranked": _cell(str(one.space_group) for one in answer.ranked),
        "probabilities": _cell(f"{one.probability:.4f}" for one in answer.ranked),
        "set_90": _cell(map(str, answer.set_90)),
        "agreement": answer.agreement,
        "nearest": structure and structure.structure_id,
        "nearest_formula": structure and structure.formula,
        "nearest_name": structure and structure.name,
        "nearest_space_group": structure and structure.space_group,
        "nearest_score": structure and structure.score,
        "repairs": "; ".join(answer.repairs) or None,
    }


def _cell(values: Iterable[str]) -> str:
    return " ".join(values)


def csv_rows(answers: Sequence[FileAnswer]) -> str:
    """A table with a header, in CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ROWS.names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row_of(one) for one in answers)
    return text.getvalue()


def table_of(answers: Sequence[FileAnswer]) -> pa.Table:
    """A table of Arrow."""
    return pa.Table.from_pylist([row_of(one) for one in answers], ROWS)


def as_text(found: FileAnswer) -> str:
    """The answer for people."""
    read, answer = found.read, found.answer
    assert read is not None
    assert answer is not None
    lengths = " and ".join(f"{length:g}" for length in read.wavelengths)
    lines = [
        f"{found.name} ({lengths} A): {'certain' if answer.certain else 'not certain enough'}",
        f"  {answer.reason}",
        *(f"  {repair}" for repair in answer.repairs),
    ]
    if not answer.ranked:
        return "\n".join(lines)
    lines.append(f"  crystal system: {answer.crystal_system}")
    if answer.extinction_class:
        lines.append(f"  extinction class: {answer.extinction_class}")
    lines.append(f"  90 % set: {some(answer.set_90)}")
    if answer.agreement is not None:
        lines.append(f"  networks that agree: {answer.agreement:.0%}")
    lines.append("  space group    probability")
    lines += [
        f"  {group.space_group:>3} {group.symbol:<12} {group.probability:>9.1%}"
        for group in answer.ranked
    ]
    return "\n".join([*lines, *structure_lines(answer.nearest)])


def structure_lines(nearest: Sequence[NearestStructure]) -> list[str]:
    """A table of structures for people, with its heading."""
    return [
        "  score  space group  shift, deg  structure",
        *(
            f"  {one.score:5.2f}  {one.space_group:>11}  {one.zero_shift:>10.2f}  "
            f"{one.structure_id} {one.formula}" + (f" ({one.name})" if one.name else "")
            for one in nearest
        ),
    ]


def some(groups: Sequence[int], at_most: int = 12) -> str:
    """Numbers of groups, or the first of many and how many there are."""
    told = ", ".join(map(str, groups[:at_most]))
    more = len(groups) - at_most
    return told if more <= 0 else f"{told} and {more} more"
