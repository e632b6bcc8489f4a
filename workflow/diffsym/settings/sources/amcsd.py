"""The default database."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.sources.base import Source


@dataclass(frozen=True, kw_only=True)
class Amcsd(Source):
    """American Mineralogist Crystal Structure Database, a trimmed snapshot, by package registry."""

    module: ClassVar = "diffsym.structures.sources.amcsd"
    download: ClassVar = "larixite-2026.1.0-py3-none-any.whl"

    kind: Literal["amcsd"] = "amcsd"
    """Which reader."""
