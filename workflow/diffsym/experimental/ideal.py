"""Measured powder patterns as ideal profiles."""

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from diffsym.descriptors.described import Described
from diffsym.errors import DiffsymError
from diffsym.experimental.peaks import measured_to_ideal
from diffsym.scattering.types import Radiation
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.measured.base import PeakSearch


def convert(measured: pa.Table, settings: Ideal, search: PeakSearch) -> Described:
    """Ideal profiles of measured patterns (Ozaki et al. 2025, section 2.6).

    The descriptor's `b_iso` is not applied: the sample's own atoms are displaced already.

    Parameters
    ----------
    measured
        Rows of the measured table.
    settings
        Of the descriptor.
    search
        See `diffsym.experimental.peaks.find_peaks`.

    Returns
    -------
    Described
        (n, bins) sparse profiles, the largest value of each 1. The row of a pattern in which no
        line was found is empty.
    """
    profiles = np.zeros((measured.num_rows, settings.bins), np.float32)
    failures = []
    for row, pattern in enumerate(measured.to_pylist()):
        try:
            profiles[row] = measured_to_ideal(
                pattern["two_theta"],
                pattern["intensity"],
                Radiation(pattern["wavelengths"], pattern["weights"]),
                d_star_min=settings.d_star_min,
                d_star_max=settings.d_star_max,
                bins=settings.bins,
                signal_to_noise=search.signal_to_noise,
                profile_error=search.profile_error,
            )
        except DiffsymError as error:
            failures.append((row, str(error)))
    return Described(csr_array(profiles), failures)
