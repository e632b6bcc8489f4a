"""What readers give."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffsym.scattering.types import Wavelength


@dataclass(frozen=True)
class MeasuredPattern:
    """One pattern as it was read.

    Attributes
    ----------
    two_theta, intensity
        Angles, degrees, and counts, of the same length.
    space_group, primitive_volume
        Number, and A^3; None where they are unknown.
    wavelength
        As in `diffsym.settings.patterns.spectral_lines`; None where the file does not say.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    space_group: float | None = None
    primitive_volume: float | None = None
    wavelength: Wavelength | None = None


@dataclass(frozen=True)
class Unreadable:
    """An entry that gives no pattern.

    Attributes
    ----------
    reason
        A sentence for the rejected table.
    code
        The kind of reason, for the same table.
    """

    reason: str
    code: str = "unreadable"
