"""Formats of measured patterns: one module a format, each with `read(path)`.

The table is all that the plan and a set need of them; a module is imported when a file asks for it.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffsym.experimental.readers.base import MeasuredPattern, Unreadable

TEXT = "diffsym.experimental.readers.text"
# Module by the suffix of a file's name; it must import nothing heavy here.
READERS = {
    ".asc": TEXT,
    ".csv": TEXT,
    ".dat": TEXT,
    ".txt": TEXT,
    ".xy": TEXT,
    ".xye": TEXT,
}


def read_pattern(path: Path) -> "MeasuredPattern | Unreadable":
    """Read the pattern in a file; one of unknown suffix is taken for text."""
    module = importlib.import_module(READERS.get(path.suffix.lower(), TEXT))
    pattern: MeasuredPattern | Unreadable = module.read(path)
    return pattern
