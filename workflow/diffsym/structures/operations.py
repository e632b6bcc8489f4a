"""Symmetry operations on fractional coordinates."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

METRIC_TOLERANCE = 2e-3
"""Relative change of the metric under a rotation above which a cell has not that symmetry."""

LOOSE_METRIC = 2e-2
"""A cell that deviates by more (relative) from the symmetry of its own operations is wrong."""


@dataclass(frozen=True, eq=False)
class SymmetryOperations:
    """The operations of a space group in one setting: x -> rotation x + translation.

    Attributes
    ----------
    rotations
        (m, 3, 3) integers, acting on column vectors of fractional coordinates.
    translations
        (m, 3).
    """

    rotations: NDArray[np.float64]
    translations: NDArray[np.float64]

    def images(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """All images (m, 3) of a point (3,)."""
        return self.rotations @ point + self.translations


def wrap(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move fractional coordinates into [0, 1)."""
    inside = coordinates % 1.0
    inside[inside >= 1.0] = 0.0  # the remainder of a tiny negative number rounds to 1
    return inside


def fits_metric(
    operations: SymmetryOperations,
    lattice: NDArray[np.float64],
    tolerance: float = METRIC_TOLERANCE,
) -> bool:
    """Whether a cell (rows in A) has the symmetry of the rotations."""
    metric = lattice @ lattice.T
    turned = np.einsum("nki,kl,nlj->nij", operations.rotations, metric, operations.rotations)
    lengths = np.sqrt(np.diag(metric))
    return bool((np.abs(turned - metric) <= tolerance * np.outer(lengths, lengths)).all())


# The entries of a database share few lists of operations.
@lru_cache(maxsize=1024)
def form_group(operations: SymmetryOperations) -> bool:
    """Whether the product of any two operations is one of them, up to lattice translations."""
    rotations = np.rint(operations.rotations).astype(np.int64)
    if len(rotations) == 1:
        return bool((rotations[0] == np.eye(3)).all())
    products = np.einsum("aij,bjk->abik", rotations, rotations)
    shifts = np.einsum("aij,bj->abi", operations.rotations, operations.translations)
    shifts = (shifts + operations.translations[:, None]).reshape(-1, 3)
    codes = rotation_codes(rotations)
    order = np.argsort(codes, kind="stable")
    present: dict[int, list[NDArray[np.float64]]] = {}
    for index in order:
        present.setdefault(int(codes[index]), []).append(operations.translations[index])
    wanted = rotation_codes(products.reshape(-1, 3, 3))
    for code in np.unique(wanted):
        known = np.array(present.get(int(code), np.empty((0, 3))))
        difference = shifts[wanted == code][:, None] - known[None]
        close = np.abs(difference - np.rint(difference)).max(axis=2) < 2e-3
        if not close.any(axis=1).all():
            return False
    return True


def rotation_codes(rotations: NDArray[np.int64]) -> NDArray[np.int64]:
    """One integer for each rotation matrix (entries -2 ... 2)."""
    weights = 5 ** np.arange(9)
    codes: NDArray[np.int64] = (rotations.reshape(-1, 9) + 2) @ weights
    return codes
