"""What commands share: exit codes, lines for a terminal, and a number on the command line."""

import os
from pathlib import Path

from diffsym.errors import DiffsymError

ALL_ANSWERED, SOME_NOT, NONE_ANSWERED = 0, 1, 2
"""Exit codes."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def exit_code(answered: int, files: int) -> int:
    """Exit code for the number of answered files, and of all."""
    if answered == files:
        return ALL_ANSWERED
    return SOME_NOT if answered else NONE_ANSWERED


def printable(text: str) -> str:
    """A line without what a terminal would obey: names and licences come from anybody."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def check_output(path: Path) -> None:
    """DiffsymError if a file cannot be written there, before there is anything to write."""
    folder = path.parent
    if path.is_dir():
        raise DiffsymError(f"{path}: this is a folder; give the name of a file in it")
    if not folder.is_dir():
        raise DiffsymError(f"{path}: there is no folder {folder}; make it, or give another one")
    if not os.access(folder, os.W_OK):
        raise DiffsymError(f"{path}: the folder may not be written to; give another one")


def positive(text: str) -> int:
    """A number of at least one."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
