"""The reflections table as the arrays that the kernels take."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def flat_lines(
    reflections: pa.Table,
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]]:
    """d* and intensity of all lines behind one another, and where each structure's begin."""
    counts = pc.list_value_length(reflections["d_star"]).to_numpy()
    return (
        pc.list_flatten(reflections["d_star"]).to_numpy(),
        pc.list_flatten(reflections["intensity"]).to_numpy(),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
    )


def flat_axis_cosines(reflections: pa.Table) -> NDArray[np.float32] | None:
    """|cos| of the angle of all lines to the preferred axis; None if the table has no axis."""
    column = reflections["axis_cosine"]
    return None if column.null_count else pc.list_flatten(column).to_numpy()
