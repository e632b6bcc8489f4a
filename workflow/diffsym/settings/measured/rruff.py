"""Powder patterns of minerals, from the archives of the RRUFF project."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.measured.base import Measured
from diffsym.settings.sources.base import check_address, check_checksum

STRUCTURES = "DIF"


@dataclass(frozen=True, kw_only=True)
class Rruff(Measured):
    """Measured powder patterns of the RRUFF project, from its own archives (docs/measured.md)."""

    simulated: ClassVar = False
    module: ClassVar = "diffsym.experimental.rruff.reading"
    fetcher: ClassVar = "diffsym.experimental.rruff.fetching"
    download: ClassVar = "rruff-{}.zip"

    kind: Literal["rruff"] = "rruff"
    """Which reader."""
    url: Annotated[str, MinLen(1)] = "https://www.rruff.net/zipped_data_files/powder"
    """Address of the folder of archives."""
    profiles: Literal["XY_RAW", "XY_Processed"] = "XY_RAW"
    """Patterns as they were measured, or without background and stripped of the second line."""
    sha256: tuple[str, str] | None = None
    """Checksums that the archives of patterns and of DIF files must have; null: any, since the
    collection grows.
    """
    exclude: tuple[str, ...] = ()
    """Patterns not to use, for example after an audit."""
    citation: str = (
        "B. Lafuente, R. T. Downs, H. Yang & N. Stone (2015), in Highlights in Mineralogical "
        "Crystallography, 1-30"
    )
    """Whom to cite; shown in the report's configuration."""

    def __post_init__(self) -> None:
        """Refuse what is no address or no checksum."""
        check_address("url", self.url)
        for checksum in self.sha256 or ():
            check_checksum("sha256", checksum)

    @property
    def archives(self) -> tuple[str, str]:
        """Names of the archives of patterns and of DIF files, without suffix."""
        return self.profiles, STRUCTURES

    def address(self, archive: str) -> str:
        """Where an archive is."""
        return f"{self.url.rstrip('/')}/{archive}.zip"

    def file(self) -> str:
        """Name of the file that is fetched, another one for each address and checksum."""
        told = [self.url, self.profiles, self.sha256]
        return self.download.format(hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12])
