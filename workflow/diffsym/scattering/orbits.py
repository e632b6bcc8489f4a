"""Which scatterers of a cell are equivalent, fast enough to be asked for every structure.

A sum over pairs needs one scatterer of each symmetry orbit only. Where the orbits are not known
they are found here, by trying all rigid motions that a crystal can have and keeping those that map
every scatterer onto an equal one. An operation that is missed (in a very oblique cell) costs time,
never correctness, so no space group has to be named. That takes a tenth of a millisecond; for
labels of space groups use spglib.
"""

import numpy as np
from numba import njit

# Relative tolerance of lattice vectors: a hundred cells away it is still below the next one.
_METRIC_TOLERANCE = 1e-6
# Two scatterers closer than this coincide, in A; coordinates are stored with four decimals or more.
_POSITION_TOLERANCE = 1e-4


@njit(cache=True, error_model="numpy")
def lattice_symmetries(lattice: np.ndarray) -> np.ndarray:
    """Integer matrices W, entries -1, 0, 1, for which the rows of W A are a copy of those of A."""
    metric = lattice @ lattice.T
    steps = np.empty((27, 3))
    for index in range(27):
        steps[index, 0] = index // 9 - 1
        steps[index, 1] = index // 3 % 3 - 1
        steps[index, 2] = index % 3 - 1
    vectors = steps @ lattice
    products = vectors @ vectors.T
    same = np.empty((3, 3, 27, 27), dtype=np.bool_)
    for i in range(3):
        for j in range(3):
            scale = _METRIC_TOLERANCE * np.sqrt(metric[i, i] * metric[j, j])
            same[i, j] = np.abs(products - metric[i, j]) < scale
    found = []
    for a in range(27):
        if not same[0, 0, a, a]:
            continue
        for b in range(27):
            if not (same[1, 1, b, b] and same[0, 1, a, b]):
                continue
            for c in range(27):
                if same[2, 2, c, c] and same[0, 2, a, c] and same[1, 2, b, c]:
                    found.append((a, b, c))  # noqa: PERF401 - numba has no extend by generator
    matrices = np.empty((len(found), 3, 3))
    for index, (a, b, c) in enumerate(found):
        matrices[index, 0] = steps[a]
        matrices[index, 1] = steps[b]
        matrices[index, 2] = steps[c]
    return matrices


@njit(cache=True, error_model="numpy")
def images_of(
    rotation: np.ndarray,
    shift: np.ndarray,
    kinds: np.ndarray,
    frac_coords: np.ndarray,
    tolerance: np.ndarray,
    images: np.ndarray,
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


@njit(cache=True)
def _root(parents: np.ndarray, index: int) -> int:
    while parents[index] != index:
        index = int(parents[index])
    return index


@njit(cache=True, error_model="numpy")
def symmetry_orbits(lattice: np.ndarray, kinds: np.ndarray, frac_coords: np.ndarray) -> np.ndarray:
    """Group scatterers that symmetry operations of the crystal map onto each other.

    Parameters
    ----------
    lattice : (3, 3) float
        Row vectors, A.
    kinds : (n,) float
        Equal for scatterers that scatter alike.
    frac_coords : (n, 3) float
        Fractional coordinates.

    Returns
    -------
    (n,) int64
        For each scatterer the index of the first one of its orbit.
    """
    n = len(kinds)
    parents = np.arange(n)
    if n < 2:
        return parents
    counts = np.empty(n, dtype=np.int64)
    n_kinds = 0
    for i in range(n):
        counts[i] = np.sum(kinds == kinds[i])
        n_kinds += int(np.all(kinds[:i] != kinds[i]))
    # An operation is fixed by its rotation and by where it takes one scatterer: try the rarest.
    start = np.argmin(counts)
    tolerance = np.empty(3)
    inverse = np.linalg.inv(lattice)
    for axis in range(3):
        tolerance[axis] = _POSITION_TOLERANCE * np.linalg.norm(inverse[:, axis])
    images = np.empty(n, dtype=np.int64)
    n_orbits = n
    rotations = lattice_symmetries(lattice)
    for index in range(len(rotations)):
        rotation = rotations[index]
        for target in range(n):
            if kinds[target] != kinds[start]:
                continue
            shift = frac_coords[target] - frac_coords[start] @ rotation
            if not images_of(rotation, shift, kinds, frac_coords, tolerance, images):
                continue
            for i in range(n):
                first, second = _root(parents, i), _root(parents, images[i])
                if first != second:
                    parents[max(first, second)] = min(first, second)
                    n_orbits -= 1
            if n_orbits == n_kinds:
                return np.array([_root(parents, i) for i in range(n)])
    return np.array([_root(parents, i) for i in range(n)])
