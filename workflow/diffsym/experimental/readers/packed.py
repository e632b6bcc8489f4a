"""The bytes of files and of members of zip archives, unpacked, but never too many."""

import bz2
import gzip
import io
import zlib
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from diffsym.errors import DiffsymError

LARGEST = 64_000_000
"""Bytes of a file or of a part of it, unpacked; what is larger is refused."""
GZIP, BZIP2 = b"\x1f\x8b", b"BZh"


def unpacked(path: Path) -> bytes:
    """Content of a file; one that gzip or bzip2 packed is unpacked, whatever its name.

    Raises
    ------
    DiffsymError
        If it cannot be read, is empty, or is too large.
    """
    try:
        with path.open("rb") as handle:
            content = bounded(handle)
    except PermissionError:
        raise DiffsymError(
            "the file cannot be read: permission denied; make it readable, or copy it"
        ) from None
    except (OSError, ValueError) as error:
        raise DiffsymError(f"the file cannot be read ({error}); correct its name") from None
    if not content:
        raise DiffsymError("the file is empty; copy it anew")
    try:
        if content.startswith(GZIP):
            content = bounded(gzip.GzipFile(fileobj=io.BytesIO(content)))
        elif content.startswith(BZIP2):
            content = bounded(bz2.BZ2File(io.BytesIO(content)))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DiffsymError(
            f"the packed file is damaged or cut off ({error}); copy it anew"
        ) from None
    return content


def member(archive: ZipFile, name: str) -> bytes:
    """Content of a member of an archive; DiffsymError if it is too large."""
    with archive.open(name) as handle:
        return bounded(handle)


def bounded(handle: IO[bytes] | gzip.GzipFile | bz2.BZ2File) -> bytes:
    """Read a file to its end, or refuse it if it is too large."""
    content = handle.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise DiffsymError(
            f"the file holds more than {LARGEST // 1_000_000} MB; give the pattern alone"
        )
    return content
