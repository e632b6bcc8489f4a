"""The lines of every structure: one pass of physics that all powder-type descriptors share."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.descriptors.cells import cells_of, conventional_lattices
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import Floats, Integers
from diffsym.settings.reflections import Reflections


def compute(structures: pa.Table, settings: Reflections) -> pa.Table:
    """Lines of every structure.

    Parameters
    ----------
    structures
        Rows of the structures table.
    settings
        With a `preferred_axis`, lines are split by the angle of their reflections to its normal.

    Returns
    -------
    pa.Table
        The documented reflections table, rows as in `structures`. Atoms are at rest: descriptors
        apply their displacement factor themselves. A structure with impossible coordinates has no
        line; descriptors reject it.
    """
    plane = settings.preferred_axis
    lines = powder_reflections(
        cells_of(structures),
        d_star_min=settings.d_star_min,
        d_star_max=settings.d_star_max,
        radiation=settings.radiation,
        axes=None if plane is None else plane_normals(conventional_lattices(structures), plane),
    )
    return pa.table(
        {
            "structure_id": structures["structure_id"],
            "d_star": _lists(lines.offsets, lines.d_star),
            "intensity": _lists(lines.offsets, lines.intensity.astype(np.float32)),
            "axis_cosine": (
                pa.nulls(structures.num_rows, pa.list_(pa.float32()))
                if lines.axis_cosine is None
                else _lists(lines.offsets, lines.axis_cosine.astype(np.float32))
            ),
        }
    )


def plane_normals(lattices: Floats, hkl: Sequence[int]) -> Floats:
    """Normal h a* + k b* + l c* of the planes hkl of each lattice, Cartesian, 1/A, (s, 3)."""
    return np.matmul(np.linalg.inv(lattices), np.array(hkl, dtype=np.float64))


def _lists(offsets: Integers, values: NDArray[np.floating]) -> pa.ListArray:
    """Values of all lines behind one another as an Arrow column."""
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))
