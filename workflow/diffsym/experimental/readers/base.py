"""What readers give."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffsym.scattering.types import Wavelength


@dataclass(frozen=True)
class Axis:
    """What a file says that its pattern is over.

    Attributes
    ----------
    told
        A clause for sentences: who says what.
    unit
        One of `diffsym.experimental.units.UNITS`; None if the file names none of them.
    fitting
        Units that a user may add to what the file says without contradicting it.
    """

    told: str
    unit: str | None
    fitting: tuple[str, ...] = ()


DEGREES = Axis("the file says 2theta in degrees", "2theta")
"""Of the files of instruments."""


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
        Names of all scans of the file; empty where it can hold but one.
    scan
        Which of them this is, from 0.
    axis
        What the file says that it is over; None where it says nothing. As readers of formats give
        a pattern, `two_theta` holds what stands in the file; `read_pattern` converts it.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    space_group: float | None = None
    primitive_volume: float | None = None
    wavelength: Wavelength | None = None
    anode: str | None = None
    repairs: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    scan: int = 0
    axis: Axis | None = None


@dataclass(frozen=True)
class MeasuredPdf:
    """A reduced pair distribution function as it was read.

    Attributes
    ----------
    r, G : (m,)
        Rising distances, A, and the function, 1/A^2.
    q_max, q_min
        Range of the Fourier transform, 1/A; None where the file does not say.
    q_damp
        Damping by the instrument, 1/A; None where the file does not say.
    radiation
        X or N, for neutrons; None where the file does not say.
    program
        That wrote it; empty if it is unknown.
    repairs
        A sentence for each thing that was put right.
    """

    r: NDArray[np.float64]
    G: NDArray[np.float64]
    q_max: float | None = None
    q_min: float | None = None
    q_damp: float | None = None
    radiation: str | None = None
    program: str = ""
    repairs: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """What it is, for a sentence."""
        source = {"X": " of X-rays", "N": " of neutrons", None: ""}[self.radiation]
        return f"a pair distribution function{source}" + (
            f", by {self.program}" if self.program else ""
        )


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
