"""The Crystallography Open Database."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.errors import nearest
from diffsym.settings.base import Positive
from diffsym.settings.sources.base import Source, check_address

# Parameters of a search. Those that the server does not know it passes over in silence.
PARAMETERS = (
    *("id", "text", "formula", "smarts", "doi", "journal", "year", "volume", "issue"),
    *(f"el{number}" for number in range(1, 9)),
    *(f"nel{number}" for number in range(1, 5)),
    *("strictmin", "strictmax", "spacegroup"),
    *(f"{name}{end}" for name in ("a", "b", "c", "v") for end in ("min", "max")),
    *("minZ", "maxZ", "minZprime", "maxZprime"),
)


@dataclass(frozen=True, kw_only=True)
class Cod(Source):
    """Entries of the Crystallography Open Database that a search finds or a list names."""

    module: ClassVar = "diffsym.structures.sources.cod"
    download: ClassVar = "cod-{}.zip"

    kind: Literal["cod"] = "cod"
    """Which reader."""
    search: dict[str, str | int | float] = field(default_factory=dict)
    """Parameters of the server's search, for example `el1: Ti`, `strictmax: 3`, `year: 2020`."""
    numbers: str | None = None
    """Instead of a search, a text file of COD numbers, one per line; `1000041@130149` for one
    revision."""
    server: Annotated[str, MinLen(1)] = "https://www.crystallography.net/cod"
    """Address of the database, or of a mirror."""
    requests_per_second: Positive = 5
    """At most; the server is shared by all."""

    def __post_init__(self) -> None:
        """Refuse what the server would pass over."""
        check_address("server", self.server)
        if bool(self.search) == bool(self.numbers):
            raise ValueError(
                "give either a search, for example 'search: {el1: Ti, strictmax: 3}', or a list of "
                "numbers"
            )
        for key in self.search:
            if key not in PARAMETERS:
                raise ValueError(f"search: unknown parameter '{key}'{nearest(key, PARAMETERS)}")

    def file(self) -> str:
        """Name of the archive, another one for each choice of entries."""
        chosen = [self.search, self.numbers, self.server, self.limit]
        listed = Path(self.numbers) if self.numbers else None
        digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
        digest.update(listed.read_bytes() if listed and listed.is_file() else b"")
        return self.download.format(digest.hexdigest()[:12])
