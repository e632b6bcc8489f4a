"""Standard conventional and primitive cells from the result of spglib."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import spglib
from numpy.typing import NDArray

from diffsym.structures.entries import Mixture
from diffsym.structures.operations import wrap

PRIMITIVE_BASES: dict[str, NDArray[np.float64]] = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 0.5, -0.5], [0, 0.5, 0.5]]),
    "C": np.array([[0.5, 0.5, 0], [-0.5, 0.5, 0], [0, 0, 1]]),
    "I": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    "F": np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "R": np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3,
}
"""Columns: the primitive basis vectors in terms of the conventional ones, by centring (the
transformation matrices of spglib's documentation)."""


@dataclass(frozen=True)
class Cell:
    """Sites of a cell.

    Attributes
    ----------
    lattice
        (3, 3) row vectors in A.
    frac_coords
        (n, 3).
    site_mixtures
        (n,) index of the mixture on each site.
    site_orbits
        (n,) index, within the cell, of the first site of the same symmetry orbit.
    site_letters
        (n,) Wyckoff letter of each site.
    """

    lattice: NDArray[np.float64]
    frac_coords: NDArray[np.float64]
    site_mixtures: NDArray[np.intp]
    site_orbits: NDArray[np.intp]
    site_letters: NDArray[np.str_]

    @property
    def volume(self) -> float:
        """Volume in A^3."""
        return float(abs(np.linalg.det(self.lattice)))


def conventional_cell(symmetry: spglib.SpglibDataset) -> Cell:
    """The conventional cell in spglib's standard setting, atoms moved to their symmetry."""
    # Sites of the input and of the standard cell meet in the primitive cell.
    _, input_site = np.unique(symmetry.mapping_to_primitive, return_index=True)
    source_site = input_site[symmetry.std_mapping_to_primitive]
    return Cell(
        lattice=np.asarray(symmetry.std_lattice),
        frac_coords=wrap(np.asarray(symmetry.std_positions)),
        site_mixtures=np.asarray(symmetry.std_types, dtype=np.intp),
        site_orbits=first_of_each(np.asarray(symmetry.crystallographic_orbits)[source_site]),
        site_letters=np.asarray(symmetry.wyckoffs)[source_site],
    )


def primitive_cell(symmetry: spglib.SpglibDataset) -> Cell:
    """The primitive cell of the standard conventional cell."""
    conventional = conventional_cell(symmetry)
    basis = PRIMITIVE_BASES[symmetry.international[0]]
    _, sites = np.unique(symmetry.std_mapping_to_primitive, return_index=True)
    coordinates = conventional.frac_coords[sites] @ np.linalg.inv(basis).T
    return Cell(
        lattice=basis.T @ conventional.lattice,
        frac_coords=wrap(coordinates),
        site_mixtures=conventional.site_mixtures[sites],
        site_orbits=first_of_each(conventional.site_orbits[sites]),
        site_letters=conventional.site_letters[sites],
    )


def first_of_each(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Replace each label by the index of its first occurrence."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].astype(np.intp)


@dataclass(frozen=True)
class Scatterers:
    """One entry per site and species of a cell: the columns of the structures table.

    Attributes
    ----------
    atomic_numbers, occupancies
        (m,).
    frac_coords
        (m, 3); the species of a shared site have equal rows.
    orbits
        (m,) index of the first scatterer of the same orbit and species.
    """

    atomic_numbers: NDArray[np.uint8]
    occupancies: NDArray[np.float64]
    frac_coords: NDArray[np.float64]
    orbits: NDArray[np.uint16]


def list_scatterers(cell: Cell, mixtures: Sequence[Mixture]) -> Scatterers:
    """Write out every species of every site."""
    sites = [
        (site, number, occupancy)
        for site, mixture in enumerate(cell.site_mixtures)
        for number, occupancy in mixtures[mixture]
    ]
    site, numbers, occupancies = (np.array(column) for column in zip(*sites, strict=True))
    # One number for each pair of orbit and atomic number (which fits into a byte).
    orbit_and_species = cell.site_orbits[site] * 256 + numbers
    return Scatterers(
        atomic_numbers=numbers.astype(np.uint8),
        occupancies=occupancies.astype(np.float64),
        frac_coords=cell.frac_coords[site],
        orbits=first_of_each(orbit_and_species).astype(np.uint16),
    )
