"""`diffsym search`: space groups and known structures for files of measured patterns."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import Unreadable
from diffsym.identification.answer import CERTAIN, SearchAnswer, answer
from diffsym.identification.known import KnownStructures, read_known
from diffsym.identification.search import prepare
from diffsym.identification.wavelengths import NAMES, radiation_of
from diffsym.scattering.types import Radiation

ALL_ANSWERED, SOME_NOT, NONE_ANSWERED = 0, 1, 2
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        radiation = radiation_of(options.wavelength) if options.wavelength else None
        known = read_known(options.study)
    except DiffsymError as error:
        print(error, file=sys.stderr)
        return NONE_ANSWERED
    answered = 0
    for file in options.files:
        try:
            found, used = search_file(file, known, radiation, options.top)
        except DiffsymError as error:
            print(f"{file}: {error}", file=sys.stderr)
            continue
        answered += 1
        print(json_line(file, used, found) if options.json else as_text(file, used, found))
    if answered == len(options.files):
        return ALL_ANSWERED
    return SOME_NOT if answered else NONE_ANSWERED


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    top = argparse.ArgumentParser(prog="diffsym", description="Symmetry from diffraction.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser(
        "search", help="compare measured powder patterns with the structures of a study"
    )
    one.add_argument("files", nargs="+", type=Path, metavar="FILE")
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


def positive(text: str) -> int:
    """A number of at least one."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def search_file(
    file: Path, known: KnownStructures, radiation: Radiation | None, top: int
) -> tuple[SearchAnswer, Radiation]:
    """Answer for a file, and the radiation used.

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
    pattern = read_pattern(file)
    if isinstance(pattern, Unreadable):
        raise DiffsymError(pattern.reason)
    if radiation is None:
        if pattern.wavelength is None:
            raise DiffsymError(
                "the file does not say the wavelength; give it with --wavelength, for example "
                "--wavelength CuKa"
            )
        radiation = Radiation.of(pattern.wavelength)
    check_pattern(pattern.two_theta, pattern.intensity, radiation)
    prepared = prepare(pattern.two_theta, pattern.intensity, radiation)
    return answer(prepared, known, top), radiation


def json_line(file: Path, radiation: Radiation, found: SearchAnswer) -> str:
    """The answer as one line of JSON."""
    plain: dict[str, Any] = {
        "file": str(file),
        "wavelengths": list(radiation.wavelengths),
        **asdict(found),
    }
    return json.dumps(plain, ensure_ascii=False)


def as_text(file: Path, radiation: Radiation, found: SearchAnswer) -> str:
    """The answer as a table for people."""
    lengths = " and ".join(f"{length:g}" for length in radiation.wavelengths)
    verdict = "certain" if found.certain else f"not certain enough (below {CERTAIN:.0%})"
    lines = [f"{file} ({lengths} A): {verdict}", "  space group        share"]
    lines += [
        f"  {group.space_group:>3} {group.symbol:<12} {group.share:>7.1%}" for group in found.ranked
    ]
    lines.append("  score  space group  shift, deg  structure")
    lines += [
        f"  {one.score:5.2f}  {one.space_group:>11}  {one.zero_shift:>10.2f}  {one.structure_id} "
        f"{one.formula}" + (f" ({one.name})" if one.name else "")
        for one in found.nearest
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
