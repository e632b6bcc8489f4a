"""A NumPy archive (`.npz`) with all patterns of a set."""

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from diffsym.errors import DiffsymError, nearest
from diffsym.experimental.checks import check_labels
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable

# What may be known of a pattern: arrays of numbers, of which 0 and NaN mean unknown.
LABELS = ("space_group", "primitive_volume", "wavelength")
ARRAYS = ("two_theta", "intensity", *LABELS, "pattern_id", "comment")


def read_archive(path: Path) -> Iterator[tuple[str, MeasuredPattern | Unreadable]]:
    """Patterns by their identifiers, from the arrays that docs/measured.md describes.

    Raises
    ------
    DiffsymError
        If the file is no archive, or an array is unknown, missing, no array of numbers or of the
        wrong shape. Python objects are never loaded.
    """
    arrays = _arrays(path)
    two_theta, intensity = arrays["two_theta"], arrays["intensity"]
    n = intensity.shape[0] if intensity.ndim else 0
    names = arrays.get("pattern_id", np.arange(n))
    labels = {key: arrays[key] for key in LABELS if key in arrays}
    shapes = {values.shape for values in (*labels.values(), names)}
    if intensity.shape != (n, *two_theta.shape) or two_theta.ndim != 1 or shapes != {(n,)}:
        raise DiffsymError(
            f"{path}: intensity must be (n, m) for the m angles of two_theta, and all other arrays "
            f"(n,); intensity is {intensity.shape}, two_theta {two_theta.shape}"
        )
    for row, entry in enumerate(names.astype(str).tolist()):
        told = {key: float(values[row]) for key, values in labels.items()}
        given = {key: value for key, value in told.items() if value and not np.isnan(value)}
        try:
            check_labels(**given)
        except DiffsymError as error:
            yield entry, Unreadable(str(error), "label")
            continue
        yield (
            entry,
            MeasuredPattern(
                two_theta.astype(float),
                intensity[row].astype(float),
                given.get("space_group"),
                given.get("primitive_volume"),
                given.get("wavelength"),
            ),
        )


def _arrays(path: Path) -> Mapping[str, NDArray[np.generic]]:
    """Arrays that are needed or may be there, numbers where they have to be."""
    try:
        stored = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DiffsymError(f"{path}: not a NumPy archive ({error}); give a .npz file") from None
    if not isinstance(stored, NpzFile):
        raise DiffsymError(f"{path}: one array, not a NumPy archive; give a .npz file")
    with stored:
        for key in stored.files:
            if key not in ARRAYS:
                raise DiffsymError(f"{path}: unknown array '{key}'{nearest(key, ARRAYS)}")
        for key in ("two_theta", "intensity"):
            if key not in stored.files:
                raise DiffsymError(f"{path}: the array {key} is missing; add it to the archive")
        return {key: _array(path, stored, key) for key in stored.files if key != "comment"}


def _array(path: Path, stored: NpzFile, key: str) -> NDArray[np.generic]:
    """One array of an archive: of texts or numbers, or of numbers."""
    wanted = "texts or numbers" if key == "pattern_id" else "numbers"
    try:
        values = np.asarray(stored[key])
    except ValueError:  # what is pickled is not loaded
        raise DiffsymError(
            f"{path}: the array {key} holds Python objects, which are not loaded; store {wanted}"
        ) from None
    except (OSError, EOFError, RuntimeError, BadZipFile, zlib.error) as error:
        raise DiffsymError(f"{path}: the array {key} is damaged ({error}); copy it anew") from None
    if values.dtype.kind not in ("biufU" if key == "pattern_id" else "biuf"):
        raise DiffsymError(f"{path}: the array {key} holds {values.dtype}; store {wanted}")
    return values
