"""Formats of measured patterns: one module a format, each with `read(content)`.

The content of a file decides which module reads it (`diffsym.settings.measured.readers`); a module
is imported when a file asks for it.
"""

import importlib
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import over_two_theta
from diffsym.experimental.readers.base import Unreadable
from diffsym.experimental.readers.packed import unpacked
from diffsym.settings.measured.readers import format_of

if TYPE_CHECKING:
    from diffsym.experimental.readers.base import MeasuredPattern
    from diffsym.scattering.types import Wavelength

DAMAGES = (
    ArithmeticError,
    BadZipFile,
    EOFError,
    LookupError,
    # An encrypted member, and a version of zip that Python does not know.
    RuntimeError,
    # XML that is cut off.
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What reading a damaged file may raise."""


def read_pattern(
    path: Path, wavelength: "Wavelength | None" = None
) -> "MeasuredPattern | Unreadable":
    """Read the pattern in a file, packed or not; of unknown content it is taken for text.

    Parameters
    ----------
    path
        The file.
    wavelength
        What the user says of it, to convert a pattern over Q or d; by default that of the file.
    """
    try:
        content = unpacked(path)
    except DiffsymError as error:
        return Unreadable(str(error))
    form = format_of(path.name, content)
    if form.refusal:
        return Unreadable(form.refusal)
    try:
        pattern = over_two_theta(importlib.import_module(form.module).read(content), wavelength)
    except DiffsymError as error:
        return Unreadable(str(error))
    except DAMAGES as error:
        reason = " ".join(str(error).split())[:100]
        return Unreadable(
            f"the file is damaged, or no {form.name} as we know it ({reason}); copy it anew, or "
            "export it as text of two columns"
        )
    return pattern
