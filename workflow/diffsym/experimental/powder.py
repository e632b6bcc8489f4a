"""Measured powder patterns on the grid of a powder descriptor."""

import numpy as np
import pyarrow as pa

from diffsym.descriptors import powder
from diffsym.descriptors.described import Described
from diffsym.scattering.types import Booleans, Floats, Radiation
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.measured.base import PeakSearch

# A pattern that covers less of the descriptor's range says too little; where the rest is not
# measured, the nearest measured intensity replaces the background.
SMALLEST_COVERAGE = 0.7


def convert(
    measured: pa.Table,
    settings: Powder,
    search: PeakSearch,  # noqa: ARG001 - lines are not searched for
) -> Described:
    """Patterns on the descriptor's grid as if measured with its radiation.

    Angles are carried over to the other wavelength by Bragg's law; the different polarisation and
    the splitting by a doublet at other angles are neglected. The background stays.

    Parameters
    ----------
    measured
        Rows of the measured table.
    settings
        Of the descriptor.
    search
        Of lines, which is not needed.

    Returns
    -------
    Described
        (n, m) intensities, negative ones 0, the largest 1. The values of a pattern that cannot be
        converted are NaN.
    """
    two_theta, radiation = powder.axis(settings), Radiation.of(settings.wavelength)
    values = np.full((measured.num_rows, len(two_theta)), np.nan, np.float32)
    failures = []
    for row, pattern in enumerate(measured.to_pylist()):
        own = Radiation(pattern["wavelengths"], pattern["weights"])
        angles, inside = at_wavelength(np.array(pattern["two_theta"]), own.mean, radiation.mean)
        intensity = np.clip(pattern["intensity"], 0, None)[inside]
        covered = _coverage(angles, two_theta)
        if covered < SMALLEST_COVERAGE:
            failures.append(
                (
                    row,
                    f"the pattern covers {covered:.0%} of the {two_theta[0]:g} to "
                    f"{two_theta[-1]:g} degrees of the descriptor; measure more of it, or check "
                    "that the first column is 2theta in degrees and the wavelength is right",
                )
            )
            continue
        resampled = np.interp(two_theta, angles, intensity)
        values[row] = resampled / resampled.max()
    return Described(values, failures)


def at_wavelength(
    two_theta: Floats, measured_with: float, wavelength: float
) -> tuple[Floats, Booleans]:
    """Angles at which another wavelength shows the same lattice planes.

    Parameters
    ----------
    two_theta
        Angles, degrees, (m,).
    measured_with, wavelength
        The wavelength of these, and the other one, A.

    Returns
    -------
    angles
        Degrees; only those that the other wavelength reaches.
    inside
        Which of the given ones these are, (m,).
    """
    sines = np.sin(np.radians(two_theta / 2)) * wavelength / measured_with
    inside = sines <= 1
    return 2 * np.degrees(np.arcsin(sines[inside])), inside


def _coverage(angles: Floats, two_theta: Floats) -> float:
    """Share of the descriptor's range that lies between the first and the last measured angle."""
    if not len(angles):
        return 0.0
    first, last = max(angles[0], two_theta[0]), min(angles[-1], two_theta[-1])
    return max(0.0, float((last - first) / (two_theta[-1] - two_theta[0])))
