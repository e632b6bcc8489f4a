"""`diffsym search`: space groups and known structures for files of measured patterns."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from diffsym.app.answers import structure_lines
from diffsym.app.evidence import add_evidence, evidence_of
from diffsym.app.outcome import exit_code, positive
from diffsym.app.reading import ReadingOptions, add_reading, files_at, read_file
from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import scan_told
from diffsym.identification.known import KnownStructures
from diffsym.identification.search import prepare
from diffsym.identification.search_answer import CERTAIN, SearchAnswer, answer


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_reading(parser)
    add_evidence(parser)
    parser.add_argument(
        "--top", type=positive, default=6, metavar="N", help="groups and structures"
    )
    parser.add_argument("--json", action="store_true", help="one object a line")


def run(options: argparse.Namespace) -> int:
    """Search for the patterns of all files; the exit code."""
    reading = ReadingOptions.of(options)
    known = evidence_of(options).known
    files = files_at(options.files)
    answered = 0
    for file in files:
        try:
            found = search_file(file, known, reading, options.top)
        except DiffsymError as error:
            print(f"{file}: {error}", file=sys.stderr)
            continue
        answered += 1
        print(json_line(found) if options.json else as_text(found))
    return exit_code(answered, len(files))


@dataclass(frozen=True)
class Found:
    """What is printed of a file.

    Attributes
    ----------
    file
        Its path.
    wavelengths
        With which it was measured, A.
    scans
        Names of its scans; empty if it can hold but one.
    scan
        The number of the one that was read, from 1.
    repairs
        A sentence for each thing that was put right on reading, and for a wavelength that is not
        the file's.
    answer
        Of the search.
    """

    file: Path
    wavelengths: tuple[float, ...]
    scans: tuple[str, ...]
    scan: int
    repairs: tuple[str, ...]
    answer: SearchAnswer

    @property
    def scan_told(self) -> tuple[str, ...]:
        """A sentence if the file holds several scans."""
        return scan_told(self.scans, self.scan - 1)


def search_file(file: Path, known: KnownStructures, reading: ReadingOptions, top: int) -> Found:
    """Read a file and search for its pattern.

    Parameters
    ----------
    file
        In a format of `diffsym.experimental.readers`.
    known
        Structures.
    reading
        What the user says of the file.
    top
        So many groups and structures.

    Raises
    ------
    DiffsymError
        If the file gives no pattern, or nobody says the wavelength.
    """
    read = read_file(file, reading)
    prepared = prepare(read.pattern.two_theta, read.pattern.intensity, read.radiation)
    return Found(
        file=file,
        wavelengths=read.wavelengths,
        scans=read.pattern.scans,
        scan=read.pattern.scan + 1,
        repairs=read.repairs,
        answer=answer(prepared, known, top),
    )


def json_line(found: Found) -> str:
    """The answer as one line of JSON."""
    content = asdict(found)
    return json.dumps(
        {**content, "file": str(found.file), **content.pop("answer")}, ensure_ascii=False
    )


def as_text(found: Found) -> str:
    """The answer as a table for people."""
    lengths = " and ".join(f"{length:g}" for length in found.wavelengths)
    verdict = "certain" if found.answer.certain else f"not certain enough (below {CERTAIN:.0%})"
    lines = [f"{found.file} ({lengths} A): {verdict}"]
    lines += [f"  {told}" for told in (*found.scan_told, *found.repairs)]
    lines.append("  space group        share")
    lines += [
        f"  {group.space_group:>3} {group.symbol:<12} {group.share:>7.1%}"
        for group in found.answer.ranked
    ]
    return "\n".join([*lines, *structure_lines(found.answer.nearest)])
