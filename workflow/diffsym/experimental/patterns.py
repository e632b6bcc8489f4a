"""Sets of measured powder patterns as one table, each pattern checked.

A set is a folder or an archive:

- a folder with an index `patterns.csv`: the column `file` names text files of two columns, 2theta
  in degrees and intensity (text after # is a comment); the columns `space_group`,
  `primitive_volume` (A^3) and `wavelength` (A) may be there and may be empty;
- a NumPy archive (`.npz`) with the arrays `two_theta` (m,), `intensity` (n, m) and, if known,
  `space_group`, `primitive_volume` and `pattern_id` (n,).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.scattering.types import Radiation, Wavelength
from diffsym.tables import MEASURED, rejected_table

INDEX = "patterns.csv"
# What may be known of a pattern's crystal.
LABELS = ("space_group", "primitive_volume")


@dataclass(frozen=True)
class MeasuredPattern:
    """One pattern of a set as it was read.

    Attributes
    ----------
    name
        Identifier within the set.
    two_theta, intensity
        Angles, degrees, and counts, of the same length.
    space_group, primitive_volume
        Number, and A^3; None where they are unknown.
    wavelength
        A; or (wavelength, weight) of several lines.
    """

    name: str
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    space_group: float | None
    primitive_volume: float | None
    wavelength: Wavelength


def read_patterns(
    name: str, path: str | Path, *, wavelength: Wavelength, exclude: Sequence[str] = ()
) -> tuple[pa.Table, pa.Table]:
    """Read and check a set.

    Parameters
    ----------
    name
        Name of the set, with which identifiers begin.
    path
        Folder or archive.
    wavelength
        Of patterns that do not come with their own.
    exclude
        Identifiers within the set of patterns not to use, for example after an audit.

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
    read = _from_archive(path, wavelength) if path.is_file() else _from_folder(path, wavelength)
    rows: list[MeasuredPattern] = []
    rejected: list[tuple[str, str, str]] = []
    first_with: dict[bytes, str] = {}
    names: set[str] = set()
    for entry, pattern in read:
        names.add(entry)
        verdict = (
            ("excluded", "the configuration excludes this pattern")
            if entry in exclude
            else _verdict(pattern, first_with)
        )
        if verdict is None and isinstance(pattern, MeasuredPattern):
            rows.append(pattern)
        elif verdict is not None:
            rejected.append((f"{name}:{entry}", *verdict))
    if unknown := sorted(set(exclude) - names):
        raise DiffsymError(
            f"measured.{name}.exclude: {path} has no pattern '{unknown[0]}'; remove it"
        )
    if not rows:
        raise DiffsymError(f"measured.{name}.path: {path} holds no usable pattern")
    return _measured_table(name, rows), rejected_table(rejected, stage="measured")


def _from_archive(
    path: Path, wavelength: Wavelength
) -> Iterator[tuple[str, MeasuredPattern | str]]:
    """Patterns of a NumPy archive."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise DiffsymError(f"{path}: not a NumPy archive ({error}); give a .npz file") from None
    for key in ("two_theta", "intensity"):
        if key not in arrays:
            raise DiffsymError(f"{path}: the array {key} is missing; add it to the archive")
    two_theta, intensity = arrays["two_theta"], arrays["intensity"]
    n = len(intensity)
    labels = {key: arrays.get(key, np.full(n, np.nan)) for key in LABELS}
    names = arrays.get("pattern_id", np.arange(n))
    sizes = {len(values) for values in (*labels.values(), names)}
    if intensity.shape != (n, len(two_theta)) or sizes != {n}:
        raise DiffsymError(
            f"{path}: intensity must be (n, m) for the m angles of two_theta, and all other arrays "
            f"(n,); intensity is {intensity.shape} for {len(two_theta)} angles"
        )
    for row, entry in enumerate(names.astype(str)):
        yield (
            entry,
            MeasuredPattern(
                name=entry,
                two_theta=two_theta.astype(float),
                intensity=intensity[row].astype(float),
                wavelength=wavelength,
                **{key: _known(values[row]) for key, values in labels.items()},
            ),
        )


def _from_folder(path: Path, wavelength: Wavelength) -> Iterator[tuple[str, MeasuredPattern | str]]:
    """Patterns named by the index of a folder; for a broken one, the reason instead."""
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
    own_wavelengths = columns.pop("wavelength")
    for row, file in enumerate(files):
        try:
            values = pd.read_csv(
                path / file, sep=r"[\s,;]+", comment="#", header=None, engine="python", dtype=float
            )
            two_theta, intensity = values[0].to_numpy(), values[1].to_numpy()
        except (OSError, ValueError, KeyError) as error:
            yield file, f"not two columns of numbers, 2theta and intensity ({error})"
            continue
        yield (
            file,
            MeasuredPattern(
                name=file,
                two_theta=two_theta,
                intensity=intensity,
                wavelength=_known(own_wavelengths[row]) or wavelength,
                **{key: _known(column[row]) for key, column in columns.items()},
            ),
        )


def _known(value: float) -> float | None:
    """A number, or None for what is not given: NaN or 0."""
    return None if np.isnan(value) or value == 0 else float(value)


def _verdict(
    pattern: MeasuredPattern | str, first_with: dict[bytes, str]
) -> tuple[str, str] | None:
    """Code and sentence why a pattern cannot be used, or None; `first_with` is kept up to date.

    For a pattern that could not be read, the sentence is given in its place.
    """
    if isinstance(pattern, str):
        return "unreadable", pattern
    try:
        check_pattern(pattern.two_theta, pattern.intensity, Radiation.of(pattern.wavelength))
    except DiffsymError as error:
        return "pattern", str(error)
    if pattern.space_group is not None and pattern.space_group not in range(1, 231):
        return "space_group", (
            f"there is no space group {pattern.space_group:g}; give 1 to 230 or nothing"
        )
    first = first_with.setdefault(
        hashlib.sha256(pattern.intensity.tobytes()).digest(), pattern.name
    )
    if first != pattern.name:
        return "duplicate", f"the intensities are those of {first}"
    return None


def _measured_table(name: str, patterns: Sequence[MeasuredPattern]) -> pa.Table:
    radiations = [Radiation.of(pattern.wavelength) for pattern in patterns]
    return pa.table(
        {
            "pattern_id": [f"{name}:{pattern.name}" for pattern in patterns],
            "space_group": [pattern.space_group for pattern in patterns],
            "primitive_volume": [pattern.primitive_volume for pattern in patterns],
            "wavelengths": [radiation.wavelengths for radiation in radiations],
            "weights": [radiation.shares for radiation in radiations],
            "two_theta": [pattern.two_theta for pattern in patterns],
            "intensity": [pattern.intensity.astype(np.float32) for pattern in patterns],
        },
        schema=MEASURED,
    )
