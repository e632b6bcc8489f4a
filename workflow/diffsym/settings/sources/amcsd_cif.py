"""The American Mineralogist Crystal Structure Database as a whole."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.sources.base import Source, check_address, check_checksum


@dataclass(frozen=True, kw_only=True)
class AmcsdCif(Source):
    """American Mineralogist Crystal Structure Database, its own archive of all CIFs."""

    module: ClassVar = "diffsym.structures.sources.amcsd_cif"
    download: ClassVar = "amcsd_cif-{}.zip"

    kind: Literal["amcsd_cif"] = "amcsd_cif"
    """Which reader."""
    url: Annotated[str, MinLen(1)] = "https://www.rruff.net/AMS/zipped_files/cif.zip"
    """Address of the archive."""
    sha256: str | None = None
    """Checksum that the archive must have; null: any, since the database grows."""

    def __post_init__(self) -> None:
        """Refuse what is no address or no checksum."""
        check_address("url", self.url)
        if self.sha256 is not None:
            check_checksum("sha256", self.sha256)

    def file(self) -> str:
        """Name of the archive, another one for each address and checksum."""
        digest = hashlib.sha256(json.dumps([self.url, self.sha256]).encode())
        return self.download.format(digest.hexdigest()[:12])
