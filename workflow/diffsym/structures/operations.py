"""Symmetry operations on fractional coordinates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
