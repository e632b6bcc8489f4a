"""Space groups: determined by spglib from the sites, and declared through operations."""

from functools import lru_cache

import numpy as np
import spglib
from numpy.typing import NDArray

from diffsym.structures.entries import Entry
from diffsym.structures.operations import SymmetryOperations

spglib.error.OLD_ERROR_HANDLING = False  # raise SpglibError, the default from spglib 3 on

LARGEST_POINT_GROUPS = ("m-3m", "6/mmm")
"""No other point group of a crystal contains one of these."""

SURELY = 4.0
"""Sites nearer, or farther away, than a tolerance by this factor surely coincide, or do not."""


# The entries of a database share few lists of operations.
@lru_cache(maxsize=1024)
def space_group_of_operations(operations: SymmetryOperations) -> int | None:
    """Number of the space group that a list of operations forms, in any setting."""
    try:
        found = spglib.get_spacegroup_type_from_symmetry(
            np.rint(operations.rotations).astype(np.intc), operations.translations
        )
    except spglib.SpglibError:
        return None
    return None if found is None else int(found.number)


def find_symmetry(entry: Entry, symprec: float) -> spglib.SpglibDataset | None:
    """Determine the symmetry of an entry.

    Sites count as equal if they hold the same mixture of species.

    Parameters
    ----------
    entry
        All sites of the cell.
    symprec
        Distance tolerance in A.

    Returns
    -------
    SpglibDataset or None
        None where spglib finds no symmetry at this tolerance.
    """
    cell = (entry.lattice.tolist(), entry.frac_coords.tolist(), entry.site_mixtures.tolist())
    try:
        return spglib.get_symmetry_dataset(cell, symprec=symprec)
    except spglib.SpglibError:
        return None


def space_group_at(
    entry: Entry, found: spglib.SpglibDataset, symprec: float, tolerance: float
) -> int | None:
    """Number of the space group at another tolerance.

    spglib takes most of the time of a structure, above all of a cubic one. It is asked only where
    the answer does not follow from the symmetry that it found already.

    Parameters
    ----------
    entry
        All sites of the cell.
    found
        Its symmetry at `symprec`.
    symprec, tolerance
        Distance tolerances in A.

    Returns
    -------
    int or None
        None where spglib finds no symmetry at this tolerance.
    """
    if tolerance > symprec:
        stays = cannot_grow(entry, found, SURELY * tolerance)
    else:
        stays = tolerance == symprec or deviation(entry, found) < tolerance / SURELY
    if stays:
        return int(found.number)
    other = find_symmetry(entry, tolerance)
    return None if other is None else int(other.number)


def deviation(entry: Entry, found: spglib.SpglibDataset) -> float:
    """Largest distance (A) of a site, or end of a lattice vector, from where symmetry puts it."""
    change = found.transformation_matrix
    lattice = np.linalg.inv(change).T @ entry.lattice @ found.std_rotation_matrix.T
    strain = np.linalg.norm(lattice - found.std_lattice, axis=1).max()
    # Each site is one of those of the standard cell that share its site of the primitive cell.
    site = found.mapping_to_primitive
    standard = np.argsort(found.std_mapping_to_primitive, kind="stable")
    candidates = standard.reshape(site.max() + 1, -1)[site]
    moved = entry.frac_coords @ change.T + found.origin_shift
    vectors = found.std_positions[candidates] - moved[:, None]
    vectors = (vectors - np.rint(vectors)) @ found.std_lattice
    return float(max(strain, np.linalg.norm(vectors, axis=2).min(axis=1).max()))


def cannot_grow(entry: Entry, found: spglib.SpglibDataset, tolerance: float) -> bool:
    """Whether symmetry surely stays as it is when motions need to fit to a tolerance (A) only.

    A group whose point group is the largest one grows only by translations. Where sites would
    coincide, spglib finds no symmetry.
    """
    if found.pointgroup not in LARGEST_POINT_GROUPS:
        return False
    _, sites = np.unique(found.mapping_to_primitive, return_index=True)
    kinds = entry.site_mixtures[sites]
    alike = kinds[:, None] == kinds
    points = entry.frac_coords[sites] @ entry.lattice @ np.linalg.inv(found.primitive_lattice)

    def coincide(shift: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which sites (columns) are at the place and of the kind of a shifted site (rows)."""
        vectors = points[:, None] + shift - points
        vectors = (vectors - np.rint(vectors)) @ found.primitive_lattice
        return alike & (np.linalg.norm(vectors, axis=2) < tolerance)

    if coincide(np.zeros(3)).sum() > len(sites):
        return False
    rarest = np.flatnonzero(kinds == kinds[np.bincount(kinds)[kinds].argmin()])
    translations = points[rarest[1:]] - points[rarest[0]]
    return not any(coincide(shift).any(axis=1).all() for shift in translations)
