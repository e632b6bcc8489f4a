"""Files that are written whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an error.

    The temporary name lies in the same folder, so that the final rename cannot be torn by a
    kill or by a full disk. It keeps the suffix of `path`, because some writers choose the
    format by it.

    Parameters
    ----------
    path
        Where the finished file shall lie. Missing folders are created.

    Yields
    ------
    Path
        A name that does not exist yet, to write a file (or a folder) to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = workspace / path.name
    try:
        yield temporary
        if temporary.is_file():
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, whole or not at all.

    NaN is refused, because JSON does not know it and other readers fail on it.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
