"""The lines of every structure: one pass of physics that all powder-type descriptors share."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.descriptors.cells import cells_of, conventional_lattices
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import Floats, Integers


def compute(
    structures: pa.Table,
    *,
    d_star_min: float,
    d_star_max: float,
    radiation: str,
    preferred_axis: Sequence[int] | None = None,
) -> pa.Table:
    """Lines of every structure.

    Parameters
    ----------
    structures
        Rows of the structures table.
    d_star_min, d_star_max
        Range of 1/d, 1/A.
    radiation
        "xray" or "electron".
    preferred_axis
        h, k, l of a lattice plane of the standard conventional cell. Lines are split by the angle
        of their reflections to its normal. None: lines are whole.

    Returns
    -------
    pa.Table
        The documented reflections table, rows as in `structures`. Atoms are at rest: descriptors
        apply their displacement factor themselves. A structure with impossible coordinates has no
        line; descriptors reject it.
    """
    axes = (
        None
        if preferred_axis is None
        else plane_normals(conventional_lattices(structures), preferred_axis)
    )
    lines = powder_reflections(
        cells_of(structures),
        d_star_min=d_star_min,
        d_star_max=d_star_max,
        radiation=radiation,
        axes=axes,
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
