"""Whether an array of numbers can be a measured powder pattern."""

import math

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.scattering.types import Floats, Radiation

FEWEST_POINTS = 100
# A pattern that ends at longer lattice spacings than this, A, is rejected: its "angles" are more
# likely scattering vectors, spacings or radians.
LARGEST_LAST_SPACING = 3.0


def check_pattern(two_theta: Floats, intensity: Floats, radiation: Radiation) -> None:
    """DiffsymError if numbers cannot be a powder pattern.

    Parameters
    ----------
    two_theta, intensity : (m,)
        Angles, degrees, and intensities.
    radiation
        With which it was measured.
    """
    if two_theta.ndim != 1 or two_theta.shape != intensity.shape:
        raise DiffsymError(
            f"each angle needs one intensity, not {two_theta.shape} and {intensity.shape}"
        )
    if len(two_theta) < FEWEST_POINTS:
        raise DiffsymError(
            f"{len(two_theta)} points are too few for a pattern; give at least {FEWEST_POINTS}"
        )
    if not (np.isfinite(two_theta).all() and np.isfinite(intensity).all()):
        raise DiffsymError("an angle or an intensity is not a finite number; remove its point")
    if not (np.diff(two_theta) > 0).all():
        raise DiffsymError(
            "the angles do not rise from point to point; sort them and remove repeated ones, or "
            "convert them if they are lattice spacings d"
        )
    if two_theta[0] < 0 or two_theta[-1] >= 180:
        raise DiffsymError(
            f"angles from {two_theta[0]:g} to {two_theta[-1]:g} are not 2theta in degrees; "
            "convert them"
        )
    shortest = radiation.strongest / (2 * math.sin(math.radians(two_theta[-1] / 2)))
    if shortest > LARGEST_LAST_SPACING:
        raise DiffsymError(
            f"the pattern ends at {two_theta[-1]:g} degrees, a spacing of {shortest:.3g} A; if its "
            "axis is Q, d or in radians convert it to 2theta in degrees, else check the wavelength"
        )
    if not intensity.max() > max(intensity.min(), 0):
        raise DiffsymError("all intensities are equal or none is positive; give measured ones")
