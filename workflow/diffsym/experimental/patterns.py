"""Sets of measured powder patterns as one table, each pattern checked.

A set is a folder or an archive:

- a folder with an index `patterns.csv`: the column `file` names files of patterns, in a format of
  `diffsym.experimental.readers`; the columns `space_group`, `primitive_volume` (A^3) and
  `wavelength` (A) may be there and may be empty;
- a folder without an index: each file with a suffix of the readers is a pattern, without a label;
- a NumPy archive (`.npz`) with the arrays `two_theta` (m,), `intensity` (n, m) and, if known,
  `space_group`, `primitive_volume` and `pattern_id` (n,).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.archive import LABELS, read_archive
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable, known
from diffsym.scattering.types import Radiation, Wavelength
from diffsym.settings.measured.patterns import MeasuredPatterns
from diffsym.settings.measured.readers import READERS
from diffsym.tables import MEASURED, rejected_table

INDEX = "patterns.csv"


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
        files and patterns, and those with the same intensities as another pattern of the set.

    Raises
    ------
    DiffsymError
        If there is no such set, its index or arrays are not as documented, an excluded name is
        not in it, or no pattern is left.
    """
    path = Path(path)
    # No mapping: an index may name a file twice.
    rows: list[tuple[str, MeasuredPattern]] = []
    rejected: list[tuple[str, str, str]] = []
    first_with: dict[bytes, str] = {}
    names: set[str] = set()
    for entry, read in _patterns_at(path):
        names.add(entry)
        pattern = _with_wavelength(read, settings.wavelength)
        verdict = (
            ("excluded", "the configuration excludes this pattern")
            if entry in settings.exclude
            else _verdict(entry, pattern, first_with)
        )
        if verdict is None and isinstance(pattern, MeasuredPattern):
            rows.append((entry, pattern))
        elif verdict is not None:
            rejected.append((f"{name}:{entry}", *verdict))
    if unknown := sorted(set(settings.exclude) - names):
        raise DiffsymError(
            f"measured.{name}.exclude: {path} has no pattern '{unknown[0]}'; remove it"
        )
    if not rows:
        raise DiffsymError(f"measured.{name}.path: {path} holds no usable pattern")
    return _measured_table(name, rows), rejected_table(rejected, stage="measured")


def _patterns_at(path: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns by their names within the set."""
    if path.is_file():
        return read_archive(path)
    if (path / INDEX).exists():
        return _of_index(path)
    return _of_files(path)


def _of_index(path: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns named by the index of a folder, with what it knows of them."""
    try:
        index = pd.read_csv(path / INDEX, comment="#", dtype={"file": str})
        files = index["file"]
        columns = {
            key: pd.to_numeric(index.get(key, pd.Series(np.nan, index.index)))
            for key in ("wavelength", *LABELS)
        }
    except (OSError, ValueError, KeyError) as error:
        raise DiffsymError(
            f"{path / INDEX}: no index of measured patterns ({error}); write a CSV file with the "
            f"column file and, as numbers or empty, wavelength, {' and '.join(LABELS)}"
        ) from None
    for row, file in enumerate(files):
        pattern = read_pattern(path / file)
        if isinstance(pattern, MeasuredPattern):
            told = {key: known(column[row]) for key, column in columns.items()}
            given: dict[str, Any] = {key: value for key, value in told.items() if value is not None}
            pattern = replace(pattern, **given)
        yield file, pattern


def _of_files(path: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns in the files of a folder without an index."""
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in READERS)
    if not files:
        raise DiffsymError(
            f"{path}: neither {INDEX} nor a file of a pattern ({', '.join(READERS)}) is there; "
            "correct the path or add files"
        )
    for file in files:
        yield file.relative_to(path).as_posix(), read_pattern(file)


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
        return "unreadable", pattern.reason
    try:
        radiation = Radiation.of(cast("Wavelength", pattern.wavelength))
        check_pattern(pattern.two_theta, pattern.intensity, radiation)
    except DiffsymError as error:
        return "pattern", str(error)
    if pattern.space_group is not None and pattern.space_group not in range(1, 231):
        return "space_group", (
            f"there is no space group {pattern.space_group:g}; give 1 to 230 or nothing"
        )
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
