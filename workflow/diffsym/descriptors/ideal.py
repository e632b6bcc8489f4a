"""'Ideal' diffraction profiles, from the reflections table (Ozaki et al. 2025, section 2.5)."""

from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from diffsym.descriptors.lines import lines_of
from diffsym.scattering.ideal import bin_centres, bin_edges, ideal_profiles
from diffsym.scattering.types import Floats


def axis(*, d_star_min: float, d_star_max: float, bins: int, **_: Any) -> Floats:
    """Position of each value of the descriptor: the middle of its bin of 1/d, 1/A."""
    return bin_centres(bin_edges(d_star_min=d_star_min, d_star_max=d_star_max, bins=bins))


def compute(
    reflections: pa.Table,
    *,
    d_star_min: float,
    d_star_max: float,
    bins: int,
    b_iso: float,
) -> tuple[csr_array, list[tuple[int, str]]]:
    """Profile of every structure.

    Parameters
    ----------
    reflections
        Rows of the reflections table.
    d_star_min, d_star_max
        Range of 1/d, 1/A.
    bins
        Equal bins that it is divided into, see `diffsym.scattering.ideal.bins_of` for their edges.
    b_iso
        Isotropic displacement parameter B of all atoms, A^2.

    Returns
    -------
    values
        (n, bins) sums of |F|^2, the largest of each profile 1, sparse and in single precision: half
        precision would lose lines below 3e-8 of the strongest.
    failures
        Row and reason of each structure that has no profile; its row is empty.
    """
    edges = bin_edges(d_star_min=d_star_min, d_star_max=d_star_max, bins=bins)
    values = ideal_profiles(lines_of(reflections), edges, b_iso=b_iso)
    reason = f"no line lies between 1/d = {d_star_min:g} and {d_star_max:g} 1/A; widen the range"
    return values, [(int(row), reason) for row in np.flatnonzero(np.diff(values.indptr) == 0)]
