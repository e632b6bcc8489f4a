"""RAW of Rigaku, binary, that begins with FI; it does not say the wavelength."""

import struct

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, loss
from diffsym.experimental.readers.base import MeasuredPattern

ENDS, POINTS, COUNTS = 2962, 3154, 3158


def read(content: bytes) -> MeasuredPattern:
    """Read the scan, whose step must fit the ends."""
    first, last, step = struct.unpack_from("<3f", content, ENDS)
    (n,) = struct.unpack_from("<I", content, POINTS)
    if not (n > 1 and step and abs(first + (n - 1) * step - last) < abs(step)):
        raise DiffsymError("the scan is not where we know it; export the pattern as .ras or text")
    present = min(max(len(content) - COUNTS, 0) // 4, n)
    repairs = loss(n, present)
    with np.errstate(invalid="ignore"):  # damaged numbers
        counts = np.frombuffer(content, "<f4", present, COUNTS).astype(np.float64)
    return assembled(np.linspace(first, last, n)[:present], counts, repairs=repairs)
