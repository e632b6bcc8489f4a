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
    anode
        Symbol of the element; None where the file does not say.
    repairs
        A sentence for each thing that was put right.
    scans
        Names of all scans of the file, of which this is the first; empty where it can hold but one.
    over_q
        Where the file says that it is over Q: `two_theta` then holds Q, 1/A, until `read_pattern`
        converts it. Empty for angles.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    space_group: float | None = None
    primitive_volume: float | None = None
    wavelength: Wavelength | None = None
    anode: str | None = None
    repairs: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    over_q: str = ""


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
