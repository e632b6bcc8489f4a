"""A NumPy archive (`.npz`) with all patterns of a set."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.base import MeasuredPattern, known

# What may be known of a pattern's crystal.
LABELS = ("space_group", "primitive_volume")


def read_archive(path: Path) -> Iterator[tuple[str, MeasuredPattern]]:
    """Patterns by their identifiers, from the arrays that docs/measured.md describes."""
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
                two_theta=two_theta.astype(float),
                intensity=intensity[row].astype(float),
                **{key: known(values[row]) for key, values in labels.items()},
            ),
        )
