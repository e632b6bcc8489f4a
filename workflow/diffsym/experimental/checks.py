"""Whether numbers can be a measured powder pattern, and what is said of its crystal be true."""

import math

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.experimental.gaps import gaps, measured_share
from diffsym.scattering.types import Floats, Radiation

FEWEST_POINTS = 100
# A pattern that ends at longer lattice spacings than this, A, is rejected: its "angles" are more
# likely scattering vectors, spacings or radians.
LARGEST_LAST_SPACING = 3.0
# A pattern that covers less of the range between its ends, or of a descriptor's, says too little.
SMALLEST_COVERAGE = 0.7


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
            "say the unit (--unit d) if they are lattice spacings"
        )
    if two_theta[0] < 0 or two_theta[-1] >= 180:
        raise DiffsymError(
            f"angles from {two_theta[0]:g} to {two_theta[-1]:g} are not 2theta in degrees; "
            "convert them, or say their unit"
        )
    shortest = radiation.strongest / (2 * math.sin(math.radians(two_theta[-1] / 2)))
    if shortest > LARGEST_LAST_SPACING:
        raise DiffsymError(
            f"the pattern ends at {two_theta[-1]:g} degrees, a spacing of {shortest:.3g} A; if its "
            "axis is Q, d or in radians convert it or say its unit, else check the wavelength"
        )
    first, last = two_theta[[0, -1]]
    if measured_share(two_theta, first, last) < SMALLEST_COVERAGE:
        start, end = max(gaps(two_theta), key=np.ptp)
        raise DiffsymError(
            f"the pattern covers less than {100 * SMALLEST_COVERAGE:g} % of the range from "
            f"{first:g} to {last:g} degrees, with the widest gap from {start:g} to {end:g}; give "
            "the whole pattern"
        )
    if not intensity.max() > max(intensity.min(), 0):
        raise DiffsymError("all intensities are equal or none is positive; give measured ones")


def check_labels(
    *,
    space_group: float | None = None,
    primitive_volume: float | None = None,
    wavelength: float | None = None,
) -> None:
    """DiffsymError if what is told of a pattern cannot be true; None is what is not known.

    Parameters
    ----------
    space_group
        Number.
    primitive_volume
        Volume of the primitive cell, A^3.
    wavelength
        A.
    """
    if space_group is not None and space_group not in range(1, 231):
        raise DiffsymError(
            f"there is no space group {space_group:g}; give 1 to 230, or nothing if it is unknown"
        )
    for name, unit, value in (
        ("primitive_volume", "A^3", primitive_volume),
        ("wavelength", "A", wavelength),
    ):
        if value is not None and not 0 < value < math.inf:
            raise DiffsymError(
                f"{name}: {value:g} is no positive number of {unit}; correct it, or give nothing "
                "if it is unknown"
            )
