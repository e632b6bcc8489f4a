"""Formats of measured patterns: one module a format, each with `read(content)`.

The content of a file decides which module reads it (`diffsym.settings.measured.readers`); a module
is imported when a file asks for it.
"""

import importlib
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zipfile import BadZipFile

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import chosen, over_two_theta
from diffsym.experimental.readers.base import MeasuredPdf, Unreadable
from diffsym.experimental.readers.packed import unpacked
from diffsym.settings.measured.readers import Format, format_of

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
    path: Path,
    wavelength: "Wavelength | None" = None,
    *,
    scan: str | None = None,
    unit: str | None = None,
) -> "MeasuredPattern | Unreadable":
    """Read the pattern in a file, packed or not; of unknown content it is taken for text.

    Parameters
    ----------
    path
        The file.
    wavelength
        What the user says of it, to convert a pattern over Q or d; by default that of the file.
    scan
        Number, from 1, or name of a scan; by default the first.
    unit
        What the user says that it is over, one of `diffsym.experimental.units.UNITS`; by default
        what the file says, and 2theta in degrees where it says nothing.
    """
    try:
        found = _read(path, scan)
        if isinstance(found, MeasuredPdf):
            return Unreadable(
                f"this is {found.told}, no powder pattern; give a pattern over 2theta"
            )
        return over_two_theta(found, wavelength, unit)
    except DiffsymError as error:
        return Unreadable(str(error))


def read_measured(
    path: Path,
    wavelength: "Wavelength | None" = None,
    *,
    scan: str | None = None,
    unit: str | None = None,
) -> "MeasuredPattern | MeasuredPdf | Unreadable":
    """Read what a file holds, a powder pattern or a pair distribution function; see `read_pattern`.

    A wavelength and a unit say nothing of the latter.
    """
    pdf = read_pdf(path, scan=scan)
    if isinstance(pdf, MeasuredPdf):
        return pdf
    return read_pattern(path, wavelength, scan=scan, unit=unit)


def read_pdf(path: Path, *, scan: str | None = None) -> "MeasuredPdf | Unreadable":
    """Read the pair distribution function in a file.

    Parameters
    ----------
    path
        The file.
    scan
        Number, from 1, or name of a scan; by default the first.
    """
    try:
        found = _read(path, scan)
    except DiffsymError as error:
        return Unreadable(str(error))
    if not isinstance(found, MeasuredPdf):
        return Unreadable(
            "this is a powder pattern, no pair distribution function; give G(r) as a .gr file"
        )
    return found


def _read(path: Path, scan: str | None) -> "MeasuredPattern | MeasuredPdf":
    """What a file holds, as it stands there; DiffsymError if it cannot be read."""
    content = unpacked(path)
    form = format_of(path.name, content)
    if form.refusal:
        raise DiffsymError(form.refusal)
    try:
        return _read_as(form, content, scan)
    except DAMAGES as error:
        reason = " ".join(str(error).split())[:100]
        raise DiffsymError(
            f"the file is damaged, or no {form.name} as we know it ({reason}); copy it anew, or "
            "export it as text of two columns"
        ) from None


def _read_as(form: Format, content: bytes, scan: str | None) -> "MeasuredPattern | MeasuredPdf":
    """What a module reads; of formats with one scan no other can be wanted."""
    module = importlib.import_module(form.module)
    if form.many:
        return cast("MeasuredPattern | MeasuredPdf", module.read(content, scan))
    chosen([""], scan)
    return cast("MeasuredPattern | MeasuredPdf", module.read(content))
