"""Sets of measured powder patterns as one table, each pattern checked.

A set is a folder or an archive:

- a folder with an index `patterns.csv`: the column `file` names files of patterns, in a format of
  `diffsym.experimental.readers`; the columns `space_group`, `primitive_volume` (A^3), `wavelength`
  (A), `scan`, `unit` and `comment` may be there and may be empty;
- a folder without an index: each file with a suffix of the readers, packed or not, is a pattern,
  without a label;
- a NumPy archive (`.npz`) with the arrays `two_theta` (m,), `intensity` (n, m) and, if known,
  `space_group`, `primitive_volume`, `wavelength`, `pattern_id` and `comment` (n,).
"""

import hashlib
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.index import INDEX, indexed_patterns
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.archive import read_archive
from diffsym.experimental.readers.assembly import scan_told
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable
from diffsym.files import readable
from diffsym.scattering.types import Radiation, Wavelength
from diffsym.settings.measured.patterns import MeasuredPatterns
from diffsym.settings.measured.readers import SUFFIXES, pattern_suffix
from diffsym.tables import MEASURED, rejected_table

logger = logging.getLogger(__name__)

# So many reasons are told if no pattern is left.
REASONS_TOLD = 3


def read_patterns(
    name: str, path: str | Path, settings: MeasuredPatterns
) -> tuple[pa.Table, pa.Table]:
    """Read and check a set.

    Parameters
    ----------
    name
        Name of the set, with which identifiers begin.
    path
        Folder or archive.
    settings
        The wavelength of patterns that do not come with their own, and the identifiers within the
        set of patterns not to use.

    Returns
    -------
    patterns, rejected
        The documented measured table, and the rejected table: with the excluded patterns, broken
        rows of the index, files and patterns, and those with the same intensities as another
        pattern of the set. An identifier that comes again gets a number: `name (2)`.

    Raises
    ------
    DiffsymError
        If there is no such set, its index or arrays are not as documented, an excluded name is
        not in it, or no pattern is left.
    """
    path = Path(path)
    rows: list[tuple[str, MeasuredPattern]] = []
    rejected: list[tuple[str, str, str]] = []
    first_with: dict[bytes, str] = {}
    names: set[str] = set()
    for given, read in _patterns_at(path):
        entry = _new_name(given, names)
        names.add(entry)
        pattern = _with_wavelength(read, settings.wavelength)
        verdict = (
            ("excluded", "the configuration excludes this pattern")
            if not {given, entry}.isdisjoint(settings.exclude)
            else _verdict(entry, pattern, first_with)
        )
        if verdict is None and isinstance(pattern, MeasuredPattern):
            rows.append((entry, pattern))
            _log(entry, pattern)
        elif verdict is not None:
            rejected.append((entry, *verdict))
    if unknown := sorted(set(settings.exclude) - names):
        raise DiffsymError(
            f"measured.{name}.exclude: {path} has no pattern '{unknown[0]}'; remove it"
        )
    if not rows:
        raise DiffsymError(
            f"measured.{name}.path: {path} holds no usable pattern{_reasons(rejected)}"
        )
    rejections = [(f"{name}:{entry}", code, reason) for entry, code, reason in rejected]
    return _measured_table(name, rows), rejected_table(rejections, stage="measured")


def _new_name(name: str, names: Collection[str]) -> str:
    """The name, with the first number behind it that makes it different from all others."""
    new, number = name, 1
    while new in names:
        number += 1
        new = f"{name} ({number})"
    return new


def _reasons(rejected: Sequence[tuple[str, str, str]]) -> str:
    """The first reasons, for the end of a sentence."""
    told = [f"; {entry}: {reason}" for entry, _, reason in rejected[:REASONS_TOLD]]
    more = len(rejected) - len(told)
    return "".join(told) + (f"; and {more} more" if more else "")


def _log(name: str, pattern: MeasuredPattern) -> None:
    """Tell what was repaired, and that there are more scans than the one that was read."""
    for told in (*pattern.repairs, *scan_told(pattern.scans, pattern.scan)):
        logger.warning("%s: %s", name, told)


def _patterns_at(path: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns by their names within the set."""
    if path.is_file():
        return read_archive(path)
    if (path / INDEX).exists():
        return indexed_patterns(path)
    return _of_files(path)


def _of_files(path: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns in the files of a folder without an index."""
    files = sorted(file for file in path.rglob("*") if pattern_suffix(file.name) in SUFFIXES)
    if not files:
        raise DiffsymError(
            f"{path}: neither {INDEX} nor a file of a pattern ({', '.join(SUFFIXES)}) is there; "
            "correct the path or add files"
        )
    for file in files:
        yield readable(file.relative_to(path).as_posix()), read_pattern(file)


def _with_wavelength(
    pattern: MeasuredPattern | Unreadable, wavelength: Wavelength
) -> MeasuredPattern | Unreadable:
    """The pattern with a wavelength in any case."""
    if isinstance(pattern, Unreadable) or pattern.wavelength is not None:
        return pattern
    return replace(pattern, wavelength=wavelength)


def _verdict(
    name: str, pattern: MeasuredPattern | Unreadable, first_with: dict[bytes, str]
) -> tuple[str, str] | None:
    """Code and sentence why a pattern cannot be used, or None; `first_with` is kept up to date."""
    if isinstance(pattern, Unreadable):
        return pattern.code, pattern.reason
    try:
        radiation = Radiation.of(cast("Wavelength", pattern.wavelength))
        check_pattern(pattern.two_theta, pattern.intensity, radiation)
    except DiffsymError as error:
        return "pattern", str(error)
    first = first_with.setdefault(hashlib.sha256(pattern.intensity.tobytes()).digest(), name)
    if first != name:
        return "duplicate", f"the intensities are those of {first}"
    return None


def _measured_table(name: str, rows: Sequence[tuple[str, MeasuredPattern]]) -> pa.Table:
    patterns = [pattern for _, pattern in rows]
    radiations = [Radiation.of(cast("Wavelength", pattern.wavelength)) for pattern in patterns]
    return pa.table(
        {
            "pattern_id": [f"{name}:{entry}" for entry, _ in rows],
            "space_group": [pattern.space_group for pattern in patterns],
            "primitive_volume": [pattern.primitive_volume for pattern in patterns],
            "wavelengths": [radiation.wavelengths for radiation in radiations],
            "weights": [radiation.shares for radiation in radiations],
            "two_theta": [pattern.two_theta for pattern in patterns],
            "intensity": [pattern.intensity.astype(np.float32) for pattern in patterns],
        },
        schema=MEASURED,
    )
