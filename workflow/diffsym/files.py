"""Files that are written whole or not at all."""

import errno
import fcntl
import glob
import hashlib
import json
import math
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import psutil

from diffsym.errors import DiffsymError


def _remove_abandoned(path: Path) -> None:
    """Remove what killed writers of `path` on this machine left behind."""
    prefix = f".{path.name}.{socket.gethostname()}-"
    for workspace in path.parent.glob(f"{glob.escape(prefix)}*"):
        writer = workspace.name.removeprefix(prefix).split("-")[0]
        if writer.isdigit() and not psutil.pid_exists(int(writer)):
            shutil.rmtree(workspace, ignore_errors=True)


@contextmanager
def full_disk_told(what: str | Path) -> Iterator[None]:
    """Turn the error of a full disk into a sentence for the user.

    Parameters
    ----------
    what
        The file being written, or a description of it.

    Raises
    ------
    DiffsymError
        The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise DiffsymError(
            f"{what}: no room to write it, the disk or your quota is full; make room there "
            "and start the same command again"
        ) from None


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an error.

    The temporary file is in the same folder, so that a kill or a full disk cannot interrupt the
    final rename. It keeps the name of `path`, because some writers choose the format by its suffix.
    Whatever an earlier, killed writer left behind is removed.

    Parameters
    ----------
    path
        Where to put the finished file. Missing folders are created.

    Yields
    ------
    Path
        A name that does not exist yet, to write a file to.

    Raises
    ------
    DiffsymError
        The disk is full.
    """
    path = Path(path)
    prefix = f".{path.name}.{socket.gethostname()}-{os.getpid()}-"
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as workspace:
            temporary = Path(workspace) / path.name
            yield temporary
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)


@contextmanager
def one_at_a_time(lock: Path, patience: float = math.inf) -> Iterator[None]:
    """Let one process at a time do something; a killed one frees the lock.

    Where no lock can be kept, as on some shared folders, there is nothing to wait for.

    Parameters
    ----------
    lock
        A file that all of them name. It stays.
    patience
        Seconds to wait at most; then it is done here, too.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = lock.open("w")
    except OSError:
        yield
        return
    deadline = time.monotonic() + patience
    with handle:
        while _is_taken(handle) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield


def _is_taken(handle: TextIO) -> bool:
    """Lock a file, unless another process has."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, whole or not at all.

    NaN is rejected: JSON has no NaN, and other readers fail on it.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def readable(name: str) -> str:
    """A file name as text that can be stored; bytes that are no UTF-8 are written out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
