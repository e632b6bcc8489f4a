"""The file in which the archives of the RRUFF project lie together, as they were sent.

It is a zip archive without compression of the archive of patterns, that of DIF files, and a record
that says when and from where they came.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.settings.measured.rruff import Rruff

RECORD = "record.json"
LARGEST = 32_000_000
"""Bytes of one file in an archive, unpacked."""
DAMAGES = (OSError, EOFError, KeyError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged archive may raise."""


@contextmanager
def opened(path: Path, archive: str) -> Iterator[zipfile.ZipFile]:
    """Open one of the archives in the bundle; DiffsymError if that, or reading it, fails."""
    try:
        with zipfile.ZipFile(path) as bundle:
            # In memory, some 100 MB: inside another archive each step back begins at its start.
            content = io.BytesIO(bundle.read(f"{archive}.zip"))
        with zipfile.ZipFile(content) as inner:
            yield inner
    except DAMAGES as error:
        raise DiffsymError(
            f"{path}: no whole archive {archive} of the RRUFF project ({error}); delete the file "
            "and start again"
        ) from None


def read_record(path: Path) -> dict[str, Any]:
    """When and from where the archives came."""
    try:
        with zipfile.ZipFile(path) as bundle:
            record: dict[str, Any] = json.loads(bundle.read(RECORD))
    except DAMAGES as error:
        raise DiffsymError(
            f"{path}: no file with archives of the RRUFF project ({error}); delete it and start "
            "again"
        ) from None
    return record


def check_bundle(path: Path, settings: Rruff) -> dict[str, Any]:
    """The record of a bundle; DiffsymError unless it holds the archives of a section."""
    record = read_record(path)
    for archive in settings.archives:
        if archive not in record.get("archives", {}):
            raise DiffsymError(
                f"{path}: the file lacks the archive {archive} of the RRUFF project; delete it and "
                "start again"
            )
    return record


def texts(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Name, without folders, and content of each text of an archive, sorted by name."""
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name = info.filename.rpartition("/")[2]
        if name.lower().endswith(".txt") and info.file_size <= LARGEST:
            yield name, archive.read(info)
