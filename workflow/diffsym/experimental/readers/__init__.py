"""Formats of measured patterns: one module a format, each with `read(path)`.

Which module reads a file, its suffix decides (`diffsym.settings.measured.readers`); a module is
imported when a file asks for it.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from diffsym.settings.measured.readers import READERS, TEXT

if TYPE_CHECKING:
    from diffsym.experimental.readers.base import MeasuredPattern, Unreadable


def read_pattern(path: Path) -> "MeasuredPattern | Unreadable":
    """Read the pattern in a file; one of unknown suffix is taken for text."""
    module = importlib.import_module(READERS.get(path.suffix.lower(), TEXT))
    pattern: MeasuredPattern | Unreadable = module.read(path)
    return pattern
