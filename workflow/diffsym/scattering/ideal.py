"""'Ideal' profiles of a powder: lines without a width on an axis of 1/d (Ozaki et al. 2025).

The profile contains the sum of :math:`|F|^2` in each of many equal bins of d* = 1/d, the largest
sum being 1 (J. Appl. Cryst., section 2.5). Nothing in it depends on an instrument: no wavelength,
no width, no Lorentz or polarisation factor. Most bins are empty, so profiles are sparse rows.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from diffsym.scattering.types import Floats, Integers, Lines


def bin_edges(*, d_star_min: float, d_star_max: float, bins: int) -> Floats:
    """Edges of the bins, 1/A, rising in equal steps, (bins + 1,)."""
    return np.linspace(d_star_min, d_star_max, bins + 1)


def bin_centres(edges: Floats) -> Floats:
    """Middle of each bin, 1/A, (bins,)."""
    return (edges[:-1] + edges[1:]) / 2


def bins_of(d_star: ArrayLike, edges: Floats) -> Integers:
    """Bin that each line falls into, -1 outside all bins.

    Bin k covers edges[k] <= d* < edges[k + 1], and the last bin includes its upper edge: the
    convention of `numpy.histogram`. Positions are compared with the edges themselves, so that no
    rounding of a quotient moves a line that lies on an edge or next to it.

    Parameters
    ----------
    d_star : (l,)
        1/d, 1/A.
    edges : (bins + 1,)
        Rising, 1/A.
    """
    positions = np.asarray(d_star, np.float64)
    last = len(edges) - 2
    found = np.searchsorted(edges, positions, side="right") - 1
    return np.where(positions > edges[-1], -1, np.minimum(found, last))


def ideal_profiles(lines: Lines, edges: Floats, *, b_iso: float = 0.0) -> csr_array:
    """Profiles of many structures, each independent of the others.

    Parameters
    ----------
    lines
        Of all structures, of an intensity above 0.
    edges : (bins + 1,)
        Of the bins, 1/A.
    b_iso
        Isotropic displacement parameter B = 8 pi^2 U of all atoms, A^2, besides that of the
        intensities: |F|^2 falls by exp(-B d*^2 / 2).

    Returns
    -------
    (n, bins) float32, sparse
        Sums are made in double precision. The largest of each row is 1; a row without a line in any
        bin is empty. The columns of a row rise.

    Examples
    --------
    >>> edges = bin_edges(d_star_min=0.2, d_star_max=0.6, bins=4)
    >>> ideal_profiles(Lines.of_one([0.25, 0.51, 0.58], [1.0, 3.0, 1.0]), edges).toarray()
    array([[0.25, 0.  , 0.  , 1.  ]], dtype=float32)
    """
    positions = lines.d_star.astype(np.float64, copy=False)
    bins = bins_of(positions, edges)
    inside = bins >= 0
    damped = lines.intensity[inside] * np.exp(-b_iso / 2 * positions[inside] ** 2)
    starts = np.concatenate([[0], np.cumsum(inside)])[lines.offsets]
    profiles = csr_array((damped, bins[inside], starts), shape=(len(lines), len(edges) - 1))
    profiles.sum_duplicates()
    strongest = profiles.max(axis=1).toarray()
    profiles.data /= np.repeat(strongest, np.diff(profiles.indptr))
    return profiles.astype(np.float32)
