"""How wide the peaks of a curve are, as `scipy.signal` defines it.

Importing `scipy.signal` takes half a second, a quarter of what a short answer takes.
"""

import math

import numpy as np
from numba import njit

from diffsym.scattering.types import Floats


@njit(cache=True)
def half_widths(curve: Floats, height: float, prominence: float) -> Floats:
    """Widths of peaks at half of their prominence, from left to right.

    Parameters
    ----------
    curve : (m,)
        Values at equal steps.
    height, prominence
        What peaks reach at least. The prominence is the height above the higher one of the two
        lowest points between a peak and the next higher value on either side, or the curve's end.

    Returns
    -------
    ndarray
        Points, interpolated between the steps; one for each peak.
    """
    widths = np.empty(len(curve) // 2 + 1)
    count = 0
    point = 1
    while point < len(curve) - 1:
        end = point
        if curve[point - 1] < curve[point]:
            while end + 1 < len(curve) - 1 and curve[end + 1] == curve[point]:
                end += 1
            # A flat top is one peak, in its middle.
            peak = (point + end) // 2
            if curve[end + 1] < curve[point] and curve[peak] >= height:
                left, right = _lowest(curve, peak, -1), _lowest(curve, peak, 1)
                rise = curve[peak] - max(curve[left], curve[right])
                if rise >= prominence:
                    level = curve[peak] - rise / 2
                    widths[count] = _distance(curve, peak, left, level) + _distance(
                        curve, peak, right, level
                    )
                    count += 1
        point = end + 1
    return widths[:count]


@njit(cache=True)
def _lowest(curve: Floats, peak: int, step: int) -> int:
    """Place of the lowest value on one side of a peak, before a higher value than the peak's."""
    lowest = place = peak
    while 0 <= place < len(curve) and curve[place] <= curve[peak]:
        if curve[place] < curve[lowest]:
            lowest = place
        place += step
    return lowest


@njit(cache=True)
def _distance(curve: Floats, peak: int, end: int, level: float) -> float:
    """Distance from a peak to where the curve falls to a level on the way to another place."""
    step = -1 if end < peak else 1
    place = peak
    while place != end and curve[place] > level:
        place += step
    beyond = 0.0
    if curve[place] < level:
        beyond = (level - curve[place]) / (curve[place - step] - curve[place])
    return math.fabs(place - peak) - beyond
