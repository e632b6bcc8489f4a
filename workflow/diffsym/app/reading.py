"""Files of measured patterns on the command line: which ones, and what is said of them."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.assembly import scan_told
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable
from diffsym.experimental.units import UNITS, unit_of
from diffsym.identification.wavelengths import K_ALPHA, NAMES, radiation_of
from diffsym.scattering.types import Radiation, Wavelength
from diffsym.settings.measured.readers import SUFFIXES, pattern_suffix

SAME_WAVELENGTH = 5e-3
"""Relative difference up to which two statements agree: K-alpha-1, or the mean of a doublet."""


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add files, and what the user says of them, to the options of a command."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a folder: all patterns in it"
    )
    add_told(parser)


def add_told(parser: argparse.ArgumentParser) -> None:
    """Add what the user says of files to the options of a command."""
    parser.add_argument(
        "--wavelength",
        metavar="W",
        help=f"in A, or {', '.join(NAMES)} (with 1 behind it: K-alpha-1 alone); needed where the "
        "file does not say it",
    )
    parser.add_argument(
        "--scan",
        metavar="N",
        help="number, from 1, or name of a scan, range, bank, block or frame of the files "
        "(default: the first)",
    )
    parser.add_argument(
        "--unit",
        metavar="U",
        help=f"of the first column: {', '.join(UNITS)} (default: what the file says, or 2theta)",
    )


@dataclass(frozen=True)
class ReadingOptions:
    """What the user says of all files.

    Attributes
    ----------
    radiation
        That of the measurement; None: as the file says.
    scan
        Number, from 1, or name of the scan to read; None: the first.
    unit
        Of the axis, one of `diffsym.experimental.units.UNITS`; None: as the file says.
    """

    radiation: Radiation | None = None
    scan: str | None = None
    unit: str | None = None

    @classmethod
    def of(cls, options: argparse.Namespace) -> "ReadingOptions":
        """From the command line; DiffsymError if an option cannot be understood."""
        return cls(
            radiation_of(options.wavelength) if options.wavelength else None,
            options.scan,
            unit_of(options.unit) if options.unit else None,
        )


@dataclass(frozen=True)
class ReadPattern:
    """A pattern that can be answered.

    Attributes
    ----------
    file
        Where it was read.
    pattern
        Over 2theta.
    radiation
        With which it was measured, by the user or by the file.
    repairs
        A sentence for each thing that was put right on reading, and for a wavelength that is not
        the file's.
    unit
        Of the axis in the file, one of `diffsym.experimental.units.UNITS`.
    """

    file: Path
    pattern: MeasuredPattern
    radiation: Radiation
    repairs: tuple[str, ...]
    unit: str = "2theta"

    @property
    def is_contradicted(self) -> bool:
        """Whether the user says another wavelength than the file."""
        return bool(contradiction(self.radiation, self.pattern.wavelength))

    @property
    def scan(self) -> int:
        """Number of the scan that was read, from 1."""
        return self.pattern.scan + 1

    @property
    def told(self) -> tuple[str, ...]:
        """What the user should know of the reading: the choice among scans, and repairs."""
        return (*scan_told(self.pattern.scans, self.pattern.scan), *self.repairs)

    @property
    def wavelengths(self) -> tuple[float, ...]:
        """In A."""
        return tuple(map(float, self.radiation.wavelengths))


def read_file(file: Path, options: ReadingOptions) -> ReadPattern:
    """Read a file.

    Parameters
    ----------
    file
        In a format of `diffsym.experimental.readers`.
    options
        What the user says of it.

    Raises
    ------
    DiffsymError
        If the file gives no pattern, or nobody says the wavelength.
    """
    radiation = options.radiation
    pattern = read_pattern(
        file,
        None if radiation is None else plain(radiation),
        scan=options.scan,
        unit=options.unit,
    )
    if isinstance(pattern, Unreadable):
        raise DiffsymError(pattern.reason)
    if radiation is None:
        if pattern.wavelength is None:
            raise DiffsymError(
                "the file does not say the wavelength"
                + (f", but the anode, {pattern.anode}" if pattern.anode else "")
                + "; give it with --wavelength, for example --wavelength "
                + (f"{pattern.anode}Ka" if pattern.anode in K_ALPHA else "CuKa")
            )
        radiation = Radiation.of(pattern.wavelength)
    check_pattern(pattern.two_theta, pattern.intensity, radiation)
    repairs = pattern.repairs + contradiction(radiation, pattern.wavelength)
    stated = None if pattern.axis is None else pattern.axis.unit
    return ReadPattern(file, pattern, radiation, repairs, options.unit or stated or "2theta")


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


def files_at(paths: Iterable[Path]) -> list[Path]:
    """Files, and for a folder those below it whose names are those of patterns, sorted.

    Raises
    ------
    DiffsymError
        If a folder has none.
    """
    return [file for path in paths for file in (patterns_below(path) if path.is_dir() else [path])]


def patterns_below(folder: Path) -> list[Path]:
    """Files below a folder whose names are those of patterns, sorted; DiffsymError without any."""
    files = sorted(
        file
        for file in folder.rglob("*")
        if pattern_suffix(file.name) in SUFFIXES and not file.is_dir()
    )
    if not files:
        raise DiffsymError(
            f"{folder}: no file of a pattern ({', '.join(SUFFIXES)}) is there, or none that may be "
            "read; correct the path, or name the files themselves"
        )
    return files
