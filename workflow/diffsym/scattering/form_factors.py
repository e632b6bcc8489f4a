"""Atomic form factors: how strongly an atom scatters X-rays or electrons.

International Tables for Crystallography, volume C, as compiled in gemmi:

- X-rays: table 6.1.1.4, four Gaussians and a constant in s = sin(theta) / lambda, electrons;
- electrons: table 4.3.2.2, five Gaussians in s, A (Mott-Bethe, at rest: no relativistic factor).

Both hold for neutral atoms up to californium (Z = 98) and s up to 2 / A. With d* = 1/d = 2 s, that
is d* up to 4 / A. Anomalous dispersion is left out.
"""

import math
from functools import lru_cache
from typing import Any

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffsym.errors import DiffsymError
from diffsym.scattering.types import LARGEST_ATOMIC_NUMBER, Floats, Integers

RADIATIONS = ("xray", "electron")
# Both tables were fitted up to s = 2 / A.
LARGEST_D_STAR = 4.0
# Cubic interpolation errs by at most 3/128 (b h)^4 of a Gaussian exp(-b s^2), h being the spacing
# of s^2; with the sharpest one (b = 214 A^2) this is a ten-millionth of its height.
NODE_STEP = 2e-4


def form_factors(atomic_numbers: ArrayLike, d_star: ArrayLike, radiation: str = "xray") -> Floats:
    """Form factors of neutral atoms.

    Parameters
    ----------
    atomic_numbers : (n,)
        From 1 to 98.
    d_star : (m,)
        1/d = 2 sin(theta) / lambda, 1/A, at most 4.
    radiation : {"xray", "electron"}
        What is scattered.

    Returns
    -------
    (n, m) float64
        In electrons for X-rays, in A for electrons.

    Raises
    ------
    DiffsymError
        If an element is not tabulated or the radiation is unknown.

    Examples
    --------
    Oxygen has eight electrons, which scatter less at larger angles:

    >>> form_factors([8], [0.0, 0.5, 1.0]).round(2).tolist()
    [[8.0, 4.81, 2.34]]
    """
    numbers = np.asarray(atomic_numbers, dtype=np.int64)
    if not ((numbers >= 1) & (numbers <= LARGEST_ATOMIC_NUMBER)).all():
        raise DiffsymError(
            f"form factors are tabulated for atomic numbers 1 to {LARGEST_ATOMIC_NUMBER}"
        )
    return _evaluated(numbers, np.asarray(d_star, dtype=np.float64) ** 2 / 4, radiation)


@lru_cache(maxsize=4)
def form_factor_nodes(radiation: str, d_star_max: float) -> Floats:
    """Form factors of all elements at equal steps of s^2, for cubic interpolation.

    Returns
    -------
    (99, nodes) float64
        Row Z, column k: element Z at s^2 = (k - 1) NODE_STEP; the formula is smooth below zero.
        Row 0 is empty. The columns reach two nodes beyond d_star_max.
    """
    n_nodes = math.ceil(d_star_max**2 / 4 / NODE_STEP) + 4
    nodes = np.zeros((LARGEST_ATOMIC_NUMBER + 1, n_nodes))
    elements = np.arange(1, LARGEST_ATOMIC_NUMBER + 1)
    nodes[1:] = _evaluated(elements, NODE_STEP * np.arange(-1, n_nodes - 1), radiation)
    return nodes


def _evaluated(atomic_numbers: Integers, s_squared: NDArray[np.floating], radiation: str) -> Floats:
    """Sum of the Gaussians and the constant, (n, m)."""
    heights, widths, constants = (table[atomic_numbers - 1] for table in _coefficients(radiation))
    factors = np.repeat(constants[:, np.newaxis], len(s_squared), axis=1)
    for height, width in zip(heights.T, widths.T, strict=True):
        factors += height[:, np.newaxis] * np.exp(-np.outer(width, s_squared))
    return factors


@lru_cache
def _coefficients(radiation: str) -> tuple[Floats, Floats, Floats]:
    """Heights and widths (98, 4 or 5) of the Gaussians and constants (98,) of all elements."""
    elements = [gemmi.Element(number) for number in range(1, LARGEST_ATOMIC_NUMBER + 1)]
    tables: list[Any]
    if radiation == "xray":
        tables = [element.it92 for element in elements]
        constants = np.array([table.c for table in tables])
    elif radiation == "electron":
        tables = [element.c4322 for element in elements]
        constants = np.zeros(len(tables))
    else:
        raise DiffsymError(f"radiation is one of {', '.join(RADIATIONS)}, not {radiation!r}")
    heights = np.array([table.a for table in tables])
    widths = np.array([table.b for table in tables])
    return heights, widths, constants
