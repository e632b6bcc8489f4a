"""Structures that the user has: a folder of CIF and POSCAR files, or one Parquet file.

The Parquet file has a row per structure with the columns `material_id` (string), `lattice` (nine
numbers, row vectors in A), `atomic_numbers` and `frac_coords` (flat, three per atom).
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from diffsym.errors import DiffsymError
from diffsym.files import readable, sha256
from diffsym.settings.sources.local import Local
from diffsym.structures.entries import (
    Entry,
    EntryError,
    Rejection,
    RejectionCode,
    index_mixtures,
)
from diffsym.structures.readers import is_structure_file, read_file

log = logging.getLogger(__name__)

PARQUET_COLUMNS = ("material_id", "lattice", "atomic_numbers", "frac_coords")
BATCH_ROWS = 2000


class FolderSource:
    """CIF and POSCAR files below one folder.

    A file's path below the folder is the identifier of its structure. A CIF with several
    structures gives several entries, with the name of the block behind the path.
    """

    def __init__(self, name: str, folder: Path, settings: Local) -> None:
        self.name = name
        self.folder = folder
        self.licence = settings.licence
        self.citation = settings.citation
        self.limit = settings.limit

    @cached_property
    def listing(self) -> tuple[dict[str, Path], list[str]]:
        """Structure files by their path below the folder, and the other files; both sorted."""
        files: dict[str, Path] = {}
        others = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_dir():
                continue
            identifier = readable(path.relative_to(self.folder).as_posix())
            if is_structure_file(path.name):
                files[identifier] = path
            else:
                others.append(identifier)
        return dict(sorted(files.items())), sorted(others)

    def identifiers(self) -> list[str]:
        """Paths below the folder, sorted."""
        files, _ = self.listing
        if not files:
            raise DiffsymError(
                f"{self.folder}: the folder of the source '{self.name}' holds no structures; "
                "put .cif, .mcif, .vasp or POSCAR files there, or correct the source's path"
            )
        return list(files)[: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read files one by one; one with several structures gives several entries."""
        files, _ = self.listing
        for identifier in identifiers:
            yield from read_file(files[identifier], identifier, self.citation)

    def provenance(self) -> dict[str, Any]:
        """Licence, citation, one checksum of all names and contents, and what is passed over."""
        digest = hashlib.sha256()
        files, others = self.listing
        for identifier in self.identifiers():
            digest.update(f"{identifier}\0{checksum(files[identifier])}\n".encode())
        for other in others:
            log.info("%s is no structure file and is passed over", other)
        record = describe(self, "A folder of structures", {self.folder.name: digest.hexdigest()})
        return record | {"structure_files": len(files), "passed_over": len(others)}


class ParquetSource:
    """A Parquet file with a row per structure."""

    def __init__(self, name: str, path: Path, settings: Local) -> None:
        self.name = name
        self.path = path
        self.licence = settings.licence
        self.citation = settings.citation
        self.limit = settings.limit
        if settings.select.years is not None:
            raise DiffsymError(
                f"sources.{name}.select.years: the Parquet file {path} has no years; set it to null"
            )
        self.file = open_parquet(path)

    def identifiers(self) -> list[str]:
        """The column `material_id`, in the order of the file."""
        column = self.file.read(columns=["material_id"])["material_id"]
        names = column.slice(0, self.limit).cast(pa.string()).to_pylist()
        if len(set(names)) < len(names) or None in names:
            raise DiffsymError(
                f"{self.path}: material_id is empty or repeated in some rows; "
                "give every row an identifier of its own"
            )
        if not names:
            raise DiffsymError(f"{self.path}: the file has no rows; export it again")
        return names

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read rows in the order of the file, a batch at a time."""
        wanted = set(identifiers)
        batches = self.file.iter_batches(BATCH_ROWS, columns=list(PARQUET_COLUMNS))
        for batch in batches:
            if not wanted:
                return
            names = batch.column("material_id").cast(pa.string()).to_pylist()
            chosen = [index for index, name in enumerate(names) if name in wanted]
            wanted.difference_update(names)
            for row in batch.take(pa.array(chosen, type=pa.int64())).to_pylist():
                identifier = str(row["material_id"])
                try:
                    yield read_row(row, identifier, self.citation)
                except EntryError as error:
                    yield Rejection(identifier, "read", error.code, error.reason)

    def provenance(self) -> dict[str, Any]:
        """Licence, citation and checksum of the file."""
        return describe(self, "A Parquet file of structures", {self.path.name: sha256(self.path)})


def open_source(name: str, settings: Local, path: Path) -> FolderSource | ParquetSource:
    """Open the folder or the Parquet file at `path`."""
    if path.is_dir():
        return FolderSource(name, path, settings)
    if not path.exists():
        raise DiffsymError(
            f"{path}: the path of the source '{name}' does not exist; correct sources.{name}.path"
        )
    return ParquetSource(name, path, settings)


def checksum(path: Path) -> str:
    """SHA-256 of a file, or a word if it cannot be opened."""
    try:
        return sha256(path)
    except OSError:
        return "cannot be opened"


def describe(
    source: FolderSource | ParquetSource, description: str, files: dict[str, str]
) -> dict[str, Any]:
    """Provenance that both kinds of local source share."""
    return {
        "name": source.name,
        "kind": "local",
        "description": description,
        "version": "local files",
        "licence": source.licence,
        "citation": source.citation,
        "files": files,
    }


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file and check that it has the columns of structures."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DiffsymError(
            f"{path}: neither a folder nor a readable Parquet file ({error}); correct the path"
        ) from None
    missing = [column for column in PARQUET_COLUMNS if column not in file.schema_arrow.names]
    if missing:
        raise DiffsymError(
            f"{path}: the columns {', '.join(missing)} are missing; a Parquet file of structures "
            f"has the columns {', '.join(PARQUET_COLUMNS)}"
        )
    return file


def read_row(row: dict[str, Any], identifier: str, citation: str) -> Entry:
    """Turn a row of the Parquet file into an entry."""
    try:
        lattice = np.array(row["lattice"], dtype=np.float64).reshape(3, 3)
        numbers = np.array(row["atomic_numbers"], dtype=np.intp)
        frac_coords = np.array(row["frac_coords"], dtype=np.float64).reshape(len(numbers), 3)
    except (TypeError, ValueError) as error:
        raise EntryError(
            RejectionCode.UNREADABLE,
            f"lattice, atomic_numbers and frac_coords do not fit together ({error})",
        ) from None
    mixtures, site_mixtures = index_mixtures([((int(number), 1.0),) for number in numbers])
    return Entry(
        entry_id=identifier,
        lattice=lattice,
        frac_coords=frac_coords,
        mixtures=mixtures,
        site_mixtures=site_mixtures,
        reference=citation,
    )
