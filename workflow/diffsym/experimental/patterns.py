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

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from diffsym.errors import DiffsymError
from diffsym.experimental.index import INDEX, indexed_patterns
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.archive import read_archive
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable
from diffsym.experimental.sets import Member, ReadSet, check_set
from diffsym.files import readable
from diffsym.scattering.types import Wavelength
from diffsym.settings.measured.patterns import MeasuredPatterns
from diffsym.settings.measured.readers import SUFFIXES, pattern_suffix


def read_set(name: str, path: Path, settings: MeasuredPatterns) -> ReadSet:
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
    ReadSet
        Rejected are the excluded patterns, broken rows of the index, files and patterns, and those
        with the same intensities as another pattern of the set.

    Raises
    ------
    DiffsymError
        If there is no such set, its index or arrays are not as documented, an excluded name is
        not in it, or no pattern is left.
    """
    members = (
        Member(entry, _with_wavelength(pattern, settings.wavelength))
        for entry, pattern in _patterns_at(path)
    )
    return check_set(name, str(path), members, settings.exclude, {})


def read_patterns(
    name: str, path: str | Path, settings: MeasuredPatterns
) -> tuple[pa.Table, pa.Table]:
    """The tables of a set, without its record: patterns, and what was rejected."""
    found = read_set(name, Path(path), settings)
    return found.patterns, found.rejected


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
