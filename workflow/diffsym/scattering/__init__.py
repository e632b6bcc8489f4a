"""The physics: arrays in, arrays out, no files.

Numba keeps compiled kernels in a folder and considers one valid while its own source file is
unchanged, but kernels of this package contain kernels from its other files. The folder is therefore
named after all of its sources.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numba

from diffsym.files import one_at_a_time


def _room_of_kernels() -> Path:
    """Where compiled kernels are kept: beside their sources, if these can be written.

    Otherwise where the user wants it (`NUMBA_CACHE_DIR`), in the user's cache, or among temporary
    files. Numba unpickles what it finds, so the last two must be the user's own.
    """
    beside = Path(__file__).parent
    if os.access(beside, os.W_OK):
        return beside / "__pycache__"
    if wanted := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(wanted)
    caches = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", os.devnull), ".cache")
    for folder in (
        Path(caches, "diffsym"),
        Path(tempfile.gettempdir(), f"diffsym-{os.getuid()}"),
    ):
        if _is_own(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="diffsym-"))


def _is_own(folder: Path) -> bool:
    """Whether a folder is there, or can be made, and belongs to this user, who can write in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and os.access(folder, os.W_OK)
    )


_sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
_name = f"kernels-{hashlib.sha256(_sources).hexdigest()[:12]}"
numba.config.CACHE_DIR = str(_room_of_kernels() / _name)  # type: ignore[attr-defined]


# Longer than any kernel takes to compile; who holds the lock longer hangs.
PATIENCE = 120.0


@contextmanager
def one_compiles(kernels: str, patience: float = PATIENCE) -> Iterator[None]:
    """Let one process at a time call some kernels that may have to be compiled.

    Those that start at the same time wait, and find them compiled. Where compiled kernels cannot be
    kept there is nothing to wait for.

    Parameters
    ----------
    kernels
        Name of those that are called, the same in all processes that call them.
    patience
        Seconds to wait at most; then the kernels are compiled here, too.
    """
    folder = Path(str(numba.config.CACHE_DIR))  # type: ignore[attr-defined]
    if folder == Path():
        yield
        return
    with one_at_a_time(folder / f"{kernels}.lock", patience):
        yield
