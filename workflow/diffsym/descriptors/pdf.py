"""The normalised pair distribution function of Liu et al. (2019), Acta Cryst. A75, 633."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.descriptors.cells import cells_of
from diffsym.scattering import pdf, srreal
from diffsym.scattering.types import Floats


def r_grid(
    *, r_min: float, r_max: float, q_max: float, r_step: float | None = None, **_: Any
) -> Floats:
    """Multiples of the step from `r_min` to `r_max`, A.

    With the default step pi / q_max, the Nyquist step, and Liu et al.'s limits 1.5 and 30 A these
    are their 209 points.
    """
    step = math.pi / q_max if r_step is None else r_step
    first = math.ceil(r_min / step - 1e-9)
    last = math.floor(r_max / step + 1e-9)
    return step * np.arange(first, last + 1, dtype=np.float64)


def axis(**settings: Any) -> Floats:
    """Position of each value of the descriptor: distance r, A."""
    return r_grid(**settings)


def compute(
    structures: pa.Table, *, engine: str, **settings: Any
) -> tuple[NDArray[np.float32], list[tuple[int, str]]]:
    """Descriptor X of every structure.

    Parameters
    ----------
    structures
        Rows of the structures table.
    engine
        "native" (`diffsym.scattering.pdf`) or "srreal" (`diffsym.scattering.srreal`).
    settings
        `r_min`, `r_max`, `r_step`, `q_min`, `q_max`, `u_iso`, `q_damp`, `q_broad`.

    Returns
    -------
    values
        (n, m) X = (G - min G) / (max G - min G), Liu et al., equation (4).
    failures
        Row and reason of each structure that has no descriptor; its values are NaN.
    """
    r = r_grid(**settings)
    physics = {key: settings[key] for key in ("q_min", "q_max", "u_iso", "q_damp", "q_broad")}
    if structures.num_rows == 0:
        return np.empty((0, len(r)), dtype=np.float32), []
    cells = cells_of(structures)
    kernel = srreal if engine == "srreal" else pdf
    functions = kernel.pair_distribution_functions(cells, r, **physics)
    values = normalise(functions).astype(np.float32)
    failures = [
        (
            int(row),
            cells.impossibility(int(row))
            or "its pair distribution function is constant or not finite",
        )
        for row in np.flatnonzero(~np.isfinite(values).all(axis=1))
    ]
    return values, failures


def normalise(functions: Floats) -> Floats:
    """Stretch each row to 0 ... 1 (Liu et al., equation 4); a constant row becomes NaN."""
    lowest = functions.min(axis=1, keepdims=True)
    spread = functions.max(axis=1, keepdims=True) - lowest
    return (functions - lowest) / np.where(spread > 0, spread, np.nan)
