"""Structures that the user has: a folder or an archive of CIF and POSCAR files, or a Parquet file.

The Parquet file has a row per structure with the columns `material_id` (string), `lattice` (nine
numbers, row vectors in A), `atomic_numbers` and `frac_coords` (flat, three per atom).
"""

import hashlib
import itertools
import logging
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
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
from diffsym.structures.readers.content import read_path
from diffsym.structures.sources.archives import ARCHIVE_SUFFIXES, is_archive, open_archive

log = logging.getLogger(__name__)

PARQUET_COLUMNS = ("material_id", "lattice", "atomic_numbers", "frac_coords")
BATCH_ROWS = 2000


@dataclass(frozen=True)
class StructureFile:
    """A structure file, or an archive that cannot be read.

    Attributes
    ----------
    disk
        Where it lies: its own path, or that of its archive.
    name
        Its name without folders.
    place
        Its place among the files of its archive; None: it is in none.
    refusal
        Why the archive cannot be read; empty if it can.
    """

    disk: Path
    name: str
    place: int | None = None
    refusal: str = ""


class FileSource:
    """CIF and POSCAR files in a folder or an archive, and in the archives of the folder.

    A file's path below the folder is the identifier of its structure; an archive counts as a
    folder (`archive.zip/file.cif`). A CIF with several structures gives several entries, with the
    name of the block behind the path.
    """

    def __init__(self, name: str, path: Path, settings: Local) -> None:
        self.name = name
        self.path = path
        self.licence = settings.licence
        self.citation = settings.citation
        self.limit = settings.limit

    @cached_property
    def listing(self) -> tuple[dict[str, StructureFile], list[str]]:
        """Structure files by their identifiers, and the other files; both sorted."""
        files: dict[str, StructureFile] = {}
        others: list[str] = []
        for identifier, path in self.on_disk():
            if is_archive(path.name):
                packed, passed_over = list_archive(path, identifier)
                files |= packed
                others += passed_over
            elif is_structure_file(path.name):
                files[identifier] = StructureFile(path, path.name)
            else:
                others.append(identifier)
        return dict(sorted(files.items())), sorted(others)

    def on_disk(self) -> Iterator[tuple[str, Path]]:
        """All files of the folder with their identifiers, or the one archive."""
        if not self.path.is_dir():
            yield readable(self.path.name), self.path
            return
        for path in sorted(self.path.rglob("*")):
            if not path.is_dir():
                yield readable(path.relative_to(self.path).as_posix()), path

    def identifiers(self) -> list[str]:
        """Identifiers of the structure files, sorted."""
        files, _ = self.listing
        for file in files.values():
            if file.refusal and file.disk == self.path:
                raise DiffsymError(f"{self.path}: {file.refusal}")
        if not files:
            raise DiffsymError(
                f"{self.path}: the source '{self.name}' holds no structures; "
                "put .cif, .mcif, .vasp or POSCAR files there, or correct the source's path"
            )
        return list(files)[: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read files one by one; one with several structures gives several entries.

        Those of an archive come after the others, in the order in which they are packed: to go
        back in a packed archive is to unpack it again.
        """
        files, _ = self.listing
        packed: dict[Path, dict[int, str]] = {}
        for identifier in identifiers:
            file = files[identifier]
            if file.refusal:
                reason = f"{identifier}: {file.refusal}"
                yield Rejection(identifier, "read", RejectionCode.UNREADABLE, reason)
            elif file.place is None:
                load = partial(read_path, file.disk)
                yield from read_file(load, file.name, identifier, self.citation)
            else:
                packed.setdefault(file.disk, {})[file.place] = identifier
        for archive, wanted in packed.items():
            yield from read_archive(archive, wanted, self.citation)

    def provenance(self) -> dict[str, Any]:
        """Licence, citation, one checksum of all names and contents, and what is passed over."""
        files, others = self.listing
        chosen = {files[identifier].disk for identifier in self.identifiers()}
        for other in others:
            log.info("%s is no structure file and is passed over", other)
        if self.path.is_dir():
            description = "A folder of structures"
            digest = hashlib.sha256()
            for identifier, path in sorted(self.on_disk()):
                if path in chosen:
                    digest.update(f"{identifier}\0{checksum(path)}\n".encode())
            total = digest.hexdigest()
        else:
            description, total = "An archive of structures", sha256(self.path)
        record = describe(self, description, {self.path.name: total})
        return record | {"structure_files": len(files), "passed_over": len(others)}


def list_archive(path: Path, identifier: str) -> tuple[dict[str, StructureFile], list[str]]:
    """Structure files of an archive by their identifiers, and the other files.

    An archive that cannot be read to its end is one file with a refusal: nobody knows what it
    lacks.
    """
    files: dict[str, StructureFile] = {}
    others = []
    try:
        with open_archive(path) as members:
            for place, member in enumerate(members):
                # A tar archive of the folder '.' has './' before all names.
                inside = f"{identifier}/{readable(member.name.removeprefix('./'))}"
                name = base_name(member.name)
                if is_structure_file(name):
                    files[unlike(files, inside)] = StructureFile(path, name, place)
                else:
                    others.append(inside)
    except EntryError as error:
        return {identifier: StructureFile(path, path.name, refusal=error.reason)}, []
    return files, others


def unlike(taken: Container[str], name: str) -> str:
    """A name, with a number behind it if the archive holds it before."""
    if name not in taken:
        return name
    numbered = (f"{name}({count})" for count in itertools.count(2))
    return next(candidate for candidate in numbered if candidate not in taken)


def base_name(name: str) -> str:
    """Name of a member without folders; archives of Windows may part them by backslashes."""
    return name.replace("\\", "/").rpartition("/")[2]


def read_archive(path: Path, wanted: dict[int, str], citation: str) -> Iterator[Entry | Rejection]:
    """Read some files of an archive, given by their places, in the order of these."""
    left = dict(wanted)
    try:
        with open_archive(path) as members:
            for place, member in enumerate(members):
                if place in left:
                    name = base_name(member.name)
                    items = read_file(member.read, name, left.pop(place), citation)
                    yield from items
                    if not left:
                        return
    except EntryError as error:
        for identifier in left.values():
            yield Rejection(identifier, "read", error.code, f"{identifier}: {error.reason}")


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


def open_source(name: str, settings: Local, path: Path) -> FileSource | ParquetSource:
    """Open the folder, the archive or the Parquet file at `path`."""
    if path.is_dir():
        return FileSource(name, path, settings)
    if not path.exists():
        raise DiffsymError(
            f"{path}: the path of the source '{name}' does not exist; correct sources.{name}.path"
        )
    if is_archive(path.name):
        return FileSource(name, path, settings)
    return ParquetSource(name, path, settings)


def checksum(path: Path) -> str:
    """SHA-256 of a file, or a word if it cannot be opened."""
    try:
        return sha256(path)
    except OSError:
        return "cannot be opened"


def describe(
    source: FileSource | ParquetSource, description: str, files: dict[str, str]
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
            f"{path}: no folder, no archive ({', '.join(ARCHIVE_SUFFIXES)}) and no "
            f"readable Parquet file ({error}); correct the path"
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
