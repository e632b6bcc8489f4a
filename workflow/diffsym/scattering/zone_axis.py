r"""Kinematic electron-diffraction images along the x, y and z axes of a crystal.

The beam travels along a unit vector w; u and v, perpendicular to it, span the detector. A pixel at
(q_u, q_v) receives what is scattered by

.. math::
    \mathbf q = q_u \mathbf u + q_v \mathbf v + q_w \mathbf w, \qquad
    q_w = \sqrt{1/\lambda^2 - q_u^2 - q_v^2} - 1/\lambda

(the Ewald sphere; without curvature q_w = 0). Of a finite crystal with the scatterers j of a cell
at :math:`\mathbf x_j`, each in its images by all lattice vectors, it receives the intensity

.. math::
    I(\mathbf q) = \Bigl| \sum_{\mathbf r} W(\mathbf r) \, o_j f_j(|\mathbf q|)
        e^{2 \pi i \mathbf q \cdot \mathbf r} \Bigr|^2

W being the shape of the crystal. There is no absorption and no multiple scattering.

Parallelepiped of whole cells (W is 1 or 0): the sum over lattice vectors is a geometric series,

.. math::
    I(\mathbf q) = |F(\mathbf q)|^2 \prod_{i=1}^3
        \left( \frac{\sin \pi N_i h_i}{N_i \sin \pi h_i} \right)^2, \qquad
    h_i = \mathbf q \cdot \mathbf a_i

per squared number of cells (von Laue's interference function).

Gaussian (W falls from 1 in the centre to 1/2 at half the size): by Poisson's sum over the
reciprocal lattice, and averaged over all places of the envelope relative to the lattice, that is
over many crystallites,

.. math::
    I(\mathbf q) = \sum_{\mathbf G} |F_{\mathbf q}(\mathbf G)|^2
        e^{-4 \pi^2 \sigma^2 |\mathbf q - \mathbf G|^2}, \qquad
    F_{\mathbf q}(\mathbf G) = \sum_j o_j f_j(|\mathbf q|) e^{2 \pi i \mathbf G \cdot \mathbf x_j}

where I at a reciprocal lattice point is its :math:`|F|^2`. The average removes the interference of
neighbouring spots, which would depend on where the envelope lies in a cell; so these images do not
depend on the origin.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from diffsym.errors import DiffsymError
from diffsym.scattering.form_factors import LARGEST_D_STAR, form_factors
from diffsym.scattering.types import (
    FWHM_PER_SIGMA,
    LARGEST_ATOMIC_NUMBER,
    Cells,
    Complexes,
    Floats,
    Integers,
)

BEAMS = ("cartesian", "lattice")
SHAPES = ("gaussian", "parallelepiped")
EWALD_SURFACES = ("sphere", "plane")
# A Gaussian spot is drawn as far as it is above this share of its own maximum.
SPOT_END = 1e-9
# A reflection is absent if each element's part of it is below this share of its scatterers in
# phase: squared, far above rounding (1e-30) and far below anything visible.
ABSENT = 1e-10


class Detector(NamedTuple):
    """What depends on the pixels only.

    Attributes
    ----------
    q : (p,) float64
        q_u of the columns, and q_v of the rows, 1/A; symmetric about zero, rising.
    rings : (p, p) int64
        Pixels at the same distance from the centre have the same number.
    q_w : (m,) float64
        Along the beam, of each ring, 1/A.
    form_factors : (99, m) float64
        Of each element on each ring, with the displacement factor; row 0 is empty.
    """

    q: Floats
    rings: Integers
    q_w: Floats
    form_factors: Floats


def zone_axis_images(
    cell: Cells,
    *,
    beam: str,
    shape: str,
    size: float,
    ewald: str,
    wavelength: float,
    q_max: float,
    pixels: int,
    b_iso: float,
    radiation: str,
) -> Floats:
    """Images of one structure with the beam along its x, y and z axes.

    Parameters
    ----------
    cell
        Of one structure. Scatterers may share a site.
    beam : {"cartesian", "lattice"}
        Directions of the beam, see `beam_frames`.
    shape : {"gaussian", "parallelepiped"}
        Shape of the crystal.
    size : float
        Full width of the Gaussian envelope at half its height, A. The parallelepiped has as many
        cells along each lattice vector as come nearest to this length, at least one.
    ewald : {"sphere", "plane"}
        Surface that reflections have to lie near.
    wavelength : float
        A; 0.035 is that of electrons of 110.8 keV.
    q_max : float
        Half the side of the detector, 1/A: pixels are centred from -q_max to q_max but for half
        a pixel.
    pixels : int
        Along each side of the detector.
    b_iso : float
        Isotropic displacement parameter B = 8 pi^2 U of all scatterers, A^2.
    radiation : {"electron", "xray"}
        Which form factors (`diffsym.scattering.form_factors`).

    Returns
    -------
    (3, pixels, pixels) float64
        Intensity of the images along x, y and z; a row runs along u, a column along v. At a
        reciprocal lattice point it is |F|^2 per given cell, A^2 (X-rays: electrons^2). The direct
        beam, the reflection 000, is part of it.

    Raises
    ------
    DiffsymError
        If a setting is out of range or the structure is impossible.

    Examples
    --------
    The direct beam is the brightest spot of gold, and the crystal looks the same along x and z:

    >>> places = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    >>> gold = Cells.of_one(4.078 * np.eye(3), [79] * 4, places)
    >>> detector = {"wavelength": 0.035, "q_max": 0.8, "pixels": 65, "b_iso": 0.0}
    >>> crystal = {"beam": "cartesian", "shape": "gaussian", "size": 30.0, "ewald": "sphere"}
    >>> x, y, z = zone_axis_images(gold, **detector, **crystal, radiation="electron")
    >>> np.unravel_index(x.argmax(), x.shape) == (32, 32), np.allclose(x, z)
    (True, True)
    """
    if len(cell) != 1:
        raise ValueError(f"images are made of one structure at a time, not of {len(cell)}")
    if reason := cell.impossibility():
        raise DiffsymError(f"no diffraction image: {reason}")
    if shape not in SHAPES or not 0 < size < math.inf:
        raise DiffsymError(
            f"a crystal has one of the shapes {', '.join(SHAPES)} and a size above 0 A, "
            f"not {shape!r} and {size}"
        )
    detector = make_detector(
        ewald=ewald,
        wavelength=float(wavelength),
        q_max=float(q_max),
        pixels=int(pixels),
        b_iso=float(b_iso),
        radiation=radiation,
    )
    lattice = cell.lattices[0]
    order = np.argsort(cell.atomic_numbers, kind="stable")
    elements, firsts = np.unique(cell.atomic_numbers[order], return_index=True)
    structure = (
        cell.frac_coords[order],
        cell.occupancies[order],
        np.append(firsts, len(order)),
        # All elements' values of a ring are adjacent, as they are used.
        np.ascontiguousarray(detector.form_factors[elements].T),
    )
    frames = beam_frames(lattice, beam)
    if shape == "gaussian":
        curvature = float(wavelength) if ewald == "sphere" else 0.0
        reach = math.sqrt(-math.log(SPOT_END)) * FWHM_PER_SIGMA / (2 * math.pi * size)
        if curvature * math.sqrt(2) * (q_max + reach) >= 1:
            raise DiffsymError(
                f"spots of a crystal of {size} A reach beyond the Ewald sphere of a wavelength of "
                f"{wavelength} A; take a larger size, a shorter wavelength or a smaller q_max"
            )
        return np.stack(
            [
                _gaussian_image(
                    lattice @ frame.T, *structure, *detector[:3], curvature, size, reach
                )
                for frame in frames
            ]
        )
    cells = np.maximum(np.rint(size / np.linalg.norm(lattice, axis=1)), 1).astype(np.int64)
    return np.stack(
        [
            _parallelepiped_image(lattice @ frame.T, *structure, *detector[:3], cells)
            for frame in frames
        ]
    )


def beam_frames(lattice: ArrayLike, beam: str = "cartesian") -> Floats:
    """Directions of the beam and the detector for the images along x, y and z.

    Parameters
    ----------
    lattice : (3, 3)
        Row vectors, A.
    beam : {"cartesian", "lattice"}
        "cartesian": the beam travels along the Cartesian axes of the lattice's frame; u is the
        next axis in the cycle x, y, z and v the one after. "lattice": it travels along the lattice
        vectors a, b, c; u is the next one in the cycle a, b, c as far as it is perpendicular to the
        beam. In the standard orientation (a along x, b in the plane of x and y) both are the same
        for orthogonal cells, and always for x.

    Returns
    -------
    (3, 3, 3) float64
        Of each image the unit vectors u, v and w, rows, right-handed.

    Raises
    ------
    DiffsymError
        If there is no such choice of directions.
    """
    axes = {"cartesian": np.eye(3), "lattice": np.asarray(lattice, dtype=np.float64)}.get(beam)
    if axes is None:
        raise DiffsymError(f"beam is one of {', '.join(BEAMS)}, not {beam!r}")
    w = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    following = np.roll(axes, -1, axis=0)
    u = following - np.sum(following * w, axis=1, keepdims=True) * w
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    return np.stack([u, np.cross(w, u), w], axis=1)


@lru_cache(maxsize=4)
def make_detector(
    *, ewald: str, wavelength: float, q_max: float, pixels: int, b_iso: float, radiation: str
) -> Detector:
    """Everything about the pixels; the parameters are those of `zone_axis_images`."""
    corner = math.sqrt(2) * q_max
    if not (
        ewald in EWALD_SURFACES
        and 0 < wavelength * corner < 1
        and 0 <= b_iso < math.inf
        and pixels >= 1
    ):
        raise DiffsymError(
            f"a detector needs an Ewald surface out of {', '.join(EWALD_SURFACES)}, wavelength and "
            f"q_max above 0 with wavelength x q_max below {1 / math.sqrt(2):.3f}, a pixel and "
            f"b_iso >= 0, not {ewald!r}, {wavelength}, {q_max}, {pixels} and {b_iso}"
        )
    # Twice the distance from the centre in pixels is a whole number, so rings are exact.
    doubled = np.arange(1.0 - pixels, pixels, 2.0)
    squares, rings = np.unique((doubled**2)[:, np.newaxis] + doubled**2, return_inverse=True)
    half_step = q_max / pixels
    across = squares * half_step**2
    q_w = _on_ewald_surface(across, wavelength if ewald == "sphere" else 0.0)
    d_star = np.sqrt(across + q_w**2)
    if d_star[-1] > LARGEST_D_STAR:
        raise DiffsymError(
            f"form factors are tabulated up to {LARGEST_D_STAR:g} / A, and the corner of a "
            f"detector with q_max {q_max} lies at {d_star[-1]:.3f} / A"
        )
    factors = np.zeros((LARGEST_ATOMIC_NUMBER + 1, len(squares)))
    factors[1:] = form_factors(np.arange(1, LARGEST_ATOMIC_NUMBER + 1), d_star, radiation)
    factors *= np.exp(-b_iso / 4 * d_star**2)
    return Detector(doubled * half_step, rings.reshape(pixels, pixels), q_w, factors)


@njit(cache=True, nogil=True)
def _on_ewald_surface(across: Any, curvature: float) -> Any:
    """q_w, 1/A, for one or many q_u^2 + q_v^2; the curvature is the wavelength, of a plane 0."""
    return -curvature * across / (1 + np.sqrt(1 - curvature**2 * across))


@njit(cache=True, nogil=True, error_model="numpy")
def _gaussian_image(
    lattice: Floats,
    frac_coords: Floats,
    weights: Floats,
    firsts: Integers,
    form_factors: Floats,
    q: Floats,
    rings: Integers,
    q_w: Floats,
    curvature: float,
    size: float,
    reach: float,
) -> Floats:
    """Spots of a Gaussian crystal.

    Parameters
    ----------
    lattice : (3, 3) float64
        Row vectors in the frame u, v, w, A.
    frac_coords : (n, 3) float64
        Of the scatterers, sorted by element.
    weights : (n,) float64
        Occupancies.
    firsts : (e + 1,) int64
        First scatterer of each element, and the number of all.
    form_factors : (m, e) float64
        Of each ring and element.
    q, rings, q_w
        See `Detector`.
    curvature : float
        Of the Ewald surface, A.
    size : float
        Full width of the crystal at half maximum, A.
    reach : float
        How far a spot is drawn, 1/A.

    Returns
    -------
    (p, p) float64
        Intensity.
    """
    # exp(-exponent s^2) is the intensity at a distance s from a reciprocal lattice point.
    exponent = 4 * math.pi**2 * (size / FWHM_PER_SIGMA) ** 2
    reciprocal = np.ascontiguousarray(np.linalg.inv(lattice).T)
    hkl = _reflections_near(lattice, reciprocal, q[-1], reach, curvature)
    parts = _structure_factor_parts(hkl, frac_coords, weights, firsts)
    n_elements = len(firsts) - 1
    pixels = len(q)
    image = np.zeros((pixels, pixels))
    step = q[1] - q[0] if pixels > 1 else 2 * q[-1] + 1.0
    for index in range(len(hkl)):
        if not parts[index].any():
            continue
        real, imaginary = parts[index].real, parts[index].imag
        g = hkl[index].astype(np.float64) @ reciprocal
        first_row = max(math.ceil((g[1] - reach - q[0]) / step), 0)
        last_row = min(math.floor((g[1] + reach - q[0]) / step), pixels - 1)
        for row in range(first_row, last_row + 1):
            half_width = math.sqrt(max(reach**2 - (q[row] - g[1]) ** 2, 0.0))
            first_column = max(math.ceil((g[0] - half_width - q[0]) / step), 0)
            last_column = min(math.floor((g[0] + half_width - q[0]) / step), pixels - 1)
            for column in range(first_column, last_column + 1):
                ring = rings[row, column]
                square = (q[column] - g[0]) ** 2 + (q[row] - g[1]) ** 2 + (q_w[ring] - g[2]) ** 2
                if square > reach**2:
                    continue
                a, b = 0.0, 0.0
                for element in range(n_elements):
                    a += form_factors[ring, element] * real[element]
                    b += form_factors[ring, element] * imaginary[element]
                image[row, column] += (a * a + b * b) * math.exp(-exponent * square)
    return image


@njit(cache=True, nogil=True, error_model="numpy")
def _reflections_near(
    lattice: Floats, reciprocal: Floats, q_max: float, reach: float, curvature: float
) -> Integers:
    """All h, k, l that may lie within `reach` of the part of the Ewald surface on the detector.

    Parameters
    ----------
    lattice, reciprocal : (3, 3) float64
        Row vectors in the frame u, v, w, A and 1/A.
    q_max, reach : float
        Half the side of the detector and the reach of a spot, 1/A.
    curvature : float
        Of the Ewald surface, A.

    Returns
    -------
    (m, 3) int64
        In ascending order of two indices and of the one that leads most steeply off the surface.
    """
    side = q_max + reach
    deepest = _on_ewald_surface(2 * side**2, curvature)
    # A distance d along w is at least d cos(slope) from the surface.
    steepest = math.sqrt(1 - curvature**2 * 2 * side**2)
    lowest, highest = deepest - reach / steepest, reach / steepest
    longest = math.sqrt(2 * side**2 + max(lowest**2, highest**2))
    inner = int(np.argmax(np.abs(reciprocal[:, 2])))
    i, j = (inner + 1) % 3, (inner + 2) % 3
    # An index is the product of the reciprocal vector with a lattice vector.
    i_max = int(longest * np.sqrt(lattice[i] @ lattice[i]))
    j_max = int(longest * np.sqrt(lattice[j] @ lattice[j]))
    climb = reciprocal[inner, 2]
    found = np.empty((256, 3), dtype=np.int64)
    n = 0
    for p in range(-i_max, i_max + 1):
        for r in range(-j_max, j_max + 1):
            base = p * reciprocal[i] + r * reciprocal[j]
            ends = (lowest - base[2]) / climb, (highest - base[2]) / climb
            for s in range(math.ceil(min(ends)), math.floor(max(ends)) + 1):
                u = base[0] + s * reciprocal[inner, 0]
                v = base[1] + s * reciprocal[inner, 1]
                if abs(u) > side or abs(v) > side:
                    continue
                away = base[2] + s * climb - _on_ewald_surface(u * u + v * v, curvature)
                if abs(away) * steepest > reach:
                    continue
                if n == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[n, i], found[n, j], found[n, inner] = p, r, s
                n += 1
    return found[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def _structure_factor_parts(
    hkl: Integers, frac_coords: Floats, weights: Floats, firsts: Integers
) -> Complexes:
    """Sum of o_j e^(2 pi i G x_j) over the scatterers of each element, (m, e).

    A reflection in which no element has a part above rounding gets zeros.
    """
    parts = np.zeros((len(hkl), len(firsts) - 1), dtype=np.complex128)
    if len(hkl) == 0:
        return parts
    h_max, k_max, l_max = np.abs(hkl[:, 0]).max(), np.abs(hkl[:, 1]).max(), np.abs(hkl[:, 2]).max()
    h_phases = _exact_phases(frac_coords[:, 0], h_max)
    k_phases = _exact_phases(frac_coords[:, 1], k_max)
    l_phases = _exact_phases(frac_coords[:, 2], l_max)
    for index in range(len(hkl)):
        h_phase = h_phases[hkl[index, 0] + h_max]
        k_phase = k_phases[hkl[index, 1] + k_max]
        l_phase = l_phases[hkl[index, 2] + l_max]
        for element in range(len(firsts) - 1):
            total, in_phase = 0j, 0.0
            for atom in range(firsts[element], firsts[element + 1]):
                total += weights[atom] * (h_phase[atom] * k_phase[atom] * l_phase[atom])
                in_phase += weights[atom]
            if abs(total) > ABSENT * in_phase:
                parts[index, element] = total
    return parts


@njit(cache=True, nogil=True)
def _exact_phases(coordinates: Floats, index_max: int) -> Complexes:
    """e^(2 pi i h x) for h from -index_max to index_max, rows, and scatterers, columns.

    One by one, not as powers as in `diffsym.scattering.reflections`: equal spots are compared with
    a threshold and their distances with each other, so that the last digit can join two of them.
    """
    indices = np.arange(-index_max, index_max + 1).astype(np.float64)
    return np.exp(2j * math.pi * np.outer(indices, coordinates))


@njit(cache=True, nogil=True, error_model="numpy")
def _parallelepiped_image(
    lattice: Floats,
    frac_coords: Floats,
    weights: Floats,
    firsts: Integers,
    form_factors: Floats,
    q: Floats,
    rings: Integers,
    q_w: Floats,
    cells: Integers,
) -> Floats:
    """Intensity of a parallelepiped of `cells` (3,) whole cells; for the rest `_gaussian_image`.

    The phase of an atom is a product of one that depends on the column, one on the row and one,
    because of the curvature of the Ewald sphere, on the ring.
    """
    pixels = len(q)
    amplitude = np.zeros((pixels, pixels), dtype=np.complex128)
    positions = frac_coords @ lattice
    for element in range(len(firsts) - 1):
        part = np.zeros((pixels, pixels), dtype=np.complex128)
        for atom in range(firsts[element], firsts[element + 1]):
            u, v, w = positions[atom]
            of_column = np.exp(2j * math.pi * u * q)
            of_row = weights[atom] * np.exp(2j * math.pi * v * q)
            of_ring = np.exp(2j * math.pi * w * q_w)
            for row in range(pixels):
                for column in range(pixels):
                    part[row, column] += (
                        of_row[row] * of_column[column] * of_ring[rings[row, column]]
                    )
        for row in range(pixels):
            for column in range(pixels):
                factor = form_factors[rings[row, column], element]
                amplitude[row, column] += factor * part[row, column]
    image = np.empty((pixels, pixels))
    for row in range(pixels):
        for column in range(pixels):
            value = amplitude[row, column]
            image[row, column] = value.real**2 + value.imag**2
            for axis in range(3):
                h = (
                    q[column] * lattice[axis, 0]
                    + q[row] * lattice[axis, 1]
                    + q_w[rings[row, column]] * lattice[axis, 2]
                )
                image[row, column] *= _interference(h, cells[axis])
    return image


@njit(cache=True, nogil=True)
def _interference(h: float, n: int) -> float:
    """Interference function (sin(pi n h) / (n sin(pi h)))^2 of a row of n cells."""
    # Its period is 1; near the peak, where both sines vanish, it is 1 - (n^2 - 1) (pi h)^2 / 3.
    angle = math.pi * (h - np.rint(h))
    if abs(n * angle) < 1e-6:
        return 1.0
    return float((math.sin(n * angle) / (n * math.sin(angle))) ** 2)
