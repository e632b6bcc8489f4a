"""Ranges in which a pattern was not measured, though it has points on both sides of them.

A step is a gap if it is longer than `GAP_STEPS` times the median step and than `GAP_DEGREES`: steps
may grow with the angle, and detectors of several modules leave out less than that between them.
"""

import numpy as np

from diffsym.scattering.types import Booleans, Floats

GAP_STEPS = 5
GAP_DEGREES = 0.5


def gaps(two_theta: Floats) -> Floats:
    """Gaps of a pattern.

    Parameters
    ----------
    two_theta : (m,)
        Rising angles, degrees, at least two.

    Returns
    -------
    (k, 2)
        The last angle before each gap and the first one behind it, degrees.
    """
    steps = np.diff(two_theta)
    before = np.flatnonzero(steps > max(GAP_STEPS * np.median(steps), GAP_DEGREES))
    return np.column_stack([two_theta[before], two_theta[before + 1]])


def outside(angles: Floats, holes: Floats) -> Booleans:
    """Which of some angles, (n,) degrees, lie in none of the gaps, (k, 2) degrees: (n,)."""
    columns = angles[:, np.newaxis]
    return np.all((columns <= holes[:, 0]) | (columns >= holes[:, 1]), axis=1)


def measured_share(two_theta: Floats, first: float, last: float) -> float:
    """Share of a range that was measured.

    Parameters
    ----------
    two_theta : (m,)
        Rising angles, degrees; with fewer than two nothing is covered.
    first, last
        The range, degrees.
    """
    if len(two_theta) < 2:
        return 0.0
    holes = gaps(two_theta)
    starts = np.concatenate([two_theta[:1], holes[:, 1]])
    ends = np.concatenate([holes[:, 0], two_theta[-1:]])
    lengths = np.minimum(ends, last) - np.maximum(starts, first)
    return float(np.maximum(lengths, 0).sum() / (last - first))


def resampled(angles: Floats, two_theta: Floats, intensity: Floats) -> Floats:
    """A pattern at other angles.

    Intensities are interpolated. In a gap they are the lower one of its two ends, and beyond the
    ends of the pattern that of the nearest point: no line is made up from the flank of another.

    Parameters
    ----------
    angles : (n,)
        Where intensities are wanted, degrees.
    two_theta, intensity : (m,)
        The pattern, at rising angles, degrees, at least two.

    Returns
    -------
    (n,)
    """
    values = np.interp(angles, two_theta, intensity)
    for first, last in gaps(two_theta):
        ends = np.interp([first, last], two_theta, intensity)
        values[(angles > first) & (angles < last)] = ends.min()
    return values
