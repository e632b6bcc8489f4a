"""XYE of DASH: the first line is the wavelength, then two or three columns."""

from dataclasses import replace

from diffsym.experimental.readers import text
from diffsym.experimental.readers.assembly import decoded, k_alpha
from diffsym.experimental.readers.base import MeasuredPattern


def read(content: bytes) -> MeasuredPattern:
    """Read the pattern."""
    wavelength, _, body = decoded(content).lstrip().partition("\n")
    # Lines keep their numbers.
    return replace(text.read(f"#\n{body}".encode()), wavelength=k_alpha(float(wavelength)))
