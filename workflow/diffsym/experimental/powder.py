"""Measured powder patterns on the grid of a powder descriptor."""

import numpy as np
import pyarrow as pa

from diffsym.descriptors import powder
from diffsym.descriptors.described import Described
from diffsym.experimental.checks import SMALLEST_COVERAGE
from diffsym.experimental.gaps import measured_share, resampled
from diffsym.scattering.types import Booleans, Floats, Radiation
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.measured.base import PeakSearch


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
        covered = measured_share(angles, two_theta[0], two_theta[-1])
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
        on_grid = resampled(two_theta, angles, intensity)
        values[row] = on_grid / on_grid.max()
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
