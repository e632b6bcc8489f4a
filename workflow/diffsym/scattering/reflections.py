r"""Powder reflections of a crystal: the positions 1/d and intensities of its lines.

With the scatterers j at :math:`\mathbf x_j`, of occupancy :math:`o_j` and form factor f, and
d* = 1/d = 2 sin(theta) / lambda, the structure factor of a reflection is

.. math::
    F_{hkl} = \sum_j o_j f_j(d^*) \, e^{-B d^{*2} / 4} \, e^{2 \pi i (h x_j + k y_j + l z_j)}

and the intensity of a line is the sum of :math:`|F_{hkl}|^2` over all h, k, l of the same d*
(International Tables for Crystallography B, section 1.2). Wavelength, Lorentz and polarisation
factor and widths of peaks belong to the instrument and come later.

Nothing is computed twice: the primitive cell is used, one reflection of each family that the Laue
group makes equivalent, and with a centre of inversion the real half of the sum.

Where crystallites prefer an orientation, reflections of one d* differ in their angle to the axis of
that preference. On demand lines are split by this angle; the parts of a line add up to it.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from diffsym.errors import DiffsymError
from diffsym.scattering.form_factors import LARGEST_D_STAR, NODE_STEP, form_factor_nodes
from diffsym.scattering.symmetry import laue_group, merged_scatterers, primitive_cell
from diffsym.scattering.types import (
    Booleans,
    Cells,
    Complexes,
    Floats,
    Integers,
    Lines,
    is_possible,
)

# Reflections whose d* differ by less than this, relatively, are one line. Lattice vectors are equal
# within the same tolerance when symmetry is searched for.
D_STAR_TOLERANCE = 1e-6
# A line is absent if it has less than this share of the intensity that all atoms would give in
# phase: far above rounding (1e-28), far below anything measurable.
ABSENT = 1e-8
# Reflections of a line whose |cos(angle to an axis)| differ by less than this are one part of it:
# within it March's factor changes by less than 1 in 8 000 for ratios from 0.6 to 2. A part with
# less than ABSENT of its line is left out, so that parts add up to the line in single precision.
AXIS_COSINE_TOLERANCE = 1e-5


def powder_reflections(
    cells: Cells,
    *,
    d_star_min: float,
    d_star_max: float,
    b_iso: float = 0.0,
    radiation: str = "xray",
    axes: ArrayLike | None = None,
) -> Lines:
    """Lines of many structures, any cell.

    A structure's lines do not depend on which others are computed with it, to the last bit.

    Parameters
    ----------
    cells
        Scatterers may share a site.
    d_star_min, d_star_max : float
        Range of d* = 1/d, 1/A, both ends included.
    b_iso : float
        Isotropic displacement parameter B = 8 pi^2 U of all scatterers, A^2.
    radiation : {"xray", "electron"}
        Which form factors (`diffsym.scattering.form_factors`).
    axes : (s, 3), optional
        Direction in each structure, Cartesian, in the frame of its lattice; of any length. Lines
        are split by the angle of their reflections to it.

    Returns
    -------
    Lines
        In float64, d* rising, reflections within a relative 1e-6 being one line. Intensities are
        those of the given cell: electrons^2, for electrons A^2. Absent lines (below 1e-8 of the
        intensity of all atoms in phase) are left out, and an impossible structure
        (`Cells.impossibility`) has none. With axes the parts of a line follow each other, have its
        d* to the last bit, and add up to its intensity; cosines rise along a line.

    Raises
    ------
    DiffsymError
        If a setting is out of range or an axis has no direction.

    Examples
    --------
    The lines 100, 110 and 111 of polonium, 1/d in units of 1/a:

    >>> polonium = Cells.of_one(3.36 * np.eye(3), [84], [[0, 0, 0]])
    >>> lines = powder_reflections(polonium, d_star_min=0.1, d_star_max=0.55)
    >>> (3.36 * lines.d_star).round(3).tolist()
    [1.0, 1.414, 1.732]

    Two of the six planes of the form 100 face z:

    >>> parts = powder_reflections(polonium, d_star_min=0.1, d_star_max=0.3, axes=[[0, 0, 1]])
    >>> shares = parts.intensity / lines.intensity[0]
    >>> parts.axis_cosine.round(9).tolist(), shares.round(3).tolist()
    ([0.0, 1.0], [0.667, 0.333])
    """
    if not (0 <= d_star_min < d_star_max <= LARGEST_D_STAR and 0 <= b_iso < math.inf):
        raise DiffsymError(
            f"reflections need 0 <= d_star_min < d_star_max <= {LARGEST_D_STAR:g} and b_iso >= 0, "
            f"not d_star_min {d_star_min}, d_star_max {d_star_max} and b_iso {b_iso}"
        )
    directions = np.zeros((len(cells), 3)) if axes is None else np.array(axes, dtype=np.float64)
    if axes is not None and not (
        directions.shape == (len(cells), 3)
        and np.isfinite(directions).all()
        and directions.any(axis=1).all()
    ):
        raise DiffsymError(
            "each structure needs an axis of three finite numbers, not all of them zero"
        )
    nodes = form_factor_nodes(radiation, float(d_star_max))
    shell = (float(d_star_min), float(d_star_max))
    offsets = np.zeros(len(cells) + 1, dtype=np.int64)
    of_structures = [(np.empty(0), np.empty(0), np.empty(0))]
    for index in range(len(cells)):
        here = slice(cells.offsets[index], cells.offsets[index + 1])
        cell = (
            cells.lattices[index],
            cells.atomic_numbers[here],
            cells.frac_coords[here],
            cells.occupancies[here],
        )
        if is_possible(*cell):
            of_structures.append(_lines(*cell, directions[index], nodes, *shell, float(b_iso)))
            offsets[index + 1] = len(of_structures[-1][0])
    d_star, intensity, axis_cosine = map(np.concatenate, zip(*of_structures, strict=True))
    return Lines(d_star, intensity, offsets.cumsum(), None if axes is None else axis_cosine)


@njit(cache=True, nogil=True, error_model="numpy")
def _lines(
    lattice: Floats,
    atomic_numbers: Integers,
    frac_coords: Floats,
    occupancies: Floats,
    axis: Floats,
    form_factors: Floats,
    d_star_min: float,
    d_star_max: float,
    b_iso: float,
) -> tuple[Floats, Floats, Floats]:
    """d*, intensity and |cos(angle to the axis)| of the lines of one structure.

    The last is NaN, and lines are whole, if the axis is zero.
    """
    numbers, coordinates, weights, kinds = merged_scatterers(
        lattice, atomic_numbers, frac_coords, occupancies
    )
    basis, coordinates, kept, copies = primitive_cell(lattice, kinds, coordinates)
    numbers, weights, kinds = numbers[kept], weights[kept], kinds[kept]
    operations, centrosymmetric, centre = laue_group(basis, kinds, coordinates)
    hkl, squares, multiplicities = _families(basis, operations, d_star_min, d_star_max)
    if centrosymmetric:
        coordinates = coordinates - centre
        members, doubled = _halves(kinds, coordinates)
        numbers, coordinates = numbers[members], coordinates[members]
        weights = weights[members] * doubled
    intensities, largest = _intensities(
        hkl, squares, numbers, weights, coordinates, form_factors, centrosymmetric
    )
    strengths = multiplicities * intensities
    order, spans, d_star, heights = _fused(squares, strengths, multiplicities * largest)
    axis_cosines = np.full(len(d_star), np.nan)
    if axis.any():
        direction = axis @ np.linalg.inv(basis) / np.sqrt(axis @ axis)
        images = _equivalents(direction, operations)
        lines, heights, axis_cosines = _split(images, hkl, squares, strengths, order, spans)
        d_star = d_star[lines]
    # |F|^2 of the given cell, whose primitive cells all scatter alike.
    for line in range(len(d_star)):
        heights[line] *= copies**2 * math.exp(-b_iso / 2 * d_star[line] ** 2)
    return d_star, heights, axis_cosines


@njit(cache=True, nogil=True, error_model="numpy")
def _families(
    basis: Floats, operations: Integers, d_star_min: float, d_star_max: float
) -> tuple[Integers, Floats, Floats]:
    """One reflection of each family in a shell of reciprocal space.

    Parameters
    ----------
    basis : (3, 3) float64
        Row vectors of a reduced cell, A.
    operations : (m, 3, 3) int64
        Matrices that take a column h, k, l to one of the same family, up to its sign.
    d_star_min, d_star_max : float
        Shell, 1/A.

    Returns
    -------
    hkl : (f, 3) int64
        Miller indices, sorted.
    squares : (f,) float64
        d*^2, 1/A^2.
    multiplicities : (f,) float64
        Size of the family, opposites included.
    """
    metric = np.linalg.inv(basis @ basis.T)  # scalar products of the reciprocal vectors, 1/A^2
    # Both ends belong to the shell, whatever rounding says.
    lowest = (d_star_min * (1 - D_STAR_TOLERANCE)) ** 2
    highest = (d_star_max * (1 + D_STAR_TOLERANCE)) ** 2
    # h is the product of the reciprocal vector with a, so at most d* times the length of a. One
    # more makes room for images that the tolerance of the symmetry search pushes over the edge.
    bound = np.empty(3, dtype=np.int64)
    for axis in range(3):
        bound[axis] = int(d_star_max * np.sqrt(basis[axis] @ basis[axis])) + 1
    h_max, k_max, l_max = bound
    seen = np.zeros((h_max + 1, 2 * k_max + 1, 2 * l_max + 1), dtype=np.bool_)
    hkl = np.empty((seen.size, 3), dtype=np.int64)
    squares = np.empty(seen.size)
    multiplicities = np.empty(seen.size)
    n = 0
    # d*^2 = g_33 (l - l_0)^2 + distance^2 of the row h, k from the origin.
    for h in range(h_max + 1):
        for k in range(-k_max if h > 0 else 0, k_max + 1):
            l_0 = -(h * metric[0, 2] + k * metric[1, 2]) / metric[2, 2]
            in_plane = h * h * metric[0, 0] + 2 * h * k * metric[0, 1] + k * k * metric[1, 1]
            distance = in_plane - metric[2, 2] * l_0 * l_0
            if distance > highest:
                continue
            reach = math.sqrt((highest - distance) / metric[2, 2])
            first = 1 if h == 0 and k == 0 else math.ceil(l_0 - reach)
            for l in range(first, math.floor(l_0 + reach) + 1):
                square = distance + metric[2, 2] * (l - l_0) ** 2
                if square < lowest or seen[h, k + k_max, l + l_max]:
                    continue
                hkl[n, 0], hkl[n, 1], hkl[n, 2] = h, k, l
                squares[n] = square
                multiplicities[n] = 2 * _mark(seen, operations, h, k, l)
                n += 1
    return hkl[:n], squares[:n], multiplicities[:n]


@njit(cache=True, nogil=True)
def _mark(seen: Booleans, operations: Integers, h: int, k: int, l: int) -> int:
    """Mark the family of a reflection, one of each pair of opposites, and return their number."""
    k_max, l_max = seen.shape[1] // 2, seen.shape[2] // 2
    n = 0
    for index in range(len(operations)):
        W = operations[index]
        p = W[0, 0] * h + W[0, 1] * k + W[0, 2] * l
        q = W[1, 0] * h + W[1, 1] * k + W[1, 2] * l
        r = W[2, 0] * h + W[2, 1] * k + W[2, 2] * l
        if p < 0 or (p == 0 and (q < 0 or (q == 0 and r < 0))):
            p, q, r = -p, -q, -r
        if not seen[p, q + k_max, r + l_max]:
            seen[p, q + k_max, r + l_max] = True
            n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _halves(kinds: Integers, frac_coords: Floats) -> tuple[Integers, Floats]:
    """One scatterer of each pair x, -x, and how many it stands for: two, or one at a centre."""
    n = len(kinds)
    members = np.empty(n, dtype=np.int64)
    counts = np.empty(n)
    taken = np.zeros(n, dtype=np.bool_)
    filled = 0
    for i in range(n):
        if taken[i]:
            continue
        # The opposite is the nearest to -x of its kind; that there is one is known.
        opposite, nearest = i, np.inf
        for j in range(i, n):
            if kinds[j] != kinds[i]:
                break
            gap = 0.0
            for axis in range(3):
                away = frac_coords[i, axis] + frac_coords[j, axis]
                gap += abs(away - np.rint(away))
            if gap < nearest and not taken[j]:
                opposite, nearest = j, gap
        taken[i] = taken[opposite] = True
        members[filled] = i
        counts[filled] = 1.0 if opposite == i else 2.0
        filled += 1
    return members[:filled], counts[:filled]


@njit(cache=True, nogil=True, error_model="numpy")
def _intensities(
    hkl: Integers,
    squares: Floats,
    atomic_numbers: Integers,
    weights: Floats,
    frac_coords: Floats,
    form_factors: Floats,
    centrosymmetric: bool,
) -> tuple[Floats, Floats]:
    """|F|^2 of reflections, and what it would be with all atoms in phase.

    e^(2 pi i (h x + k y + l z)) is a product of three tabulated phases. Reflections of the same h
    and k form a row; the innermost loop runs along it. Scatterers of an element are summed before
    its form factor is looked up. With a centre of inversion at the origin only cosines are needed.
    """
    n = len(hkl)
    if n == 0:
        return np.empty(0), np.empty(0)
    h_max, k_max, l_max = _largest(hkl[:, 0]), _largest(hkl[:, 1]), _largest(hkl[:, 2])
    h_phases = _phases(frac_coords[:, 0], h_max)
    k_phases = _phases(frac_coords[:, 1], k_max)
    l_phases = _phases(frac_coords[:, 2], l_max)
    cosines = np.ascontiguousarray(l_phases.real)
    sines = np.ascontiguousarray(l_phases.imag)
    cosine_sums, sine_sums = np.empty(2 * l_max + 1), np.empty(2 * l_max + 1)
    real_parts, imaginary_parts, in_phase = np.zeros(n), np.zeros(n), np.zeros(n)
    start = 0
    while start < n:
        h, k = hkl[start, 0], hkl[start, 1]
        l_first = l_last = hkl[start, 2]
        stop = start
        while stop < n and hkl[stop, 0] == h and hkl[stop, 1] == k:
            l_last = hkl[stop, 2]
            stop += 1
        width, column = l_last - l_first + 1, l_first + l_max
        last = 0
        while last < len(atomic_numbers):
            first = last
            total = 0.0
            while last < len(atomic_numbers) and atomic_numbers[last] == atomic_numbers[first]:
                total += weights[last]
                last += 1
            cosine_sums[:width] = 0.0
            sine_sums[:width] = 0.0
            for atom in range(first, last):
                phase = h_phases[atom, h_max + h] * k_phases[atom, k_max + k]
                a, b = weights[atom] * phase.real, weights[atom] * phase.imag
                if centrosymmetric:
                    for i in range(width):
                        c, s = cosines[atom, column + i], sines[atom, column + i]
                        cosine_sums[i] += a * c - b * s
                else:
                    for i in range(width):
                        c, s = cosines[atom, column + i], sines[atom, column + i]
                        cosine_sums[i] += a * c - b * s
                        sine_sums[i] += a * s + b * c
            nodes = form_factors[atomic_numbers[first]]
            for i in range(start, stop):
                factor = _interpolated(nodes, squares[i] / (4 * NODE_STEP))
                real_parts[i] += factor * cosine_sums[hkl[i, 2] - l_first]
                imaginary_parts[i] += factor * sine_sums[hkl[i, 2] - l_first]
                in_phase[i] += factor * total
        start = stop
    intensities = np.empty(n)
    for i in range(n):
        intensities[i] = real_parts[i] ** 2 + imaginary_parts[i] ** 2
        in_phase[i] **= 2
    return intensities, in_phase


@njit(cache=True, nogil=True)
def _largest(indices: Integers) -> int:
    """Largest magnitude."""
    largest = 0
    for index in indices:
        largest = max(largest, abs(index))
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def _phases(coordinates: Floats, index_max: int) -> Complexes:
    """e^(2 pi i h x) for h from -index_max to index_max, one row per scatterer."""
    phases = np.empty((len(coordinates), 2 * index_max + 1), dtype=np.complex128)
    for atom in range(len(coordinates)):
        angle = 2 * math.pi * (coordinates[atom] - math.floor(coordinates[atom]))
        step = complex(math.cos(angle), math.sin(angle))
        power = 1 + 0j
        for index in range(index_max + 1):
            phases[atom, index_max + index] = power
            phases[atom, index_max - index] = power.conjugate()
            power *= step
    return phases


@njit(cache=True, nogil=True, error_model="numpy")
def _interpolated(nodes: Floats, position: float) -> float:
    """Value at `position` steps beyond node 1, by the cubic through the nearest four nodes."""
    whole = int(position)
    t = position - whole
    a, b, c, d = nodes[whole], nodes[whole + 1], nodes[whole + 2], nodes[whole + 3]
    # Newton's form: b is at t = 0, c at t = 1.
    slope = c - b
    left, right = b - a, d - c
    second = (slope - left) / 2
    third = (right - 2 * slope + left) / 6
    return b + t * (slope + (t - 1) * (second + (t + 1) * third))


@njit(cache=True, nogil=True, error_model="numpy")
def _fused(
    squares: Floats, strengths: Floats, limits: Floats
) -> tuple[Integers, Integers, Floats, Floats]:
    """Merge reflections of the same d* into lines, sorted by d*, and leave out absent lines.

    Parameters
    ----------
    squares : (f,) float64
        d*^2 of families, 1/A^2.
    strengths, limits : (f,) float64
        Intensity of each family, and what it would be with all atoms in phase.

    Returns
    -------
    order : (f,) int64
        Families by d*.
    spans : (n, 2) int64
        First and last but one position of a line's families in this order.
    d_star, heights : (n,) float64
        1/A and the sum of the strengths.
    """
    order = np.argsort(squares)
    d_star, heights = np.empty(len(order)), np.empty(len(order))
    spans = np.empty((len(order), 2), dtype=np.int64)
    n = 0
    start = 0
    while start < len(order):
        first = squares[order[start]]
        height, limit = 0.0, 0.0
        stop = start
        while stop < len(order) and squares[order[stop]] <= first * (1 + 2 * D_STAR_TOLERANCE):
            height += strengths[order[stop]]
            limit += limits[order[stop]]
            stop += 1
        if height > ABSENT * limit:
            d_star[n] = math.sqrt(first)
            heights[n] = height
            spans[n, 0], spans[n, 1] = start, stop
            n += 1
        start = stop
    return order, spans[:n], d_star[:n].copy(), heights[:n].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def _equivalents(direction: Floats, operations: Integers) -> Floats:
    """Equivalents of a direction, whose scalar products with h, k, l belong to all of a family."""
    equivalents = np.empty((len(operations), 3))
    for index in range(len(operations)):
        equivalent = direction @ operations[index].astype(np.float64)
        for axis in range(3):
            equivalents[index, axis] = equivalent[axis]
    return equivalents


@njit(cache=True, nogil=True, error_model="numpy")
def _split(
    directions: Floats,
    hkl: Integers,
    squares: Floats,
    strengths: Floats,
    order: Integers,
    spans: Integers,
) -> tuple[Integers, Floats, Floats]:
    """Split lines by the angle of their reflections to an axis.

    Under the operations of a group each member of a family comes up equally often. So the members
    need not be known: a family's strength is divided evenly among the operations.

    Parameters
    ----------
    directions : (m, 3) float64
        Scalar products of the unit vector along the axis with the reciprocal vectors, 1/A, one row
        for each operation.
    hkl, squares, strengths
        Families of reflections, see `_families` and `_fused`.
    order, spans
        Families of each line, see `_fused`.

    Returns
    -------
    lines : (p,) int64
        Which line each part belongs to, rising.
    heights : (p,) float64
        Intensity of the part.
    cosines : (p,) float64
        |cos| of the angle, rising along a line.
    """
    n_operations = len(directions)
    size = len(order) * n_operations
    lines = np.empty(size, dtype=np.int64)
    heights, cosines = np.empty(size), np.empty(size)
    n = 0
    for line in range(len(spans)):
        families = order[spans[line, 0] : spans[line, 1]]
        angles, shares = np.empty(len(families) * n_operations), np.empty(len(families))
        for i in range(len(families)):
            h, k, l = hkl[families[i]]
            length = math.sqrt(squares[families[i]])
            shares[i] = strengths[families[i]] / n_operations
            for j in range(n_operations):
                x, y, z = directions[j]
                cosine = abs(x * h + y * k + z * l) / length
                angles[i * n_operations + j] = min(cosine, 1.0)  # beyond 1 by rounding only
        by_angle = np.argsort(angles)
        whole = shares.sum() * n_operations
        start = 0
        while start < len(by_angle):
            lowest = angles[by_angle[start]]
            height = 0.0
            stop = start
            while stop < len(by_angle) and angles[by_angle[stop]] <= lowest + AXIS_COSINE_TOLERANCE:
                height += shares[by_angle[stop] // n_operations]
                stop += 1
            if height > ABSENT * whole:
                lines[n] = line
                heights[n] = height
                cosines[n] = lowest
                n += 1
            start = stop
    return lines[:n].copy(), heights[:n].copy(), cosines[:n].copy()
