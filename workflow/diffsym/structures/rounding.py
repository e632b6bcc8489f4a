"""Coordinates as they were published: with few digits, and on special positions."""

import numpy as np
from numpy.typing import NDArray

STORED_ROUNDING = 0.5 / 4e6 * 1.01
"""A coordinate as read differs by no more than this from the decimal number that was published; the
AMCSD stores multiples of 1/4e6."""

SIXTHS = np.array([1, 2, 4, 5]) / 6
"""Special coordinates that no decimal number can hold."""

CUT_SIXTHS = SIXTHS[[0, 2]]
"""Those that end in 6, so that cutting digits off is not rounding."""

TWELFTHS = np.array([0.08, 0.42, 0.58, 0.92])
"""What a quarter of the cell makes of sixths with two digits."""

SURE_DECIMALS = 3
"""Digits by which a sixth is recognised even if others of the entry have more."""

IMAGE_TOLERANCE = 0.05
"""Images of an atom closer than this (A) are one site. Of the 41 095 atoms of the database 92 have
a nearest image below 0.05 A without coinciding with it (73 of them by rounding, below 0.001 A),
none between 0.05 and 0.06 A, and 11 up to 0.1 A."""


def decimals(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of decimals (0 ... 6) with which each value was published."""
    places = np.arange(7)
    exact = np.abs(values[:, None] - rounded(values[:, None], places)) < STORED_ROUNDING
    return np.where(exact.any(axis=1), exact.argmax(axis=1), places[-1])


def rounded(values: NDArray[np.float64], places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Round each value to its own number of decimals."""
    return np.rint(values * 10.0**places) / 10.0**places


def are_images_of_cut_sixths(
    fraction: NDArray[np.float64], places: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which fractions an inversion makes of a sixth that was cut off, such as 0.334 of 0.666."""
    cut = np.floor(CUT_SIXTHS * 10.0 ** places[:, None]) / 10.0 ** places[:, None]
    return are_near(fraction, 1 - cut) & (places >= SURE_DECIMALS)


def are_near(fraction: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which fractions (n,) have the digits of one of others, (m,) or (n, m)."""
    near: NDArray[np.bool_] = np.abs(fraction[:, None] - others) < 2 * STORED_ROUNDING
    return np.any(near, axis=1)


def restore_sixths(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give thirds and sixths their exact values.

    A coordinate is taken for a sixth if its digits are those of the sixth, rounded or cut off,
    and if there are three of them, or as many as anywhere in the entry: 0.33 among coordinates
    with four decimals is 0.3300. Where both 0.666 and 0.334 occur, neither was cut: symmetry makes
    one of the other. Where both 0.33 and 0.08 occur, which differ by 1/4, 0.33 is no third either.

    Parameters
    ----------
    coordinates
        (n, 3) fractional coordinates as stored.
    """
    values = np.abs(coordinates.ravel())
    whole = np.floor(values)
    fraction = values - whole
    places = decimals(values)
    least = SURE_DECIMALS if are_near(fraction, TWELFTHS).any() else 2
    enough = places >= max(least, min(SURE_DECIMALS, int(places.max(initial=0))))
    may_be_cut = (places >= SURE_DECIMALS) & ~are_images_of_cut_sixths(fraction, places).any()
    restored = values.copy()
    for sixth in SIXTHS:
        cut = np.floor(sixth * 10.0**places) / 10.0**places
        is_rounded = np.abs(fraction - rounded(np.full_like(values, sixth), places))
        is_cut = np.where(may_be_cut, np.abs(fraction - cut), np.inf)
        matches = np.minimum(is_rounded, is_cut) < 2 * STORED_ROUNDING
        chosen = enough & matches
        restored[chosen] = whole[chosen] + sixth
    return np.copysign(restored.reshape(coordinates.shape), coordinates)
