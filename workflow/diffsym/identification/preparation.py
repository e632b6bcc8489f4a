"""What of a measured pattern can be lines of a crystal: each step can be seen, and left out."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from diffsym.experimental.gaps import gaps, outside
from diffsym.experimental.peaks import (
    in_equal_steps,
    noise_level,
    snip_background,
    strip_companions,
    typical_width,
)
from diffsym.scattering.types import Floats, Radiation

UNSURE = 2.0
"""What exceeds the background by less, in standard deviations of what is left there, is nothing."""
MOST_OVERSHOOT = 0.15
"""Of `overshoot`, where companion lines are taken for present."""
MEDIAN_DEVIATION = 0.6744897501960817
"""Median absolute deviation of a normal distribution of standard deviation 1."""


@dataclass(frozen=True)
class Steps:
    """Which steps are taken, in this order.

    Attributes
    ----------
    background
        The background is clipped off (SNIP, `diffsym.experimental.peaks`).
    companions
        The weaker line of a doublet is subtracted (Rachinger 1948).
    noise
        The pattern is smoothed a little, and what could be noise is taken off.
    """

    background: bool = True
    companions: bool = True
    noise: bool = True


ALL_STEPS = Steps()


@dataclass(frozen=True)
class Stages:
    """A pattern before and after.

    Attributes
    ----------
    angles, measured : (m,)
        Degrees of 2theta in equal steps, and the intensities there.
    background : (m,)
        Of the same unit; 0 without that step, or without a peak.
    heights : (m,)
        What exceeds background and noise, for the strongest wavelength alone; 0 where nothing was
        measured.
    companions_missing
        Whether the pattern has no companion lines although its radiation should: then none were
        subtracted.
    """

    angles: Floats
    measured: Floats
    background: Floats
    heights: Floats
    companions_missing: bool


def prepared_stages(
    two_theta: ArrayLike, intensity: ArrayLike, radiation: Radiation, steps: Steps = ALL_STEPS
) -> Stages:
    """Take background, companion lines and noise off a pattern.

    Parameters
    ----------
    two_theta, intensity : (n,)
        Rising angles, degrees, and intensities in any unit.
    radiation
        Of the measurement.
    steps
        Which are taken.
    """
    given = np.asarray(two_theta, dtype=np.float64)
    angles, measured = in_equal_steps(given, np.asarray(intensity, dtype=np.float64))
    noise = noise_level(measured)
    width = typical_width(angles, measured, radiation, noise)
    nothing = np.zeros(len(angles))
    if width is None:
        return Stages(angles, measured, nothing, nothing, companions_missing=False)
    background = snip_background(measured, width) if steps.background else nothing
    heights = measured - background
    missing = False
    if steps.companions and len(radiation.wavelengths) > 1:
        stripped = strip_companions(angles, heights, radiation)
        missing = overshoot(stripped, noise) > MOST_OVERSHOOT
        heights = heights if missing else stripped
    heights = above_noise(heights, noise, width) if steps.noise else np.clip(heights, 0, None)
    kept = np.where(outside(angles, gaps(given)), heights, 0.0)
    return Stages(angles, measured, background, kept, missing)


def overshoot(stripped: Floats, noise: float) -> float:
    """What the subtraction of companion lines left below zero, as a share of what is above.

    It is little where they were there, and near a half where a monochromator had taken them away.

    Parameters
    ----------
    stripped : (m,)
        Without background and companions.
    noise
        Standard deviation of each point; what is nearer to zero than three of it does not count.
    """
    far = stripped[np.abs(stripped) > 3 * noise]
    above = float(far[far > 0].sum())
    return -float(far[far < 0].sum()) / above if above else 0.0


def above_noise(heights: Floats, noise: float, width: float) -> Floats:
    """What of a pattern without background exceeds its noise, (m,).

    Parameters
    ----------
    heights : (m,)
        In equal steps.
    noise
        Standard deviation of each of them.
    width
        Full width at half maximum of a peak, in steps.
    """
    # This takes little of a peak's height and much of the noise.
    sigma = max(width / 4, 0.3)
    smooth = gaussian_filter1d(heights, sigma)
    left = noise / math.sqrt(2 * math.sqrt(math.pi) * sigma)
    # Errors of the background are no noise from point to point; the power would raise them.
    deviation = float(np.median(np.abs(smooth - np.median(smooth)))) / MEDIAN_DEVIATION
    above: Floats = np.clip(smooth - UNSURE * max(left, deviation), 0.0, None)
    return above
