"""What all sources of structures share."""

from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from diffsym.settings.base import Count, Section
from diffsym.settings.sources.selection import Selection

HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Source(Section):
    """Any kind of source."""

    module: ClassVar[str]
    """Module that reads it."""
    fetcher: ClassVar[str | None] = None
    """Module that fetches it; None: the one that reads it."""
    download: ClassVar[str | None] = None
    """Name, or its pattern, of the file that `fetch` writes; None: the user's `path` is read."""
    wanted: ClassVar[str] = ""
    """What the user has to set `path` to."""

    kind: str
    """Which reader."""
    limit: Count | None = None
    """Only the first entries, or files, before any filter; null: all."""
    select: Selection = field(default_factory=Selection)
    """Filters."""

    def file(self) -> str | None:
        """Name of the file that `fetch` of the module writes, another one for other contents."""
        return self.download

    @classmethod
    def fetched_by(cls) -> str:
        """Module with `fetch`, and `check_access`, which says at once why that would fail."""
        return cls.fetcher or cls.module


def check_address(key: str, address: str) -> None:
    """Refuse, in a section's `__post_init__`, what is no address of a server."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and all((parts.hostname or "").split("."))
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            f"{key}: '{address}' is no address; it begins with https:// or http:// and names a "
            "server"
        )


def check_checksum(key: str, checksum: str) -> None:
    """Refuse, in a section's `__post_init__`, what is no SHA-256."""
    if len(checksum) != 64 or set(checksum) - HEXADECIMAL:
        raise ValueError(
            f"{key}: '{checksum}' is no SHA-256; give 64 digits of 0-9 and a-f, as 'sha256sum' "
            "prints them"
        )
