"""Cells of the structures table in the form that the kernels take."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffsym.scattering.types import Cells, Floats


def cells_of(structures: pa.Table) -> Cells:
    """Primitive cells of all rows of a part of the structures table, with their orbits."""
    return _cells(structures, "")


def conventional_cells_of(structures: pa.Table) -> Cells:
    """Standard conventional cells of all rows."""
    return _cells(structures, "conventional_")


def conventional_lattices(structures: pa.Table) -> Floats:
    """Standard conventional cells of all rows, row vectors, A, (n, 3, 3).

    They stand in the same Cartesian frame as the primitive cells of `cells_of`.
    """
    return _flat(structures, "conventional_lattice").reshape(-1, 3, 3)


def _cells(structures: pa.Table, prefix: str) -> Cells:
    counts = pc.list_value_length(structures[f"{prefix}atomic_numbers"]).to_numpy()
    return Cells(
        _flat(structures, f"{prefix}lattice").reshape(-1, 3, 3),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        _flat(structures, f"{prefix}atomic_numbers"),
        _flat(structures, f"{prefix}frac_coords").reshape(-1, 3),
        _flat(structures, f"{prefix}occupancies"),
        None if prefix else _flat(structures, "orbits"),
    )


def _flat(structures: pa.Table, name: str) -> NDArray:
    """Elements of all lists of a column."""
    return pc.list_flatten(structures[name]).to_numpy()
