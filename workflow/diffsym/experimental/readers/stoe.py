"""RAW_1.06 of STOE, binary."""

import struct

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, k_alpha, loss
from diffsym.experimental.readers.base import MeasuredPattern

POINTS, ENDS, COUNTS, WAVELENGTH = 0x822, 0x82C, 0xA00, 0x142
VERSION = b"RAW_1.06Powdat"


def read(content: bytes) -> MeasuredPattern:
    """Read the range; its step must fit the ends, for other versions put them elsewhere."""
    if not content.startswith(VERSION):
        version = content[:14].decode("latin-1").strip("\0 ")
        raise DiffsymError(f"the version {version} of STOE's RAW is not read; export it as text")
    (n,) = struct.unpack_from("<h", content, POINTS)
    first, _, last, _, step = struct.unpack_from("<5f", content, ENDS)
    if not (n > 1 and step and abs(first + (n - 1) * step - last) < abs(step)):
        raise DiffsymError("the range is not where we know it; export the pattern as text")
    present = min(max(len(content) - COUNTS, 0) // 4, n)
    repairs = loss(n, present)
    # A second number there is of unknown meaning.
    (wavelength,) = struct.unpack_from("<f", content, WAVELENGTH)
    return assembled(
        np.linspace(first, last, n)[:present],
        np.frombuffer(content, "<i4", present, COUNTS).astype(np.float64),
        wavelength=k_alpha(round(wavelength, 6)),
        repairs=repairs,
    )
