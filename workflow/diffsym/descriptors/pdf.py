"""The normalised pair distribution function of Liu et al. (2019), Acta Cryst. A75, 633."""

import math

import numpy as np
import pyarrow as pa

from diffsym.descriptors.cells import cells_of
from diffsym.descriptors.described import Described
from diffsym.scattering import pdf, srreal
from diffsym.scattering.types import Floats
from diffsym.settings.descriptors.pdf import Pdf


def axis(settings: Pdf) -> Floats:
    """Position of each value of the descriptor: multiples of the step of distance r, A.

    With the default step pi / q_max, the Nyquist step, and Liu et al.'s limits 1.5 and 30 A these
    are their 209 points.
    """
    step = math.pi / settings.q_max if settings.r_step is None else settings.r_step
    first = math.ceil(settings.r_min / step - 1e-9)
    last = math.floor(settings.r_max / step + 1e-9)
    return step * np.arange(first, last + 1, dtype=np.float64)


def compute(structures: pa.Table, settings: Pdf) -> Described:
    """Descriptor X of every row of the structures table.

    Returns
    -------
    Described
        (n, m) X = (G - min G) / (max G - min G), Liu et al., equation (4), in single precision. The
        values of a structure that has no descriptor are NaN.
    """
    r = axis(settings)
    if structures.num_rows == 0:
        return Described(np.empty((0, len(r)), dtype=np.float32), [])
    cells = cells_of(structures)
    kernel = srreal if settings.engine == "srreal" else pdf
    functions = kernel.pair_distribution_functions(
        cells,
        r,
        q_min=settings.q_min,
        q_max=settings.q_max,
        u_iso=settings.u_iso,
        q_damp=settings.q_damp,
        q_broad=settings.q_broad,
    )
    values = normalise(functions).astype(np.float32)
    failures = [
        (
            int(row),
            cells.impossibility(int(row))
            or "its pair distribution function is constant or not finite",
        )
        for row in np.flatnonzero(~np.isfinite(values).all(axis=1))
    ]
    return Described(values, failures)


def normalise(functions: Floats) -> Floats:
    """Stretch each row to 0 ... 1 (Liu et al., equation 4); a constant row becomes NaN."""
    lowest = functions.min(axis=1, keepdims=True)
    spread = functions.max(axis=1, keepdims=True) - lowest
    return (functions - lowest) / np.where(spread > 0, spread, np.nan)
