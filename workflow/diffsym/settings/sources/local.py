"""Structures that a user brings."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.sources.base import Source


@dataclass(frozen=True, kw_only=True)
class Local(Source):
    """A folder or an archive of CIF and POSCAR files, or a Parquet file of P1 cells."""

    module: ClassVar = "diffsym.structures.sources.local"
    wanted: ClassVar = "your folder or archive of CIF/POSCAR files, or to your Parquet file"

    kind: Literal["local"] = "local"
    """Which reader."""
    path: Annotated[str, MinLen(1)]
    """The folder, the archive (zip, tar, tar.gz, tar.xz, tar.bz2) or the Parquet file."""
    licence: str = "unknown"
    """Terms of use, recorded with every structure."""
    citation: str = "unpublished"
    """Reference, recorded with every structure."""
