"""The bytes of structure files, unpacked, but never more than fit into memory."""

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from diffsym.structures.entries import EntryError, RejectionCode

PACKED = ".gz"

LARGEST = 32_000_000
"""Bytes of a packed file, unpacked.

A CIF that holds nothing but short values takes 25 times its size in memory while it is read, and a
job has 1.5 GB.
"""

CHUNK = 65_536
"""Bytes that are unpacked at once."""

DAMAGES = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    # An encrypted member, and a version of zip that Python does not know.
    RuntimeError,
)
"""What unpacking raises for damaged or unusual files."""


def read_path(path: Path) -> bytes:
    """Content of a file on a disk, unpacked.

    Raises
    ------
    EntryError
        If it cannot be opened, or a packed one holds more than `LARGEST` bytes.
    """
    try:
        if not path.name.lower().endswith(PACKED):
            return path.read_bytes()
        with path.open("rb") as handle:
            return read_handle(handle, path.name)
    except DAMAGES as error:
        what = "is a link to nothing" if path.is_symlink() and not path.exists() else str(error)
        raise EntryError(
            RejectionCode.UNREADABLE, f"the file cannot be opened ({what}); replace or delete it"
        ) from None


def read_handle(handle: IO[bytes], name: str) -> bytes:
    """Content of an open file, unpacked if its name says that it is packed.

    Raises
    ------
    EntryError
        If it holds more than `LARGEST` bytes, packed or unpacked.
    """
    if not name.lower().endswith(PACKED):
        return read_bounded(handle)
    with gzip.GzipFile(fileobj=handle) as unpacked:
        return read_bounded(unpacked)


def read_bounded(handle: IO[bytes] | gzip.GzipFile) -> bytes:
    """Read a file to its end, or refuse it once it turns out to be too large."""
    content = io.BytesIO()
    while chunk := handle.read(CHUNK):
        content.write(chunk)
        if content.tell() > LARGEST:
            raise EntryError(
                RejectionCode.TOO_LARGE,
                f"the file holds more than {LARGEST / 1e6:.0f} MB when it is unpacked; "
                "split it, or unpack it into a folder",
            )
    return content.getvalue()
