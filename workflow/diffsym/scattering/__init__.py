"""The physics: arrays in, arrays out, no files.

Numba keeps compiled kernels in a folder and considers one valid while its own source file is
unchanged, but kernels of this package contain kernels from its other files. The folder is therefore
named after all of its sources.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numba

_folder = Path(__file__).parent
if os.access(_folder, os.W_OK):
    _sources = b"".join(path.read_bytes() for path in sorted(_folder.glob("*.py")))
    _name = f"kernels-{hashlib.sha256(_sources).hexdigest()[:12]}"
    numba.config.CACHE_DIR = str(_folder / "__pycache__" / _name)  # type: ignore[attr-defined]


# Longer than any kernel takes to compile; who holds the lock longer hangs.
PATIENCE = 120.0


@contextmanager
def one_compiles(patience: float = PATIENCE) -> Iterator[None]:
    """Let one process at a time call kernels that may have to be compiled.

    Those that start at the same time wait, and find them compiled. Where compiled kernels cannot be
    kept there is nothing to wait for.

    Parameters
    ----------
    patience
        Seconds to wait at most; then the kernels are compiled here, too.
    """
    folder = Path(str(numba.config.CACHE_DIR))  # type: ignore[attr-defined]
    if folder == Path():
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "lock").open("w")
    except OSError:
        yield
        return
    deadline = time.monotonic() + patience
    with handle:
        while _is_taken(handle) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield


def _is_taken(handle: TextIO) -> bool:
    """Lock a file, unless another process has; there is no lock on some shared folders."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
