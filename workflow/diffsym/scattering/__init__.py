"""The physics: arrays in, arrays out, no files.

Numba keeps compiled kernels in a folder and considers one valid while its own source file is
unchanged, but kernels of this package contain kernels from its other files. The folder is therefore
named after all of its sources.
"""

import hashlib
import os
from pathlib import Path

import numba

_folder = Path(__file__).parent
if os.access(_folder, os.W_OK):
    _sources = b"".join(path.read_bytes() for path in sorted(_folder.glob("*.py")))
    _name = f"kernels-{hashlib.sha256(_sources).hexdigest()[:12]}"
    numba.config.CACHE_DIR = str(_folder / "__pycache__" / _name)  # type: ignore[attr-defined]
