r"""The reduced atomic pair distribution function G(r) of a crystal, for X-rays.

With scatterers of weight :math:`b_i = o_i Z_i` (occupancy times atomic number, the form factor
at Q = 0), N = sum of occupancies, :math:`\langle b \rangle = \sum b_i / N` and number density
:math:`\rho_0 = N / V`, the pair term is

.. math::
    g(r) = \frac{1}{N \langle b \rangle^2} \sum_{i,j}
           \frac{b_i b_j}{r_{ij}} \, \mathcal N(r - r_{ij}; \sigma_{ij}),
    \qquad \sigma_{ij}^2 = 2 U (1 + Q_\mathrm{broad}^2 r_{ij}^2),

and G(r) is :math:`g(r) - 4 \pi \rho_0 r`, limited to Q_min <= Q < Q_max and damped by
:math:`\exp(-(Q_\mathrm{damp} r)^2 / 2)` (Farrow et al. 2007, J. Phys.: Condens. Matter 19, 335219;
Juhas et al. 2015, Acta Cryst. A71, 562).

All displacement parameters being equal, G is linear in the distribution of the distances
:math:`r_{ij}`. So a structure costs one histogram of its distances, with one scatterer of each
symmetry orbit, and the product of this histogram with a matrix that depends on settings only.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from diffsym.errors import DiffsymError
from diffsym.scattering.symmetry import symmetry_orbits
from diffsym.scattering.types import (
    Cells,
    Floats,
    Integers,
    determinant,
    is_possible,
    uniform_step,
)

# Termination ripples of peaks outside the r range reach into it; diffpy.srreal keeps six of them.
_RIPPLES = 6
# A peak further outside than this number of standard deviations has a negligible tail.
_PEAK_EXTENT = 4.0
# Largest relative error of the interpolation between the nodes of the histogram, at any Q.
_INTERPOLATION_ERROR = 2e-4
# Scatterers closer than this share a site (mixed occupancy) and do not count as a pair, A.
_SAME_SITE = 0.01
# Rows of the intermediate matrix of sampled peaks that are in memory at a time.
_NODES_AT_A_TIME = 256
# Weights of the four nodes -1, 0, 1, 2 around t in [0, 1): cubic Lagrange polynomials, one a row,
# in powers of t.
_LAGRANGE = np.array([[0, -2, 3, -1], [6, -3, -6, 3], [0, 6, 3, -3], [0, -1, 0, 1]]) / 6


class _Transform(NamedTuple):
    """What turns the distances of a structure into its G(r); depends on the settings only.

    Node k stands for the distance (k - 1) step, so that a distance always lies between four nodes.
    """

    cutoff: float
    step: float
    peaks: Floats  # (nodes, m): G(r) of one pair of unit weight, times its distance
    baseline: Floats  # (m,): G(r) of the uniform density 1 / A^3


def pair_distribution_functions(
    cells: Cells,
    r: ArrayLike,
    *,
    q_min: float,
    q_max: float,
    u_iso: float,
    q_damp: float,
    q_broad: float,
) -> Floats:
    """Reduced X-ray pair distribution functions of many structures.

    Any cell of a crystal will do. A structure's result does not depend on which others are computed
    with it, to the last bit.

    Parameters
    ----------
    cells
        Scatterers at the same place share a site and do not count as a pair. Orbits are found
        where they are not given.
    r : (m,)
        Uniform grid of distances, A.
    q_min, q_max : float
        Limits of the Fourier transform, 1/A.
    u_iso : float
        Isotropic displacement parameter U of all scatterers, A^2.
    q_damp, q_broad : float
        Damping and broadening by the instrument, 1/A.

    Returns
    -------
    (s, m) float64
        G(r), 1/A^2. The row of an impossible structure (`Cells.impossibility`) is NaN.

    Raises
    ------
    DiffsymError
        If the grid is not uniform or a setting is out of range.

    Examples
    --------
    Polonium, whose nearest neighbours are 3.36 A apart:

    >>> r = np.linspace(2, 4, 201)
    >>> polonium = Cells.of_one(3.36 * np.eye(3), [84], [[0, 0, 0]])
    >>> (G,) = pair_distribution_functions(
    ...     polonium, r, q_min=0.5, q_max=23, u_iso=0.008, q_damp=0.04, q_broad=0.01
    ... )
    >>> round(float(r[G.argmax()]), 1)
    3.4
    """
    r = np.asarray(r, dtype=np.float64)
    step = step_of_distances(r)
    transform = _transform(
        float(r[0]),
        step,
        len(r),
        float(q_min),
        float(q_max),
        float(u_iso),
        float(q_damp),
        float(q_broad),
    )
    return _functions(
        cells.lattices,
        cells.offsets,
        cells.atomic_numbers,
        cells.frac_coords,
        cells.occupancies,
        _orbits(cells) if cells.orbits is None else cells.orbits,
        *transform,
    )


def _orbits(cells: Cells) -> Integers:
    """Orbits of the scatterers of many structures; zeros in those that are impossible."""
    orbits = np.zeros(len(cells.atomic_numbers), dtype=np.int64)
    # Species and occupancy in one number: scatterers alike in both scatter alike.
    weights = cells.atomic_numbers * cells.occupancies
    for index in range(len(cells)):
        here = slice(cells.offsets[index], cells.offsets[index + 1])
        if is_possible(
            cells.lattices[index],
            cells.atomic_numbers[here],
            cells.frac_coords[here],
            cells.occupancies[here],
        ):
            coordinates = cells.frac_coords[here] - np.floor(cells.frac_coords[here])
            orbits[here] = symmetry_orbits(cells.lattices[index], weights[here], coordinates)
    return orbits


def step_of_distances(r: Floats) -> float:
    """Step of a uniform grid of distances, A; DiffsymError if `r` is not a uniform grid."""
    step = uniform_step(r, "r")
    if r[0] < 0:
        raise DiffsymError("r must not be negative, A")
    # Rounded, so that the same grid written in two ways finds the same cached transform.
    return float(f"{step:.12g}")


@lru_cache(maxsize=4)
def _transform(
    r_min: float,
    r_step: float,
    size: int,
    q_min: float,
    q_max: float,
    u_iso: float,
    q_damp: float,
    q_broad: float,
) -> _Transform:
    """Tabulate, for each node of distance, the G(r) of a pair at that distance.

    The transform is that of diffpy.srreal on an infinitely fine grid: the range of r is extended
    by six ripples, padded to a power of two of steps, and Q runs over the multiples of pi / length
    with q_min <= Q < q_max.
    """
    if not (0 <= q_min < q_max and u_iso > 0 and q_damp >= 0 and q_broad >= 0):
        raise DiffsymError(
            "the pair distribution function needs 0 <= q_min < q_max, u_iso > 0, q_damp >= 0 and "
            f"q_broad >= 0, not q_min {q_min}, q_max {q_max}, u_iso {u_iso}, q_damp {q_damp} "
            f"and q_broad {q_broad}"
        )
    r = r_min + r_step * np.arange(size)
    margin = _RIPPLES * 2 * math.pi / q_max
    lower = max(0.0, r_min - margin)
    upper = r[-1] + margin
    length = r_step * 2 ** math.ceil(math.log2(upper / r_step))
    q_step = math.pi / length
    # The small number lets a limit that is a multiple of q_step be one despite rounding.
    q = q_step * np.arange(math.ceil(q_min / q_step - 1e-6), math.ceil(q_max / q_step - 1e-6))

    cutoff = upper + _PEAK_EXTENT * _peak_width(upper, u_iso, q_broad)
    step = _node_step(u_iso, q_max)
    n_nodes = 4 * math.ceil((cutoff / step + 4) / 4)  # of four, because _add_product takes four
    nodes = step * np.arange(-1, n_nodes - 1)
    n_samples = math.ceil((upper - lower) / min(step, math.sqrt(2 * u_iso) / 4))
    x_step = (upper - lower) / n_samples
    x = lower + x_step * (np.arange(n_samples) + 0.5)
    forward = x_step * np.sin(np.outer(x, q))
    envelope = np.exp(-((q_damp * r) ** 2) / 2)
    backward = 2 / math.pi * q_step * np.sin(np.outer(q, r)) * envelope

    peaks = np.empty((len(nodes), size))
    for start in range(0, len(nodes), _NODES_AT_A_TIME):
        some = nodes[start : start + _NODES_AT_A_TIME, np.newaxis]
        width = _peak_width(some, u_iso, q_broad)
        gaussians = np.exp(-(((x - some) / width) ** 2) / 2) / (math.sqrt(2 * math.pi) * width)
        peaks[start : start + _NODES_AT_A_TIME] = gaussians @ forward @ backward
    baseline = -4 * math.pi * x @ forward @ backward
    return _Transform(cutoff, step, peaks, baseline)


def _peak_width(distance: float | Floats, u_iso: float, q_broad: float) -> Floats:
    """Standard deviation of the distance of two scatterers, A."""
    return np.sqrt(2 * u_iso * (1 + (q_broad * distance) ** 2))


def _node_step(u_iso: float, q_max: float) -> float:
    """Spacing of the nodes at which cubic interpolation is as exact as stated above, A.

    Between nodes at spacing h it errs by at most 3/128 h^4 times the fourth derivative in the
    distance, which is Q^4 exp(-Q^2 U) at momentum transfer Q, largest at Q^2 = 2 / U.
    """
    q_squared = min(q_max**2, 2 / u_iso)
    fourth_derivative = q_squared**2 * math.exp(-q_squared * u_iso)
    return (_INTERPOLATION_ERROR * 128 / 3 / fourth_derivative) ** 0.25


@njit(cache=True, error_model="numpy")
def _functions(
    lattices: Floats,
    offsets: Integers,
    atomic_numbers: Integers,
    frac_coords: Floats,
    occupancies: Floats,
    orbits: Integers,
    cutoff: float,
    step: float,
    peaks: Floats,
    baseline: Floats,
) -> Floats:
    """Compute G(r) structure by structure."""
    functions = np.full((len(lattices), len(baseline)), np.nan)
    for index in range(len(lattices)):
        lattice = lattices[index]
        here = slice(offsets[index], offsets[index + 1])
        if not is_possible(lattice, atomic_numbers[here], frac_coords[here], occupancies[here]):
            continue
        coordinates = frac_coords[here] - np.floor(frac_coords[here])
        weights = atomic_numbers[here] * occupancies[here]
        n_atoms = occupancies[here].sum()
        scale = n_atoms / weights.sum() ** 2  # 1 / (N <b>^2)
        histogram = _distances(
            lattice, scale, weights, coordinates, orbits[here], cutoff, step, len(peaks)
        )
        functions[index] = n_atoms / abs(determinant(lattice)) * baseline
        _add_product(functions[index], histogram, peaks)
    return functions


@njit(cache=True)
def _add_product(function: Floats, histogram: Floats, peaks: Floats) -> None:
    """Add histogram @ peaks to a function.

    Not left to BLAS, whose summation order, and so the last bit of the result, may depend on the
    number of threads. Four rows are taken at a time to save memory traffic.
    """
    for node in range(0, len(histogram), 4):
        a, b, c, d = histogram[node : node + 4]
        for point in range(len(function)):
            function[point] += (
                a * peaks[node, point]
                + b * peaks[node + 1, point]
                + c * peaks[node + 2, point]
                + d * peaks[node + 3, point]
            )


@njit(cache=True, error_model="numpy")
def _distances(
    lattice: Floats,
    scale: float,
    weights: Floats,
    frac_coords: Floats,
    orbits: Integers,
    cutoff: float,
    step: float,
    n_nodes: int,
) -> Floats:
    """Histogram of all pair distances below the cutoff, each pair with its weight over distance.

    The pairs between two orbits are those of one member of the one with all members of the other,
    times the size of the first. Either may be the first; the loop runs over the smaller orbit.
    """
    axes, order = _triangular_axes(lattice)
    positions = frac_coords[:, order] @ axes
    moments = np.zeros((n_nodes - 3, 4))
    members = np.argsort(orbits, kind="mergesort")
    firsts = np.flatnonzero(orbits == np.arange(len(orbits)))
    starts = np.searchsorted(orbits[members], firsts)
    sizes = np.append(starts[1:], len(orbits)) - starts
    for one in range(len(firsts)):
        for other in range(one + 1):
            large, small = (one, other) if sizes[one] >= sizes[other] else (other, one)
            origin = positions[firsts[large]]
            ordered = 1.0 if one == other else 2.0
            weight = ordered * scale * sizes[large] * weights[firsts[one]] * weights[firsts[other]]
            for member in members[starts[small] : starts[small] + sizes[small]]:
                _add_distances(moments, axes, positions[member] - origin, weight, cutoff, step)
    return _share_among_nodes(moments)


@njit(cache=True, error_model="numpy")
def _triangular_axes(lattice: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Lattice in Cartesian axes that make it lower triangular, shortest vector first.

    Returns
    -------
    axes : (3, 3) float64
        Row vectors, A; the first along x, the second in the plane of x and y.
    order : (3,) int64
        Which vector of the lattice each row is.
    """
    order = np.argsort((lattice**2).sum(axis=1), kind="mergesort")
    axes = np.linalg.cholesky(lattice[order] @ lattice[order].T)
    return axes, order


@njit(cache=True, error_model="numpy")
def _add_distances(
    moments: Floats, axes: Floats, offset: Floats, weight: float, cutoff: float, step: float
) -> None:
    """Add the distances from the origin to all points of a shifted lattice within the cutoff.

    With triangular axes the points inside a sphere are an interval in each of three nested loops.
    A distance d = (bin + t) step adds weight/d times 1, t, t^2 and t^3 to its bin.
    """
    squared = cutoff * cutoff
    per_step, per_a, per_b = 1 / step, 1 / axes[0, 0], 1 / axes[1, 1]  # divisions are slow
    first_c = math.ceil((-cutoff - offset[2]) / axes[2, 2])
    last_c = math.floor((cutoff - offset[2]) / axes[2, 2])
    for n_c in range(first_c, last_c + 1):
        z = offset[2] + n_c * axes[2, 2]
        y_origin = offset[1] + n_c * axes[2, 1]
        x_plane = offset[0] + n_c * axes[2, 0]
        y_reach = math.sqrt(max(squared - z * z, 0.0))
        first_b = math.ceil((-y_reach - y_origin) * per_b)
        last_b = math.floor((y_reach - y_origin) * per_b)
        for n_b in range(first_b, last_b + 1):
            y = y_origin + n_b * axes[1, 1]
            x_origin = x_plane + n_b * axes[1, 0]
            off_axis = z * z + y * y
            x_reach = math.sqrt(max(squared - off_axis, 0.0))
            first_a = math.ceil((-x_reach - x_origin) * per_a)
            last_a = math.floor((x_reach - x_origin) * per_a)
            for n_a in range(first_a, last_a + 1):
                x = x_origin + n_a * axes[0, 0]
                distance = math.sqrt(off_axis + x * x)
                if distance < _SAME_SITE:
                    continue
                position = distance * per_step
                whole = int(position)
                bin_ = np.uint64(whole)  # unsigned: no test for an index from the end
                t = position - whole
                share = weight / distance
                moments[bin_, 0] += share
                share *= t
                moments[bin_, 1] += share
                share *= t
                moments[bin_, 2] += share
                moments[bin_, 3] += share * t


@njit(cache=True)
def _share_among_nodes(moments: Floats) -> Floats:
    """Weights of the nodes that stand for the distances in the bins, by cubic interpolation."""
    histogram = np.zeros(len(moments) + 3)
    for node in range(4):
        histogram[node : node + len(moments)] += moments @ _LAGRANGE[node]
    return histogram
