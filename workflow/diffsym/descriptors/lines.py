"""The reflections table in the form that the kernels take."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.scattering.types import Lines


def lines_of(reflections: pa.Table) -> Lines:
    """Lines of all rows, without cosines if a structure has no preferred axis."""
    counts = pc.list_value_length(reflections["d_star"]).to_numpy()
    cosines = reflections["axis_cosine"]
    return Lines(
        pc.list_flatten(reflections["d_star"]).to_numpy(),
        pc.list_flatten(reflections["intensity"]).to_numpy(),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        None if cosines.null_count else pc.list_flatten(cosines).to_numpy(),
    )
