"""The primitive cells of the structures table as the arrays that the kernels take."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class Cells(NamedTuple):
    """Cells of n structures whose scatterers stand behind one another.

    Attributes
    ----------
    lattices : (n, 3, 3)
        Row vectors, A.
    offsets : (n + 1,)
        First scatterer of each structure, and the number of all.
    atomic_numbers, occupancies, orbits : (m,)
        Of each scatterer; the last is the index within its cell of the first one of its orbit.
    frac_coords : (m, 3)
        Fractional coordinates.
    """

    lattices: NDArray[np.float64]
    offsets: NDArray[np.int64]
    atomic_numbers: NDArray[np.uint8]
    frac_coords: NDArray[np.float64]
    occupancies: NDArray[np.float64]
    orbits: NDArray[np.uint16]


def cells_of(structures: pa.Table) -> Cells:
    """Cells of all rows of a part of the structures table."""

    def flat(name: str) -> NDArray:
        return pc.list_flatten(structures[name]).to_numpy()

    counts = pc.list_value_length(structures["atomic_numbers"]).to_numpy()
    return Cells(
        flat("lattice").reshape(-1, 3, 3),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        flat("atomic_numbers"),
        flat("frac_coords").reshape(-1, 3),
        flat("occupancies"),
        flat("orbits"),
    )


def conventional_lattices(structures: pa.Table) -> NDArray[np.float64]:
    """Standard conventional cells of all rows, row vectors, A, (n, 3, 3).

    They stand in the same Cartesian frame as the primitive cells of `cells_of`.
    """
    return pc.list_flatten(structures["conventional_lattice"]).to_numpy().reshape(-1, 3, 3)
