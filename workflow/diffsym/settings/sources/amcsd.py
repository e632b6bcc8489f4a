"""The default database."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.base import Count
from diffsym.settings.sources.base import Source


@dataclass(frozen=True, kw_only=True)
class Amcsd(Source):
    """American Mineralogist Crystal Structure Database, snapshot of 2021, by package registry."""

    module: ClassVar = "diffsym.structures.sources.amcsd"
    download: ClassVar = "xraylarch-0.9.81-py3-none-any.whl"

    kind: Literal["amcsd"] = "amcsd"
    """Which reader."""
    limit: Count | None = None
    """Only the first entries; null: all."""
