"""Files in zip and tar archives, read where they are; nothing is written to a disk."""

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from diffsym.structures.entries import EntryError, RejectionCode
from diffsym.structures.readers.content import CHUNK, DAMAGES, LARGEST, read_handle

ZIP = ".zip"
TAR_OPENERS: dict[str, Callable[..., Any]] = {
    ".tar": open,
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.xz": lzma.open,
    ".txz": lzma.open,
    ".tar.bz2": bz2.open,
    ".tbz2": bz2.open,
}
"""How the archives of each suffix are opened."""

BOUNDED_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods that zipfile unpacks part by part; 40 bytes of bzip2 may hold 40 MB."""

LARGEST_RATIO = 1000
"""Times that a tar archive may be as large unpacked; text packs to a tenth, zeros to nothing."""

ARCHIVE_SUFFIXES = (ZIP, *TAR_OPENERS)
DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Member:
    """A file of an open archive.

    Attributes
    ----------
    name
        Its path in the archive.
    refusal
        Why it is not to be read, as the end of a sentence; empty if it may be.
    opening
        Opens it.
    """

    name: str
    refusal: str
    opening: Callable[[], IO[bytes]]

    def read(self) -> bytes:
        """Content, unpacked.

        Raises
        ------
        EntryError
            If the member is refused, damaged or too large.
        """
        if self.refusal:
            raise EntryError(RejectionCode.UNREADABLE, f"the member {self.refusal}")
        try:
            with self.opening() as handle:
                return read_handle(handle, self.name)
        except DAMAGES as error:
            raise EntryError(
                RejectionCode.UNREADABLE,
                f"the member cannot be unpacked ({error}); pack the archive again",
            ) from None


def is_archive(name: str) -> bool:
    """Whether the name is that of an archive."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


@contextmanager
def open_archive(path: Path) -> Iterator[Iterator[Member]]:
    """Open an archive for one walk through its files, in the order in which they lie there.

    Each has to be read before the next one is asked for.

    Parameters
    ----------
    path
        The archive; its suffix tells the format.

    Raises
    ------
    EntryError
        If the archive is damaged, at the latest at the end of the walk.
    """
    try:
        if path.name.lower().endswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                yield zip_members(archive)
        else:
            name = path.name.lower()
            opener = next(o for suffix, o in TAR_OPENERS.items() if name.endswith(suffix))
            with opener(path, "rb") as handle:
                yield tar_members(handle, LARGEST + LARGEST_RATIO * path.stat().st_size)
    except DAMAGES as error:
        raise EntryError(
            RejectionCode.UNREADABLE,
            f"the archive is damaged or of another format ({error}); fetch or pack it again",
        ) from None


def zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    """All files of a zip archive."""
    for info in archive.infolist():
        if not info.is_dir():
            linked = stat.S_ISLNK(info.external_attr >> 16)
            reason = refusal(info.filename, linked=linked)
            if not reason and info.compress_type not in BOUNDED_METHODS:
                reason = "is not packed by 'deflate', the usual method; pack it by this one"
            yield Member(info.filename, reason, partial(archive.open, info))


def tar_members(handle: IO[bytes], end: int) -> Iterator[Member]:
    """All files of a tar archive, links and devices among them.

    Parameters
    ----------
    handle
        The archive, unpacked on the way.
    end
        Bytes that it may have.

    Raises
    ------
    tarfile.ReadError
        If the archive has more, breaks off or is damaged, or another one follows; tarfile takes all
        of this for its end.
    """
    bounded = cast("IO[bytes]", BoundedFile(handle, end))
    with tarfile.open(fileobj=bounded, mode="r:") as archive:
        for info in archive:
            if not info.isdir():
                opening = cast("Callable[[], IO[bytes]]", partial(archive.extractfile, info))
                yield Member(info.name, refusal(info.name, linked=not info.isreg()), opening)
        handle.seek(archive.offset)
        check_end(handle, end)


def check_end(handle: IO[bytes], end: int) -> None:
    """Raise `tarfile.ReadError` unless a block of zeros follows, and after it nothing but zeros."""
    place = handle.tell()
    if handle.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError(f"no end of the archive at byte {place}")
    while chunk := handle.read(CHUNK):
        if chunk.strip(b"\0") or handle.tell() > end:
            raise tarfile.ReadError(f"more than one archive, the first of {place} bytes")


class BoundedFile:
    """A file of limited length whose parts are read only if they fit into memory.

    The names and files of a tar archive may claim any length, and zeros pack well.
    """

    def __init__(self, handle: IO[bytes], end: int) -> None:
        self.handle = handle
        self.end = end
        self.tell = handle.tell

    def seek(self, position: int) -> int:
        """Go to a place, or refuse to."""
        if position > self.end:
            raise tarfile.ReadError(f"it claims to have more than {self.end} bytes")
        return self.handle.seek(position)

    def read(self, size: int) -> bytes:
        """Read some bytes, or refuse to."""
        if size > LARGEST:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self.handle.read(size)


def refusal(name: str, *, linked: bool) -> str:
    """Why a member is not to be read, as the end of a sentence; empty if it may be.

    Examples
    --------
    >>> refusal("a/b.cif", linked=False)
    ''
    >>> refusal("a/../../b.cif", linked=False)
    "leads out of the archive by '..'; pack the file below the folder"
    """
    plain = name.replace("\\", "/")
    if plain.startswith("/") or DRIVE.match(plain):
        return "has an absolute name; pack it with a relative one"
    if ".." in plain.split("/"):
        return "leads out of the archive by '..'; pack the file below the folder"
    if linked:
        return "is a link or a device; pack the file itself"
    return ""
