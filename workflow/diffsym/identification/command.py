"""`diffsym search`: space groups and known structures for files of measured patterns."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import Unreadable
from diffsym.identification.answer import CERTAIN, SearchAnswer, answer
from diffsym.identification.known import KnownStructures, read_known
from diffsym.identification.search import prepare
from diffsym.identification.wavelengths import NAMES, radiation_of
from diffsym.scattering.types import Radiation, Wavelength
from diffsym.settings.measured.readers import SUFFIXES, pattern_suffix

ALL_ANSWERED, SOME_NOT, NONE_ANSWERED = 0, 1, 2
"""Exit codes."""

SAME_WAVELENGTH = 5e-3
"""Relative difference up to which two statements agree: K-alpha-1, or the mean of a doublet."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        radiation = radiation_of(options.wavelength) if options.wavelength else None
        known = read_known(options.study)
    except DiffsymError as error:
        print(error, file=sys.stderr)
        return NONE_ANSWERED
    files = [file for path in options.files for file in files_at(path)]
    answered = 0
    for file in files:
        try:
            found = search_file(file, known, radiation, options.top)
        except DiffsymError as error:
            print(f"{file}: {error}", file=sys.stderr)
            continue
        answered += 1
        print(json_line(found) if options.json else as_text(found))
    if answered == len(files):
        return ALL_ANSWERED
    return SOME_NOT if answered else NONE_ANSWERED


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    top = argparse.ArgumentParser(prog="diffsym", description="Symmetry from diffraction.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser(
        "search", help="compare measured powder patterns with the structures of a study"
    )
    one.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a folder: all patterns in it"
    )
    one.add_argument(
        "--wavelength",
        metavar="W",
        help=f"in A, or {', '.join(NAMES)} (with 1 behind it: K-alpha-1 alone); needed where the "
        "file does not say it",
    )
    one.add_argument(
        "--study",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="results of a study, whose structures are searched (default: results)",
    )
    one.add_argument("--top", type=positive, default=6, metavar="N", help="groups and structures")
    one.add_argument("--json", action="store_true", help="one object a line")
    return top


def files_at(path: Path) -> list[Path]:
    """The file, or the files below a folder whose names are those of patterns, sorted."""
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if pattern_suffix(file.name) in SUFFIXES and not file.is_dir()
    )


def positive(text: str) -> int:
    """A number of at least one."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


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
        Names of its scans, of which the first was taken; empty if it can hold but one.
    repairs
        A sentence for each thing that was put right on reading, and for a wavelength that is not
        the file's.
    answer
        Of the search.
    """

    file: Path
    wavelengths: tuple[float, ...]
    scans: tuple[str, ...]
    repairs: tuple[str, ...]
    answer: SearchAnswer


def search_file(file: Path, known: KnownStructures, radiation: Radiation | None, top: int) -> Found:
    """Read a file and search for its pattern.

    Parameters
    ----------
    file
        In a format of `diffsym.experimental.readers`.
    known
        Structures.
    radiation
        That of the measurement; None: as the file says.
    top
        So many groups and structures.

    Raises
    ------
    DiffsymError
        If the file gives no pattern, or nobody says the wavelength.
    """
    pattern = read_pattern(file, None if radiation is None else plain(radiation))
    if isinstance(pattern, Unreadable):
        raise DiffsymError(pattern.reason)
    if radiation is None:
        if pattern.wavelength is None:
            raise DiffsymError(
                "the file does not say the wavelength; give it with --wavelength, for example "
                "--wavelength CuKa"
            )
        radiation = Radiation.of(pattern.wavelength)
    remarks = pattern.repairs + contradiction(radiation, pattern.wavelength)
    check_pattern(pattern.two_theta, pattern.intensity, radiation)
    prepared = prepare(pattern.two_theta, pattern.intensity, radiation)
    return Found(
        file=file,
        wavelengths=tuple(map(float, radiation.wavelengths)),
        scans=pattern.scans,
        repairs=remarks,
        answer=answer(prepared, known, top),
    )


def contradiction(used: Radiation, stated: Wavelength | None) -> tuple[str, ...]:
    """What to say if a file states another wavelength than the user."""
    if stated is None:
        return ()
    length = Radiation.of(stated).strongest
    if abs(length - used.strongest) <= SAME_WAVELENGTH * length:
        return ()
    return (f"the file says {length:g} A; {used.strongest:g} A of --wavelength was used",)


def plain(radiation: Radiation) -> Wavelength:
    """Wavelength and weight of each line."""
    return tuple(
        (float(length), float(weight))
        for length, weight in zip(radiation.wavelengths, radiation.weights, strict=True)
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
    if len(found.scans) > 1:
        lines.append(f"  first of {len(found.scans)} scans: {found.scans[0]}")
    lines += [f"  {repair}" for repair in found.repairs]
    lines.append("  space group        share")
    lines += [
        f"  {group.space_group:>3} {group.symbol:<12} {group.share:>7.1%}"
        for group in found.answer.ranked
    ]
    lines.append("  score  space group  shift, deg  structure")
    lines += [
        f"  {one.score:5.2f}  {one.space_group:>11}  {one.zero_shift:>10.2f}  {one.structure_id} "
        f"{one.formula}" + (f" ({one.name})" if one.name else "")
        for one in found.answer.nearest
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
