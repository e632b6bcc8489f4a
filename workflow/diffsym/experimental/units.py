"""What the first column of a pattern may be over, and how it becomes 2theta in degrees."""

import math

import numpy as np

from diffsym.errors import DiffsymError, nearest
from diffsym.scattering.types import Floats, Radiation, Wavelength

UNITS = {
    "2theta": "2theta in degrees",
    "Q": "a scattering vector Q in 1/A",
    "Q/nm": "a scattering vector Q in 1/nm",
    "d": "a lattice spacing d in A",
    "1/d": "an inverse spacing 1/d in 1/A",
    "centidegrees": "2theta in hundredths of a degree",
    "radians": "2theta in radians",
}
"""Names of units, and what they mean."""


def unit_of(text: str) -> str:
    """The name of a unit, whatever the size of its letters; DiffsymError if there is none.

    >>> unit_of("q/NM")
    'Q/nm'
    """
    names = {name.lower(): name for name in UNITS}
    if (name := names.get(text.strip().lower())) is None:
        raise DiffsymError(f"unit: there is no '{text}'{nearest(text, UNITS)}")
    return name


def in_degrees(x: Floats, unit: str, wavelength: Wavelength | None, told: str) -> Floats:
    """2theta of points, degrees.

    Parameters
    ----------
    x : (m,)
        In the unit.
    unit
        One of `UNITS`.
    wavelength
        None if it is unknown; needed for Q and d.
    told
        What says the unit, for sentences.

    Returns
    -------
    (m,)
        In the order of `x`.

    Raises
    ------
    DiffsymError
        If the wavelength is missing, or a number cannot have the unit.

    Examples
    --------
    >>> in_degrees(np.array([2000.0]), "centidegrees", None, "").tolist()
    [20.0]
    >>> in_degrees(np.array([1.0]), "d", 2.0 * math.sin(math.radians(30)), "").round(9).tolist()
    [60.0]
    """
    if unit == "2theta":
        return x
    if unit == "centidegrees":
        return x / 100
    if unit == "radians":
        if (x > math.pi).any():
            raise DiffsymError(
                f"{told}, and {x.max():g} is above pi: no angle in radians; correct the unit"
            )
        return np.degrees(x)
    if wavelength is None:
        raise DiffsymError(
            f"{told}; convert it to 2theta in degrees, or give the wavelength in the index of the "
            "folder or with --wavelength"
        )
    q = _scattering_vector(x, unit)
    sines = q * Radiation.of(wavelength).strongest / (4 * math.pi)
    if not (np.abs(sines) < 1).all():
        raise DiffsymError(
            f"{told}, and Q up to {q.max():g} 1/A cannot be measured with this wavelength; correct "
            "one of them"
        )
    return np.asarray(np.degrees(2 * np.arcsin(sines)), np.float64)


def _scattering_vector(x: Floats, unit: str) -> Floats:
    """Q, 1/A."""
    if unit == "d":
        if not (x > 0).all():
            raise DiffsymError("a lattice spacing d is not positive; remove its line")
        return 2 * math.pi / x
    return {"Q": 1.0, "Q/nm": 0.1, "1/d": 2 * math.pi}[unit] * x
