"""The physics: arrays in, arrays out, no files.

Numba keeps compiled kernels in a folder and considers one valid while its own source file is
unchanged, but kernels of this package contain kernels from its other files. The folder is therefore
named after all of its sources.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numba

_folder = Path(__file__).parent
if os.access(_folder, os.W_OK):
    _sources = b"".join(path.read_bytes() for path in sorted(_folder.glob("*.py")))
    _name = f"kernels-{hashlib.sha256(_sources).hexdigest()[:12]}"
    numba.config.CACHE_DIR = str(_folder / "__pycache__" / _name)  # type: ignore[attr-defined]


@contextmanager
def one_compiles() -> Iterator[None]:
    """Let one process at a time call kernels that may have to be compiled.

    Those that start at the same time wait, and find them compiled. Where compiled kernels cannot be
    kept there is nothing to wait for.
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
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
