"""The symmetry of a crystal from its atoms alone: smallest cell, Laue group and orbits.

Rows are vectors: r = x A, a motion takes x to x W + t. All motions that a lattice can have are
tried, and those kept that map every scatterer onto an equal one; that takes some ten microseconds.
Symmetry that is missed (in an inexact structure, or in a very oblique cell) costs time, never
correctness. For labels of space groups use spglib.
"""

import math

import numpy as np
from numba import njit

from diffsym.scattering.types import Booleans, Floats, Integers, determinant

# Two scatterers closer than this coincide, A. A motion accepted with such an error changes a phase
# by less than 1e-4 where d* is below 1.5 / A.
_POSITION_TOLERANCE = 1e-5
# So that no two distinct scatterers can be taken for the image of the same third one.
_SAME_SITE = 2 * _POSITION_TOLERANCE
# Occupancies that differ by less are equal, whatever the order in which they were added.
_OCCUPANCY_TOLERANCE = 1e-9
# A vector is replaced by a shorter one only if it is shorter by more than rounding.
_SHORTER = 1 - 1e-9
# Relative tolerance of lattice vectors: a hundred cells away it is still below the next one.
_METRIC_TOLERANCE = 1e-6
# Of a lattice: those of a cube.
_MOST_SYMMETRIES = 48


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
        _sort_by_length(basis, change)
        for i, j in ((1, 0), (2, 0), (2, 1)):
            times = np.rint(_dot(basis[i], basis[j]) / _dot(basis[j], basis[j]))
            improved |= _shorten(basis, change, i, -times, j, 0.0, j)
        for p, q in ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)):
            improved |= _shorten(basis, change, 2, p, 0, q, 1)
    return change


@njit(cache=True, nogil=True)
def _sort_by_length(basis: Floats, change: Floats) -> None:
    """Sort lattice vectors, and with them the rows of a second matrix; equal ones stay in order."""
    for last in (1, 2):
        for i in range(last, 0, -1):
            if _dot(basis[i], basis[i]) < _dot(basis[i - 1], basis[i - 1]):
                for matrix in (basis, change):
                    for axis in range(3):
                        matrix[i, axis], matrix[i - 1, axis] = matrix[i - 1, axis], matrix[i, axis]


@njit(cache=True, nogil=True, error_model="numpy")
def _shorten(
    basis: Floats, change: Floats, row: int, p: float, first: int, q: float, second: int
) -> bool:
    """Add p times the first and q times the second vector to another, if that makes it shorter."""
    shorter = np.empty(3)
    for axis in range(3):
        shorter[axis] = basis[row, axis] + p * basis[first, axis] + q * basis[second, axis]
    if not _dot(shorter, shorter) < _SHORTER * _dot(basis[row], basis[row]):
        return False
    for axis in range(3):
        basis[row, axis] = shorter[axis]
        change[row, axis] += p * change[first, axis] + q * change[second, axis]
    return True


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
    weights = occupancies.copy()
    members = np.empty(len(atomic_numbers), dtype=np.int64)
    n = 0
    for i in _order(atomic_numbers, np.zeros(len(atomic_numbers))):
        alone = True
        for position in range(n - 1, -1, -1):
            j = members[position]
            if atomic_numbers[j] != atomic_numbers[i]:
                break
            if _coincide(frac_coords[i], frac_coords[j], tolerance):
                weights[j] += weights[i]
                alone = False
                break
        if alone:
            members[n] = i
            n += 1
    members = members[:n]
    members = members[_order(atomic_numbers[members], weights[members])]
    numbers, weights = atomic_numbers[members], weights[members]
    kinds = np.zeros(n, dtype=np.int64)
    for i in range(1, n):
        differ = numbers[i] != numbers[i - 1] or weights[i] - weights[i - 1] > _OCCUPANCY_TOLERANCE
        kinds[i] = kinds[i - 1] + int(differ)
    return numbers, frac_coords[members], weights, kinds


@njit(cache=True, nogil=True)
def _order(first: Integers, second: Floats) -> Integers:
    """Indices that sort by a first and then by a second number; equal pairs stay in order.

    Insertion, because the scatterers of an element mostly follow each other already.
    """
    order = np.arange(len(first))
    for last in range(1, len(first)):
        index = order[last]
        position = last
        while position > 0:
            before = order[position - 1]
            if first[before] < first[index] or (
                first[before] == first[index] and second[before] <= second[index]
            ):
                break
            order[position] = before
            position -= 1
        order[position] = index
    return order


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
    coordinates = frac_coords @ _inverse(change)
    n = len(kinds)
    counts = np.bincount(kinds)
    start = _rarest(kinds)[0]
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
                for axis in range(3):
                    shifts[copies - 1, axis] = shift[axis]
                for scatterer in range(n):
                    kept[scatterer] &= images[scatterer] >= scatterer
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
    return smaller @ basis, coordinates[members] @ _inverse(smaller), members, copies


@njit(cache=True, nogil=True, error_model="numpy")
def lattice_symmetries(lattice: Floats) -> Floats:
    """Integer matrices W, entries -1, 0, 1, for which the rows of W A are a copy of those of A."""
    vectors = np.zeros((27, 3))
    steps = np.empty((27, 3))
    for index in range(27):
        for axis in range(3):
            steps[index, axis] = index // 3 ** (2 - axis) % 3 - 1
            for component in range(3):
                vectors[index, component] += steps[index, axis] * lattice[axis, component]
    same = _equal_products(lattice, vectors)
    matrices = np.empty((_MOST_SYMMETRIES, 3, 3))
    n = 0
    for a in range(27):
        if not same[0, 0, a, a]:
            continue
        for b in range(27):
            if not (same[1, 1, b, b] and same[0, 1, a, b]):
                continue
            for c in range(27):
                if n < len(matrices) and same[2, 2, c, c] and same[0, 2, a, c] and same[1, 2, b, c]:
                    for axis in range(3):
                        matrices[n, 0, axis] = steps[a, axis]
                        matrices[n, 1, axis] = steps[b, axis]
                        matrices[n, 2, axis] = steps[c, axis]
                    n += 1
    return matrices[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def _equal_products(lattice: Floats, vectors: Floats) -> Booleans:
    """At i, j, a, b: whether rows i and j of the lattice have the product of vectors a and b."""
    equal = np.empty((3, 3, len(vectors), len(vectors)), dtype=np.bool_)
    for i in range(3):
        for j in range(3):
            scale = math.sqrt(_dot(lattice[i], lattice[i]) * _dot(lattice[j], lattice[j]))
            product = _dot(lattice[i], lattice[j])
            for a in range(len(vectors)):
                for b in range(len(vectors)):
                    difference = abs(_dot(vectors[a], vectors[b]) - product)
                    equal[i, j, a, b] = difference < _METRIC_TOLERANCE * scale
    return equal


@njit(cache=True, nogil=True, error_model="numpy")
def images_of(
    rotation: Floats,
    shift: Floats,
    kinds: Integers,
    frac_coords: Floats,
    tolerance: Floats,
    images: Integers,
) -> bool:
    """Fill in which scatterer each one is moved onto; False if one matches no scatterer."""
    for i in range(len(kinds)):
        x, y, z = frac_coords[i]
        images[i] = -1
        for j in range(len(kinds)):
            if kinds[j] != kinds[i]:
                continue
            coincide = True
            for axis in range(3):
                moved = x * rotation[0, axis] + y * rotation[1, axis] + z * rotation[2, axis]
                gap = moved + shift[axis] - frac_coords[j, axis]
                if abs(gap - np.rint(gap)) > tolerance[axis]:
                    coincide = False
                    break
            if coincide:
                images[i] = j
                break
        if images[i] < 0:
            return False
    return True


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
    rarest = _rarest(kinds)
    tolerance = _fractional_tolerance(lattice)
    images = np.empty(len(kinds), dtype=np.int64)
    inversion = -np.eye(3)
    centre = np.zeros(3)
    target = _target(inversion, rarest, kinds, frac_coords, tolerance, images)
    centrosymmetric = target >= 0
    if centrosymmetric:
        for axis in range(3):
            centre[axis] = (frac_coords[target, axis] + frac_coords[rarest[0], axis]) / 2

    symmetries = lattice_symmetries(lattice)
    proper = np.empty((len(symmetries), 3, 3))
    codes = np.empty(len(symmetries), dtype=np.int64)
    known = np.zeros(len(symmetries), dtype=np.bool_)
    n_proper = 0
    for index in range(len(symmetries)):
        if determinant(symmetries[index]) > 0:
            _copy(symmetries[index], proper[n_proper])
            codes[n_proper] = _code(proper[n_proper])
            known[n_proper] = codes[n_proper] == _code(np.eye(3))
            n_proper += 1
    generators = np.empty(n_proper, dtype=np.int64)
    n_generators = 0
    for index in range(n_proper):
        rotation = proper[index]
        if known[index] or not (
            _target(rotation, rarest, kinds, frac_coords, tolerance, images) >= 0
            or (
                not centrosymmetric
                and _target(-rotation, rarest, kinds, frac_coords, tolerance, images) >= 0
            )
        ):
            continue
        generators[n_generators] = index
        n_generators += 1
        _close(known[:n_proper], proper, codes, generators[:n_generators])
    operations = np.empty((n_proper, 3, 3), dtype=np.int64)
    n = 0
    for index in range(n_proper):
        if known[index]:
            _copy(proper[index], operations[n])
            n += 1
    return operations[:n], centrosymmetric, centre


@njit(cache=True, nogil=True, error_model="numpy")
def symmetry_orbits(lattice: Floats, kinds: Floats, frac_coords: Floats) -> Integers:
    """Group scatterers that symmetry operations of the crystal map onto each other.

    Parameters
    ----------
    lattice : (3, 3) float64
        Row vectors, A; of any cell.
    kinds : (n,)
        Equal for scatterers that scatter alike.
    frac_coords : (n, 3) float64
        Fractional coordinates.

    Returns
    -------
    (n,) int64
        For each scatterer the index of the first one of its orbit.
    """
    n = len(kinds)
    parents = np.arange(n)
    names = np.unique(kinds)
    numbers = np.searchsorted(names, kinds)
    rarest = _rarest(numbers)
    tolerance = _fractional_tolerance(lattice)
    images = np.empty(n, dtype=np.int64)
    n_orbits = n
    # Motions of one rotation differ by translations, so one of each will do.
    for target in rarest[1:]:
        shift = frac_coords[target] - frac_coords[rarest[0]]
        if images_of(np.eye(3), shift, numbers, frac_coords, tolerance, images):
            n_orbits -= _join(parents, images)
    rotations = lattice_symmetries(lattice)
    for index in range(len(rotations)):
        if n_orbits == len(names):
            break
        if _target(rotations[index], rarest, numbers, frac_coords, tolerance, images) >= 0:
            n_orbits -= _join(parents, images)
    return np.array([_root(parents, i) for i in range(n)])


@njit(cache=True, nogil=True)
def _join(parents: Integers, images: Integers) -> int:
    """Join each scatterer's orbit with that of its image; the number of orbits that vanish."""
    joined = 0
    for i in range(len(images)):
        first, second = _root(parents, i), _root(parents, images[i])
        if first != second:
            parents[max(first, second)] = min(first, second)
            joined += 1
    return joined


@njit(cache=True, nogil=True)
def _root(parents: Integers, index: int) -> int:
    while parents[index] != index:
        index = int(parents[index])
    return index


@njit(cache=True, nogil=True)
def _rarest(kinds: Integers) -> Integers:
    """Scatterers of the rarest kind: a motion is fixed by its rotation and where it takes one."""
    return np.flatnonzero(kinds == np.argmin(np.bincount(kinds)))


@njit(cache=True, nogil=True)
def _close(known: Booleans, proper: Floats, codes: Integers, generators: Integers) -> None:
    """Mark all rotations that are products of the known ones and the generators."""
    members = np.empty(len(known), dtype=np.int64)
    n_members = 0
    for index in range(len(known)):
        if known[index]:
            members[n_members] = index
            n_members += 1
    done = 0
    while done < n_members:
        for generator in generators:
            product = _code(_product(proper[members[done]], proper[generator]))
            for index in range(len(known)):
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
def _product(V: Floats, W: Floats) -> Floats:
    product = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            product[i, j] = V[i, 0] * W[0, j] + V[i, 1] * W[1, j] + V[i, 2] * W[2, j]
    return product


# An assignment of arrays would bring along the text of an error: two seconds of compilation.
@njit(cache=True, nogil=True)
def _copy(source: Floats, target: Floats) -> None:
    """Copy nine numbers."""
    for i in range(3):
        for j in range(3):
            target[i, j] = source[i, j]


@njit(cache=True, nogil=True)
def _dot(one: Floats, other: Floats) -> float:
    """Scalar product of two vectors."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


@njit(cache=True, nogil=True, error_model="numpy")
def _inverse(W: Floats) -> Floats:
    """Inverse matrix; exact if all numbers are whole and the determinant is 1 or -1."""
    inverse = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            p, q, r, s = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            inverse[i, j] = (W[p, r] * W[q, s] - W[p, s] * W[q, r]) / determinant(W)
    return inverse


@njit(cache=True, nogil=True, error_model="numpy")
def _target(
    rotation: Floats,
    rarest: Integers,
    kinds: Integers,
    frac_coords: Floats,
    tolerance: Floats,
    images: Integers,
) -> int:
    """Scatterer that a motion with this rotation takes the first rarest one to; -1 if none does.

    The images of all scatterers under this motion are filled in.
    """
    x, y, z = frac_coords[rarest[0]]
    shift = np.empty(3)
    for target in rarest:
        for axis in range(3):
            moved = x * rotation[0, axis] + y * rotation[1, axis] + z * rotation[2, axis]
            shift[axis] = frac_coords[target, axis] - moved
        if images_of(rotation, shift, kinds, frac_coords, tolerance, images):
            return int(target)
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _fractional_tolerance(lattice: Floats) -> Floats:
    """Change of each fractional coordinate that moves a scatterer by the position tolerance."""
    inverse = _inverse(lattice)
    tolerance = np.empty(3)
    for axis in range(3):
        length = math.sqrt(_dot(inverse[:, axis], inverse[:, axis]))
        tolerance[axis] = _POSITION_TOLERANCE * length
    return tolerance


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
            for column in range(3):
                rows[axis, column], rows[pivot, column] = rows[pivot, column], rows[axis, column]
            if n_others == 1:
                break
            for index in range(axis + 1, len(rows)):
                times = rows[index, axis] // rows[axis, axis]
                for column in range(3):
                    rows[index, column] -= times * rows[axis, column]
    return rows[:3].astype(np.float64)
