"""Measured powder patterns as ideal profiles."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from diffsym.errors import DiffsymError
from diffsym.experimental.peaks import measured_to_ideal
from diffsym.scattering.types import Radiation


def convert(
    measured: pa.Table,
    *,
    search: Mapping[str, float],
    d_star_min: float,
    d_star_max: float,
    bins: int,
    **_: float,
) -> tuple[csr_array, list[tuple[int, str]]]:
    """Ideal profiles of measured patterns (Ozaki et al. 2025, section 2.6).

    The descriptor's `b_iso` is not applied: the sample's own atoms are displaced already.

    Parameters
    ----------
    measured
        Rows of the measured table.
    d_star_min, d_star_max, bins
        Of the descriptor, see `diffsym.descriptors.ideal.compute`.
    search
        `signal_to_noise` and `profile_error` of `diffsym.experimental.peaks.find_peaks`.

    Returns
    -------
    values
        (n, bins) sparse profiles, the largest value of each 1.
    failures
        Row and reason of each pattern in which no line was found; its row is empty.
    """
    profiles = np.zeros((measured.num_rows, bins), np.float32)
    failures = []
    for row, pattern in enumerate(measured.to_pylist()):
        try:
            profiles[row] = measured_to_ideal(
                pattern["two_theta"],
                pattern["intensity"],
                Radiation(pattern["wavelengths"], pattern["weights"]),
                d_star_min=d_star_min,
                d_star_max=d_star_max,
                bins=bins,
                **search,
            )
        except DiffsymError as error:
            failures.append((row, str(error)))
    return csr_array(profiles), failures
