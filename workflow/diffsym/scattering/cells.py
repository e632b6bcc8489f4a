"""The smallest cell of a crystal and the symmetry of its reciprocal lattice.

The primitive cell and the symmetry of its reciprocal lattice are found from the atoms alone, in
some ten microseconds, with rows as vectors: r = x A, a motion takes x to x W + t. Symmetry that is
missed (in an inexact structure) costs time, never correctness. For labels of space groups use
spglib.
"""

import numpy as np
from numba import njit

from diffsym.scattering.orbits import images_of, lattice_symmetries
from diffsym.scattering.types import Booleans, Floats, Integers

# Two scatterers closer than this coincide, A. A motion accepted with such an error changes a phase
# by less than 1e-4 where d* is below 1.5 / A.
_POSITION_TOLERANCE = 1e-5
# So that no two distinct scatterers can be taken for the image of the same third one.
_SAME_SITE = 2 * _POSITION_TOLERANCE
# Occupancies that differ by less are equal, whatever the order in which they were added.
_OCCUPANCY_TOLERANCE = 1e-9
# A vector is replaced by a shorter one only if it is shorter by more than rounding.
_SHORTER = 1 - 1e-9


@njit(cache=True, nogil=True, error_model="numpy")
def reduced_basis(lattice: Floats) -> Floats:
    """Whole-number matrix M of determinant 1 or -1 for which M A is Minkowski-reduced.

    No vector of M A gets shorter by adding the others to it or subtracting them; they are sorted by
    length. All symmetry operations of such a lattice have entries -1, 0 and 1.
    """
    change = np.eye(3)
    basis = lattice.copy()
    improved = True
    while improved:
        improved = False
        order = np.argsort((basis**2).sum(axis=1), kind="mergesort")
        basis, change = basis[order], change[order]
        for i, j in ((1, 0), (2, 0), (2, 1)):
            times = np.rint(basis[i] @ basis[j] / (basis[j] @ basis[j]))
            shorter = basis[i] - times * basis[j]
            if shorter @ shorter < _SHORTER * (basis[i] @ basis[i]):
                basis[i] = shorter
                change[i] -= times * change[j]
                improved = True
        for p, q in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            shorter = basis[2] + p * basis[0] + q * basis[1]
            if shorter @ shorter < _SHORTER * (basis[2] @ basis[2]):
                basis[2] = shorter
                change[2] += p * change[0] + q * change[1]
                improved = True
    return change


@njit(cache=True, nogil=True, error_model="numpy")
def merged_scatterers(
    lattice: Floats, atomic_numbers: Integers, frac_coords: Floats, occupancies: Floats
) -> tuple[Integers, Floats, Floats, Integers]:
    """Scatterers sorted by element, those of one element at one place merged.

    Parameters
    ----------
    lattice, atomic_numbers, frac_coords, occupancies
        A structure, see `diffsym.scattering.types.Cells`.

    Returns
    -------
    atomic_numbers : (m,) int64
        Rising.
    frac_coords : (m, 3) float64
        Fractional coordinates.
    occupancies : (m,) float64
        Rising within an element.
    kinds : (m,) int64
        Number of the pair of element and occupancy, from 0, rising.
    """
    tolerance = _SAME_SITE / _POSITION_TOLERANCE * _fractional_tolerance(lattice)
    order = np.argsort(atomic_numbers, kind="mergesort")
    weights = occupancies[order]
    alone = np.ones(len(order), dtype=np.bool_)
    for i in range(len(order)):
        for j in range(i - 1, -1, -1):
            if atomic_numbers[order[j]] != atomic_numbers[order[i]]:
                break
            if alone[j] and _coincide(frac_coords[order[i]], frac_coords[order[j]], tolerance):
                weights[j] += weights[i]
                alone[i] = False
                break
    order, weights = order[alone], weights[alone]
    by_weight = np.argsort(weights, kind="mergesort")
    by_both = by_weight[np.argsort(atomic_numbers[order[by_weight]], kind="mergesort")]
    order, weights = order[by_both], weights[by_both]
    numbers = atomic_numbers[order]
    kinds = np.zeros(len(order), dtype=np.int64)
    for i in range(1, len(order)):
        differ = numbers[i] != numbers[i - 1] or weights[i] - weights[i - 1] > _OCCUPANCY_TOLERANCE
        kinds[i] = kinds[i - 1] + int(differ)
    return numbers, frac_coords[order], weights, kinds


@njit(cache=True, nogil=True, error_model="numpy")
def _coincide(one: Floats, other: Floats, tolerance: Floats) -> bool:
    """Whether two positions are the same up to whole cells."""
    for axis in range(3):
        gap = one[axis] - other[axis]
        if abs(gap - np.rint(gap)) > tolerance[axis]:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def primitive_cell(
    lattice: Floats, kinds: Integers, frac_coords: Floats
) -> tuple[Floats, Floats, Integers, int]:
    """Reduced primitive cell of a crystal.

    Parameters
    ----------
    lattice : (3, 3) float64
        Row vectors, A.
    kinds : (n,) int64
        Equal for scatterers that scatter alike, numbered from 0.
    frac_coords : (n, 3) float64
        Fractional coordinates.

    Returns
    -------
    lattice : (3, 3) float64
        Row vectors, A, the longest last.
    frac_coords : (n / copies, 3) float64
        In this lattice.
    kept : (n / copies,) int64
        Which scatterers these are.
    copies : int
        Number of primitive cells in the cell given.
    """
    change = reduced_basis(lattice)
    basis = change @ lattice
    coordinates = frac_coords @ np.linalg.inv(change)
    n = len(kinds)
    counts = np.bincount(kinds)
    start = int(np.flatnonzero(kinds == np.argmin(counts))[0])
    kept = np.ones(n, dtype=np.bool_)
    images = np.empty(n, dtype=np.int64)
    # Rows span the lattice; those above the third are translations within the cell.
    spanning = np.zeros((3 + counts.min() - 1, 3), dtype=np.int64)
    copies = 1
    if _common_divisor(counts) > 1:
        tolerance = _fractional_tolerance(basis)
        shifts = np.empty((counts.min(), 3))
        for target in range(n):
            if kinds[target] != kinds[start] or target == start:
                continue
            shift = coordinates[target] - coordinates[start]
            if images_of(np.eye(3), shift, kinds, coordinates, tolerance, images):
                shifts[copies - 1] = shift
                kept &= images >= np.arange(n)
                copies += 1
        for index in range(copies - 1):
            for axis in range(3):
                spanning[3 + index, axis] = round(copies * shifts[index, axis])
    if copies == 1:
        return basis, coordinates, np.arange(n), 1
    for axis in range(3):
        spanning[axis, axis] = copies
    smaller = _lattice_basis(spanning) / copies
    smaller = reduced_basis(smaller @ basis) @ smaller
    members = np.flatnonzero(kept)
    return smaller @ basis, coordinates[members] @ np.linalg.inv(smaller), members, copies


@njit(cache=True, nogil=True, error_model="numpy")
def laue_group(
    lattice: Floats, kinds: Integers, frac_coords: Floats
) -> tuple[Integers, bool, Floats]:
    """Operations under which the intensities of a primitive crystal are the same.

    Parameters
    ----------
    lattice, kinds, frac_coords
        As `primitive_cell` returns them.

    Returns
    -------
    operations : (m, 3, 3) int64
        Proper rotations W; the columns h and W h, and their opposites, have the same intensity.
    centrosymmetric : bool
        Whether the crystal has a centre of inversion.
    centre : (3,) float64
        Where it is; zero if there is none.
    """
    counts = np.bincount(kinds)
    rarest = np.flatnonzero(kinds == np.argmin(counts))
    tolerance = _fractional_tolerance(lattice)
    inversion = -np.eye(3)
    centre = np.zeros(3)
    target = _target(inversion, rarest, kinds, frac_coords, tolerance)
    centrosymmetric = target >= 0
    if centrosymmetric:
        centre = (frac_coords[target] + frac_coords[rarest[0]]) / 2

    symmetries = lattice_symmetries(lattice)
    n_proper = len(symmetries) // 2
    proper = np.empty((n_proper, 3, 3))
    codes = np.empty(n_proper, dtype=np.int64)
    filled = 0
    for index in range(len(symmetries)):
        if _determinant(symmetries[index]) > 0:
            proper[filled] = symmetries[index]
            codes[filled] = _code(proper[filled])
            filled += 1
    known = codes == _code(np.eye(3))
    generators = np.empty(0, dtype=np.int64)
    for index in range(n_proper):
        rotation = proper[index]
        if known[index] or not (
            _target(rotation, rarest, kinds, frac_coords, tolerance) >= 0
            or (
                not centrosymmetric
                and _target(-rotation, rarest, kinds, frac_coords, tolerance) >= 0
            )
        ):
            continue
        generators = np.append(generators, index)
        _close(known, proper, codes, generators)
    return np.rint(proper[known]).astype(np.int64), centrosymmetric, centre


@njit(cache=True, nogil=True)
def _close(known: Booleans, proper: Floats, codes: Integers, generators: Integers) -> None:
    """Mark all rotations that are products of the known ones and the generators."""
    members = np.empty(len(known), dtype=np.int64)
    n_members = int(known.sum())
    members[:n_members] = np.flatnonzero(known)
    done = 0
    while done < n_members:
        for generator in generators:
            product = _code(_product(proper[members[done]], proper[generator]))
            for index in range(len(codes)):
                if codes[index] == product and not known[index]:
                    known[index] = True
                    members[n_members] = index
                    n_members += 1
        done += 1


@njit(cache=True, nogil=True)
def _code(rotation: Floats) -> int:
    """A number that no other matrix with entries from -3 to 3 has, as products here may have."""
    code = 0
    for i in range(3):
        for j in range(3):
            code = 7 * code + int(rotation[i, j]) + 3
    return code


# Written out, because calls of linear algebra take longer than nine numbers.
@njit(cache=True, nogil=True)
def _determinant(W: Floats) -> float:
    return (
        W[0, 0] * (W[1, 1] * W[2, 2] - W[1, 2] * W[2, 1])
        - W[0, 1] * (W[1, 0] * W[2, 2] - W[1, 2] * W[2, 0])
        + W[0, 2] * (W[1, 0] * W[2, 1] - W[1, 1] * W[2, 0])
    )


@njit(cache=True, nogil=True)
def _product(V: Floats, W: Floats) -> Floats:
    product = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            product[i, j] = V[i, 0] * W[0, j] + V[i, 1] * W[1, j] + V[i, 2] * W[2, j]
    return product


@njit(cache=True, nogil=True, error_model="numpy")
def _target(
    rotation: Floats, rarest: Integers, kinds: Integers, frac_coords: Floats, tolerance: Floats
) -> int:
    """Scatterer that a motion with this rotation takes the first rarest one to; -1 if none does."""
    images = np.empty(len(kinds), dtype=np.int64)
    for target in rarest:
        shift = frac_coords[target] - frac_coords[rarest[0]] @ rotation
        if images_of(rotation, shift, kinds, frac_coords, tolerance, images):
            return int(target)
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _fractional_tolerance(lattice: Floats) -> Floats:
    """Change of each fractional coordinate that moves a scatterer by the position tolerance."""
    inverse = np.linalg.inv(lattice)
    return _POSITION_TOLERANCE * np.sqrt((inverse**2).sum(axis=0))


@njit(cache=True, nogil=True)
def _common_divisor(counts: Integers) -> int:
    """Greatest common divisor; 1 where there cannot be a translation within the cell."""
    divisor = 0
    for count in counts:
        divisor = np.gcd(divisor, count)
    return divisor


@njit(cache=True, nogil=True)
def _lattice_basis(spanning: Integers) -> Floats:
    """Three rows that span the same lattice of whole-number vectors as more rows (Euclid)."""
    rows = spanning.copy()
    for axis in range(3):
        while True:
            pivot = -1
            n_others = 0
            for index in range(axis, len(rows)):
                if rows[index, axis] != 0:
                    n_others += 1
                    if pivot < 0 or abs(rows[index, axis]) < abs(rows[pivot, axis]):
                        pivot = index
            row = rows[pivot].copy()
            rows[pivot] = rows[axis]
            rows[axis] = row
            if n_others == 1:
                break
            for index in range(axis + 1, len(rows)):
                rows[index] -= rows[index, axis] // row[axis] * row
    return rows[:3].astype(np.float64)
