"""From the asymmetric unit to all sites of the cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffsym.structures.entries import OCCUPANCY_DECIMALS, Mixture
from diffsym.structures.operations import SymmetryOperations, wrap

SAME_POINT = 1e-6
"""Fractional coordinates this close are one point; only rounding of doubles lies between."""

ON_POSITION = 1e-3
"""An atom this close (A) to a special position lies on it; its images coincide."""


def nearest_images(points: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors (m, 3) from `origin` to the lattice translate of each point in the cell around it."""
    difference = points - origin
    return difference - np.rint(difference)


def images_near(
    point: NDArray[np.float64],
    operations: SymmetryOperations,
    lattice: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.bool_]:
    """Mask (m,) of the operations that bring a point back within `tolerance` (A)."""
    vectors = nearest_images(operations.images(point), point)
    near: NDArray[np.bool_] = np.linalg.norm(vectors @ lattice, axis=1) < tolerance
    return near


def multiplicity(
    point: NDArray[np.float64], operations: SymmetryOperations, lattice: NDArray[np.float64]
) -> float:
    """Number of atoms that an atom of the asymmetric unit stands for, nothing merged."""
    near = images_near(point, operations, lattice, ON_POSITION)
    return len(near) / int(near.sum())


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
    if len(operations.rotations) == 1:
        return point
    close = images_near(point, operations, lattice, tolerance)
    vectors = nearest_images(operations.images(point), point)
    special = point + vectors[close].mean(axis=0)
    fixed = np.abs(nearest_images(operations.images(special), special)).max(axis=1) < SAME_POINT
    return special if np.array_equal(fixed, close) else point


def orbit(point: NDArray[np.float64], operations: SymmetryOperations) -> NDArray[np.float64]:
    """Distinct images (multiplicity, 3) of a point inside the cell, in the operations' order."""
    images = operations.images(point)
    if len(images) == 1:
        return wrap(images)
    same = np.ones((len(images), len(images)), dtype=bool)
    for coordinates in images.T:
        difference = coordinates[:, None] - coordinates
        same &= np.abs(difference - np.rint(difference)) < SAME_POINT
    first = same.argmax(axis=1) == np.arange(len(images))
    return wrap(images[first])


def places_near(
    images: NDArray[np.float64],
    places: NDArray[np.float64],
    lattice: NDArray[np.float64],
    tolerance: float,
) -> list[int]:
    """Indices of the places (k, 3) that lie within about `tolerance` (A) of an image (m, 3)."""
    vectors = nearest_images(images[None, :], places[:, None])
    distances = np.linalg.norm(vectors @ lattice, axis=2)
    found: list[int] = np.flatnonzero((distances < 1.01 * tolerance).any(axis=1)).tolist()
    return found


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


@dataclass
class SharedSite:
    """Atoms of the asymmetric unit that turned out to share one position.

    Attributes
    ----------
    images
        (multiplicity, 3) sites of the first atom.
    positions
        Position of each atom near the first image.
    species
        Atomic number and occupancy of each atom.
    """

    images: NDArray[np.float64]
    positions: list[NDArray[np.float64]]
    species: list[tuple[int, float]]


def expand_asymmetric_unit(
    points: NDArray[np.float64],
    species: list[tuple[int, float]],
    operations: SymmetryOperations,
    lattice: NDArray[np.float64],
    *,
    tolerance: float,
    occupancy_tolerance: float = 0.05,
) -> tuple[NDArray[np.float64], list[Mixture]]:
    """Apply the symmetry operations, merge coincident images and join species that share a site.

    Images of one atom closer than `tolerance` become one site at their mean. If they coincide, or
    if the occupancy is so high that they cannot be alternatives, they are one atom on a special
    position, which rounding displaced. If they are alternatives (a split position), their
    occupancies add up.

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
        Distance in A below which images are merged, and below which two atoms with orbits of
        equal size share a site.
    occupancy_tolerance
        Error of a sum of occupancies.

    Returns
    -------
    tuple
        Fractional coordinates (m, 3) of all sites of the cell, and the mixture on each.
    """
    shared: list[SharedSite] = []
    first_positions = np.empty((len(points), 3))
    for point, (number, occupancy) in zip(points, species, strict=True):
        special = move_to_special_position(point, operations, lattice, tolerance)
        images = orbit(special, operations)
        merged = occupancy * multiplicity(point, operations, lattice) / len(images)
        occupant = (number, merged if merged <= 1 + occupancy_tolerance else occupancy)
        near = places_near(images, first_positions[: len(shared)], lattice, tolerance)
        for site in (shared[index] for index in near):
            vectors = nearest_images(images, site.positions[0])
            distances = np.linalg.norm(vectors @ lattice, axis=1)
            nearest = int(distances.argmin())
            if distances[nearest] < tolerance and len(images) == len(site.images):
                site.positions.append(site.positions[0] + vectors[nearest])
                site.species.append(occupant)
                break
        else:
            first_positions[len(shared)] = special
            shared.append(SharedSite(images, [special], [occupant]))

    coordinates: list[NDArray[np.float64]] = [np.empty((0, 3))]
    mixtures: list[Mixture] = []
    for site in shared:
        mixture = mix(site.species)
        if mixture:
            mean = np.mean(site.positions, axis=0)
            special = move_to_special_position(mean, operations, lattice, tolerance)
            images = orbit(special, operations)
            coordinates.append(images)
            mixtures.extend([mixture] * len(images))
    return np.concatenate(coordinates), mixtures
