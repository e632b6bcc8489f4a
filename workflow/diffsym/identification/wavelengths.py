"""Wavelengths by the names that people use for them."""

import math
import re

from diffsym.errors import DiffsymError, nearest
from diffsym.scattering.types import Radiation

K_ALPHA = {
    "Ag": (0.559421, 0.563812),
    "Co": (1.788996, 1.792835),
    "Cr": (2.289755, 2.293652),
    "Cu": (1.540593, 1.544427),
    "Fe": (1.936041, 1.939973),
    "Mo": (0.709317, 0.713607),
}
"""K-alpha-1 and K-alpha-2 of each anode, A (International Tables C, table 4.2.2.4)."""

NAME = re.compile(r"([A-Z][a-z])\s?-?K-?(?:a|alpha)-?([12]?)", re.IGNORECASE)
NAMES = [f"{anode}Ka" for anode in K_ALPHA]
# What diffractometers, synchrotrons included, are run with.
SHORTEST, LONGEST = 0.05, 6.0


def radiation_of(text: str) -> Radiation:
    """Radiation by name or number.

    Parameters
    ----------
    text
        `CuKa`, the doublet; `CuKa1`, as behind a monochromator; or a wavelength in A.

    Raises
    ------
    DiffsymError
        If it is neither, or no wavelength of a diffractometer.

    Examples
    --------
    >>> radiation_of("MoKa").strongest, radiation_of("0.4133").strongest
    (0.709317, 0.4133)
    """
    if found := NAME.fullmatch(text.strip()):
        lines = K_ALPHA.get(found[1].capitalize())
        if lines is not None:
            both = [(lines[0], 2 / 3), (lines[1], 1 / 3)]
            return Radiation.of([both[int(found[2]) - 1]] if found[2] else both)
    try:
        length = float(text)
    except ValueError:
        raise DiffsymError(
            f"wavelength: '{text}' is neither a number in A nor one of {', '.join(NAMES)}"
            f"{nearest(text, NAMES)}; correct it"
        ) from None
    if not (math.isfinite(length) and SHORTEST <= length <= LONGEST):
        raise DiffsymError(
            f"wavelength: {text} A is none of a diffractometer ({SHORTEST} to {LONGEST} A); give "
            "it in A"
        )
    return Radiation.of(length)
