"""Space groups: determined by spglib from the sites, and declared through operations."""

import numpy as np
import spglib

from diffsym.structures.entries import Entry
from diffsym.structures.operations import SymmetryOperations

spglib.error.OLD_ERROR_HANDLING = False  # raise SpglibError, the default from spglib 3 on


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
