"""Powder patterns on a grid of 2theta, from the reflections table."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa

from diffsym.descriptors.described import Described
from diffsym.descriptors.lines import lines_of
from diffsym.scattering.powder import PeakShape, powder_patterns, two_theta_grid
from diffsym.scattering.types import Floats, Radiation
from diffsym.settings.descriptors.powder import Peaks, Powder
from diffsym.settings.patterns import Pattern

# Patterns rendered at a time, in double the final precision: 17 MB for 8501 points.
BLOCK_ROWS = 512


def axis(settings: Pattern) -> Floats:
    """Position of each value of the descriptor: 2theta, degrees."""
    return two_theta_grid(
        two_theta_min=settings.two_theta_min,
        two_theta_max=settings.two_theta_max,
        two_theta_step=settings.two_theta_step,
    )


def compute(reflections: pa.Table, settings: Powder) -> Described:
    """Pattern of every row of the reflections table, without noise.

    Returns
    -------
    Described
        (n, m) intensities, the largest of each pattern 1, in half precision: its error, 0.05 %, is
        far below the noise of any measurement. The values of a structure that has no pattern are
        NaN.
    """
    two_theta = axis(settings)
    n = reflections.num_rows
    values = np.empty((n, len(two_theta)), np.float16)
    lines, radiation = lines_of(reflections), Radiation.of(settings.wavelength)
    for start in range(0, n, BLOCK_ROWS):
        rows = np.arange(start, min(start + BLOCK_ROWS, n))
        values[rows] = powder_patterns(
            lines,
            two_theta,
            shape=shape_of(settings.peaks),
            rows=rows,
            radiation=radiation,
            b_iso=settings.b_iso,
        )
    reason = (
        f"no reflection lies between {two_theta[0]:g} and {two_theta[-1]:g} degrees of 2theta; "
        "widen the range or use a shorter wavelength"
    )
    return Described(values, [(int(row), reason) for row in np.flatnonzero(np.isnan(values[:, 0]))])


def shape_of(peaks: Peaks) -> PeakShape:
    """Profile of the peaks in the form that the kernel takes."""
    size = math.inf if peaks.crystallite_size is None else peaks.crystallite_size
    return PeakShape(**vars(replace(peaks, crystallite_size=size)))
