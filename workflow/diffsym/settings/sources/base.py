"""What all sources of structures share."""

from typing import ClassVar

from diffsym.settings.base import Section


class Source(Section):
    """Any kind of source."""

    module: ClassVar[str]
    """Module that reads it."""

    kind: str
