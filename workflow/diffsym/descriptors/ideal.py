"""'Ideal' diffraction profiles, from the reflections table (Ozaki et al. 2025, section 2.5)."""

import numpy as np
import pyarrow as pa

from diffsym.descriptors.described import Described
from diffsym.descriptors.lines import lines_of
from diffsym.scattering.ideal import bin_centres, bin_edges, ideal_profiles
from diffsym.scattering.types import Floats
from diffsym.settings.descriptors.ideal import Ideal


def axis(settings: Ideal) -> Floats:
    """Position of each value of the descriptor: the middle of its bin of 1/d, 1/A."""
    return bin_centres(_edges(settings))


def compute(reflections: pa.Table, settings: Ideal) -> Described:
    """Profile of every row of the reflections table.

    Returns
    -------
    Described
        (n, bins) sums of |F|^2, the largest of each profile 1, sparse and in single precision: half
        precision would lose lines below 3e-8 of the strongest. The row of a structure that has no
        profile is empty.
    """
    values = ideal_profiles(lines_of(reflections), _edges(settings), b_iso=settings.b_iso)
    reason = (
        f"no line lies between 1/d = {settings.d_star_min:g} and {settings.d_star_max:g} 1/A; "
        "widen the range"
    )
    empty = np.flatnonzero(np.diff(values.indptr) == 0)
    return Described(values, [(int(row), reason) for row in empty])


def _edges(settings: Ideal) -> Floats:
    return bin_edges(
        d_star_min=settings.d_star_min, d_star_max=settings.d_star_max, bins=settings.bins
    )
