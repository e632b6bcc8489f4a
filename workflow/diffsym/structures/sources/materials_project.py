"""Structures of the Materials Project, from the Parquet file into which they are fetched."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from diffsym.errors import DiffsymError
from diffsym.files import sha256
from diffsym.settings.sources.local import Local
from diffsym.settings.sources.materials_project import MaterialsProject
from diffsym.structures.entries import Entry, Rejection, RejectionCode
from diffsym.structures.sources.local import PARQUET_COLUMNS, ParquetSource

LICENCE = "CC BY 4.0"
LICENCE_WITH_GNOME = "CC BY 4.0; entries of GNoME CC BY-NC 4.0"
CITATION = (
    "Jain, A., Ong, S. P., Hautier, G. et al. (2013). Commentary: The Materials Project: A "
    "materials genome approach to accelerating materials innovation. APL Materials 1, 011002."
)
DESCRIPTION = "Materials Project, computed structures: {entries} entries"
RECORD = b"diffsym"
"""Key of the record in the metadata of the file."""

numbers, coordinates = pa.list_(pa.int32()), pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        *zip(PARQUET_COLUMNS, (pa.string(), coordinates, numbers, coordinates), strict=True),
        ("formula", pa.string()),
        ("theoretical", pa.bool_()),
        ("energy_above_hull", pa.float64()),
        ("space_group_number", pa.int32()),
        ("space_group_symbol", pa.string()),
        ("licence", pa.string()),
        ("problem", pa.string()),
    ]
)
"""Columns of the file: those of `local`, what the database declares, and why there is nothing."""


class MaterialsProjectSource(ParquetSource):
    """A Parquet file of `local` that knows where it comes from and what was declared."""

    def __init__(self, name: str, path: Path, settings: MaterialsProject) -> None:
        # Looked at first: another Parquet file lacks it.
        self.record = read_record(path)
        licence = LICENCE_WITH_GNOME if self.record["non_commercial"] else LICENCE
        as_local = Local(
            path=str(path),
            licence=licence,
            citation=CITATION,
            limit=settings.limit,
            select=settings.select,
        )
        super().__init__(name, path, as_local)

    @cached_property
    def declared(self) -> dict[str, dict[str, Any]]:
        """What the database says of each entry, apart from its structure."""
        columns = ["material_id", "space_group_number", "space_group_symbol", "problem"]
        rows = self.file.read(columns=columns).to_pylist()
        return {row["material_id"]: row for row in rows}

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read rows in the order of the file; one without a structure says why it has none."""
        for item in super().read(identifiers):
            declared = self.declared[item.entry_id]
            if problem := declared["problem"]:
                reason = f"{item.entry_id}: {problem}"
                yield Rejection(item.entry_id, "read", RejectionCode.UNREADABLE, reason)
            elif isinstance(item, Entry):
                yield replace(
                    item,
                    declared_symbol=declared["space_group_symbol"],
                    declared_space_group=declared["space_group_number"],
                    reference=f"Materials Project {item.entry_id}",
                )
            else:
                yield item

    def provenance(self) -> dict[str, Any]:
        """Version of the database, what was asked for, licence, citation and checksum."""
        record = self.record
        return {
            "name": self.name,
            "kind": "materials_project",
            "description": DESCRIPTION.format(**record),
            "version": f"database {record['database_version'] or 'of an unknown version'}, "
            f"fetched {record['fetched']}",
            "licence": self.licence,
            "citation": CITATION,
            **{key: value for key, value in record.items() if key != "licence"},
            "files": {self.path.name: sha256(self.path)},
        }


def open_source(name: str, settings: MaterialsProject, path: Path) -> MaterialsProjectSource:
    """Open the Parquet file at `path`."""
    if not path.is_file():
        raise DiffsymError(f"{path}: the file of the source '{name}' is missing; fetch it first")
    return MaterialsProjectSource(name, path, settings)


def read_record(path: Path) -> dict[str, Any]:
    """What the file says of its origin; DiffsymError if it says nothing."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        record: dict[str, Any] = json.loads(metadata[RECORD])
    except (OSError, KeyError, ValueError) as error:
        raise DiffsymError(
            f"{path}: no file of entries of the Materials Project ({error}); delete it and fetch "
            "it again, or read a file of your own with 'kind: local'"
        ) from None
    return record
