"""What all sources of structures share."""

from typing import ClassVar

from diffsym.settings.base import Section


class Source(Section):
    """Any kind of source."""

    module: ClassVar[str]
    """Module that reads it, and fetches it if there is something to download."""
    download: ClassVar[str | None] = None
    """Name, or its pattern, of the file that `fetch` writes; None: the user's `path` is read."""
    wanted: ClassVar[str] = ""
    """What the user has to set `path` to."""

    kind: str

    def file(self) -> str | None:
        """Name of the file that `fetch` of the module writes."""
        return self.download
