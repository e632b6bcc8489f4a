"""Databases with the interface of OPTIMADE."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.base import Count
from diffsym.settings.sources.base import Source, check_address

UNKNOWN = "unknown"
# What a client adds to the address of a database by itself.
ADDED = re.compile(r"/v\d+(\.\d+)*(/.*)?$|/(structures|info|links)/?$")


@dataclass(frozen=True, kw_only=True)
class Optimade(Source):
    """Structures of a provider of OPTIMADE that a filter finds."""

    module: ClassVar = "diffsym.structures.sources.optimade"
    fetcher: ClassVar = "diffsym.structures.fetching.optimade"
    download: ClassVar = "optimade-{}.zip"

    kind: Literal["optimade"] = "optimade"
    """Which reader."""
    provider: Annotated[str, MinLen(1)]
    """Base address of the database, without `/v1`."""
    filter: str = ""
    """Which structures, in the language of OPTIMADE, for example
    `elements HAS ALL "Si","O" AND nelements=2`; empty: all."""
    page_limit: Count | None = None
    """Structures that the provider gives at once; null: as many as it likes."""
    licence: str = UNKNOWN
    """Terms of use, recorded with every structure; unknown: those that the provider states."""
    citation: str = UNKNOWN
    """Reference, recorded with every structure for which the provider gives none."""

    def __post_init__(self) -> None:
        """Refuse what is no base address."""
        check_address("provider", self.provider)
        if added := ADDED.search(self.provider):
            raise ValueError(
                f"provider: leave out '{added[0]}', which is added to the base address; write "
                f"{self.provider[: added.start()]}"
            )

    def file(self) -> str:
        """Name of the archive, another one for each choice of structures."""
        chosen = [self.provider.rstrip("/"), self.filter.strip(), self.limit]
        digest = hashlib.sha256(json.dumps(chosen).encode())
        return self.download.format(digest.hexdigest()[:12])
