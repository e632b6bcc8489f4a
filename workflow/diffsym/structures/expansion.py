"""From the asymmetric unit to all sites of the cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffsym.structures.entries import OCCUPANCY_DECIMALS, Mixture

SAME_POINT = 1e-6
"""Fractional coordinates this close are one point; only rounding of doubles lies between."""


@dataclass(frozen=True)
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


def nearest_images(points: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors (m, 3) from `origin` to the lattice translate of each point in the cell around it."""
    difference = points - origin
    return difference - np.rint(difference)


def move_to_special_position(
    point: NDArray[np.float64],
    operations: SymmetryOperations,
    lattice: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Move a point onto the special position from which only rounding separates it.

    Operations that bring a point back within `tolerance` (A) are taken to fix it; the mean of
    those images is fixed by them exactly. Where they do not form the stabiliser of the mean (the
    tolerance is larger than the distance of two special positions) the point stays.
    """
    vectors = nearest_images(operations.images(point), point)
    close = np.linalg.norm(vectors @ lattice, axis=1) < tolerance
    special = point + vectors[close].mean(axis=0)
    fixed = np.abs(nearest_images(operations.images(special), special)).max(axis=1) < SAME_POINT
    return special if np.array_equal(fixed, close) else point


def orbit(point: NDArray[np.float64], operations: SymmetryOperations) -> NDArray[np.float64]:
    """Distinct images (multiplicity, 3) of a point inside the cell, in the operations' order."""
    images = operations.images(point)
    difference = images[:, None] - images[None, :]
    same = np.abs(difference - np.rint(difference)).max(axis=2) < SAME_POINT
    first = same.argmax(axis=1) == np.arange(len(images))
    return images[first] % 1.0


def mix(species: list[tuple[int, float]]) -> Mixture:
    """Add the occupancies of equal elements on one site and sort by atomic number."""
    total: dict[int, float] = {}
    for number, occupancy in species:
        total[number] = total.get(number, 0.0) + occupancy
    return tuple(
        (number, round(occupancy, OCCUPANCY_DECIMALS))
        for number, occupancy in sorted(total.items())
        if round(occupancy, OCCUPANCY_DECIMALS) > 0
    )


def expand_asymmetric_unit(
    points: NDArray[np.float64],
    species: list[tuple[int, float]],
    operations: SymmetryOperations,
    lattice: NDArray[np.float64],
    tolerance: float,
) -> tuple[NDArray[np.float64], list[Mixture]]:
    """Apply the symmetry operations, merge coincident images and join species that share a site.

    Parameters
    ----------
    points
        (n, 3) fractional coordinates of the asymmetric unit.
    species
        Atomic number and occupancy of each.
    operations
        Of the space group, in the setting of the coordinates.
    lattice
        (3, 3) rows in A.
    tolerance
        In A. Images of one atom closer than this are one atom on a special position (their mean
        is taken); two atoms closer than this with orbits of equal size share their site.

    Returns
    -------
    tuple
        Fractional coordinates (m, 3) of all sites of the cell, and the mixture on each.
    """
    shared: list[tuple[list[NDArray[np.float64]], list[tuple[int, float]]]] = []
    for point, occupant in zip(points, species, strict=True):
        special = move_to_special_position(point, operations, lattice, tolerance)
        images = orbit(special, operations)
        for positions, occupants in shared:
            vectors = nearest_images(images, positions[0])
            distances = np.linalg.norm(vectors @ lattice, axis=1)
            nearest = int(distances.argmin())
            same_size = len(orbit(positions[0], operations)) == len(images)
            if distances[nearest] < tolerance and same_size:
                positions.append(positions[0] + vectors[nearest])
                occupants.append(occupant)
                break
        else:
            shared.append(([special], [occupant]))

    coordinates: list[NDArray[np.float64]] = []
    mixtures: list[Mixture] = []
    for positions, occupants in shared:
        mean = np.mean(positions, axis=0)
        images = orbit(move_to_special_position(mean, operations, lattice, tolerance), operations)
        mixture = mix(occupants)
        if mixture:
            coordinates.append(images)
            mixtures.extend([mixture] * len(images))
    return np.concatenate(coordinates) if coordinates else np.empty((0, 3)), mixtures
