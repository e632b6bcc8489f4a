"""The lines of every structure: one pass of physics that all powder-type descriptors share."""

import numpy as np
import pyarrow as pa

from diffsym.descriptors.cells import cells_of
from diffsym.scattering.reflections import powder_reflections_of_many


def compute(
    structures: pa.Table, *, d_star_min: float, d_star_max: float, radiation: str
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

    Returns
    -------
    pa.Table
        The documented reflections table, rows as in `structures`. Atoms are at rest: descriptors
        apply their displacement factor themselves. A structure with impossible coordinates has no
        line; descriptors reject it.
    """
    if structures.num_rows == 0:
        offsets, d_star, intensity = np.zeros(1, np.int64), np.empty(0), np.empty(0)
    else:
        offsets, d_star, intensity = powder_reflections_of_many(
            *cells_of(structures)[:-1],
            d_star_min=d_star_min,
            d_star_max=d_star_max,
            radiation=radiation,
        )
    starts = pa.array(offsets, pa.int32())
    return pa.table(
        {
            "structure_id": structures["structure_id"],
            "d_star": pa.ListArray.from_arrays(starts, pa.array(d_star)),
            "intensity": pa.ListArray.from_arrays(starts, pa.array(intensity.astype(np.float32))),
        }
    )
