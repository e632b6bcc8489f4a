"""Slow, plain references for powder reflections."""

import numpy as np
from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS
from pymatgen.core import Element

from diffsym.scattering.form_factors import LARGEST_ATOMIC_NUMBER, NODE_STEP, form_factors

CU_K_ALPHA = 1.54184


def direct_sum(cell, d_star_min, d_star_max, **settings):
    """d* and |F|^2 of every h, k, l but the origin in a generous box, one after the other."""
    return reflections_one_by_one(cell, d_star_min, d_star_max, **settings)[1:]


def reflections_one_by_one(cell, d_star_min, d_star_max, *, b_iso=0.0, radiation="xray"):
    """Miller indices, d* and |F|^2 of every reflection but the origin, in any order."""
    lattice, numbers, coordinates, occupancies = cell
    reach = np.ceil(2 + 1.5 * d_star_max * np.linalg.norm(lattice, axis=1)).astype(int)
    axes = [np.arange(-n, n + 1) for n in reach]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    d_star = np.linalg.norm(hkl @ np.linalg.inv(lattice).T, axis=1)
    inside = (d_star >= d_star_min) & (d_star <= d_star_max) & hkl.any(axis=1)
    hkl, d_star = hkl[inside], d_star[inside]
    factors = form_factors(numbers, d_star, radiation) * np.reshape(occupancies, (-1, 1))
    amplitudes = (factors * np.exp(2j * np.pi * coordinates @ hkl.T)).sum(axis=0)
    return hkl, d_star, np.abs(amplitudes) ** 2 * np.exp(-b_iso / 2 * d_star**2)


def march_dollase(cosine, ratio):
    """Share of crystallites in reflecting orientation (Dollase 1986, equation 1)."""
    alpha = np.arccos(np.clip(cosine, -1, 1))
    return (ratio**2 * np.cos(alpha) ** 2 + np.sin(alpha) ** 2 / ratio) ** -1.5


def merged_difference(ours, theirs, tolerance):
    """Largest difference between the lines of two lists, as a share of the strongest line.

    Lines that follow each other closer than the tolerance are one, in both lists together; so a
    peak that the one splits and the other does not is no difference, and a missing one is.
    """
    positions = np.concatenate([ours[0], theirs[0]])
    changes = np.concatenate([ours[1], -np.asarray(theirs[1])])
    order = np.argsort(positions)
    starts = np.flatnonzero(np.diff(positions[order], prepend=-np.inf) > tolerance)
    merged = np.add.reduceat(np.stack([changes, np.abs(changes)])[:, order], starts, axis=1)
    return np.abs(merged[0]).max() / (merged[1].max() / 2)


def pymatgen_nodes(radiation, d_star_max):
    """The form factors of pymatgen, in place of `form_factors.form_factor_nodes`."""
    assert radiation == "xray"
    s_squared = NODE_STEP * np.arange(-1, int(d_star_max**2 / 4 / NODE_STEP) + 5)
    nodes = np.zeros((LARGEST_ATOMIC_NUMBER + 1, len(s_squared)))
    for number in range(1, LARGEST_ATOMIC_NUMBER + 1):
        heights, widths = np.transpose(ATOMIC_SCATTERING_PARAMS[Element.from_Z(number).symbol])
        gaussians = heights @ np.exp(-np.outer(widths, s_squared))
        nodes[number] = number - 41.78214 * s_squared * gaussians
    return nodes


def d_star_of(two_theta):
    """1/d at a diffraction angle for Cu K-alpha, degrees to 1/A."""
    return 2 * np.sin(np.radians(two_theta) / 2) / CU_K_ALPHA


def pattern(d_star, intensity):
    """Angle and intensity of lines in the convention of pymatgen."""
    theta = np.arcsin(d_star * CU_K_ALPHA / 2)
    lorentz_polarisation = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    return np.degrees(2 * theta), intensity * lorentz_polarisation
