"""Structures of a provider of OPTIMADE, out of the archive that `fetching.optimade` writes.

The archive is a zip of parts with some hundred structures each, a line of JSON a structure, and a
record: what was asked for, what the provider says of itself, the identifiers, and the SHA-256 of
each part.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import count, groupby
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.files import sha256
from diffsym.settings.sources.optimade import UNKNOWN, Optimade
from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.lenient import storable
from diffsym.structures.readers.content import DAMAGES
from diffsym.structures.readers.optimade import read_structure

RECORD = "record.json"
STRUCTURES_PER_PART = 500


def part_name(number: int) -> str:
    """Name of a part in the archive."""
    return f"structures-{number:05d}.jsonl"


class OptimadeSource:
    """The archive of structures that were fetched."""

    def __init__(self, name: str, path: Path, settings: Optimade) -> None:
        self.name = name
        self.path = path
        self.record = read_record(path)
        self.limit = settings.limit
        stated = self.record["licence"] or UNKNOWN
        self.licence = stated if settings.licence == UNKNOWN else settings.licence
        self.citation = settings.citation

    @cached_property
    def names(self) -> list[str]:
        """Identifiers of all structures, one that repeats with a number behind it."""
        return all_different(self.record["identifiers"])

    def identifiers(self) -> list[str]:
        """Identifiers in the order of the provider."""
        return self.names[: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read structures one by one, each part of the archive compared with its checksum."""
        places = {name: place for place, name in enumerate(self.names)}
        with zipfile.ZipFile(self.path) as archive:
            for part, names in groupby(
                identifiers, lambda name: places[name] // STRUCTURES_PER_PART
            ):
                lines = self.lines(archive, part)
                for name in names:
                    place = places[name] % STRUCTURES_PER_PART
                    yield read_line(lines[place], name, self.citation) if lines else damaged(name)

    def lines(self, archive: zipfile.ZipFile, part: int) -> list[bytes]:
        """Lines of a part; none if it is damaged."""
        try:
            content = archive.read(part_name(part))
        except (KeyError, ValueError, *DAMAGES):
            return []
        whole = hashlib.sha256(content).hexdigest() == self.record["parts"][part]
        return content.splitlines() if whole else []

    def provenance(self) -> dict[str, Any]:
        """What was asked for, what the provider says of itself, and the checksum."""
        record = self.record
        database, newest = record["database"], record["last_modified"]
        version = database.get("version") or (f"last modified {newest}" if newest else UNKNOWN)
        said = (record["name"], record["description"], database.get("description"))
        return {
            "name": self.name,
            "kind": "optimade",
            "description": ". ".join(dict.fromkeys(filter(None, said))),
            "version": version,
            "licence": self.licence,
            "licence_of_provider": record["licence"],
            "citation": self.citation,
            "provider": record["provider"],
            "filter": record["filter"],
            "api_version": record["api_version"],
            "announced": record["announced"],
            "entries": len(record["identifiers"]),
            "repeated": len(record["identifiers"]) - len(set(record["identifiers"])),
            "files": {self.path.name: sha256(self.path)},
        }


def all_different(identifiers: Iterable[str]) -> list[str]:
    """Identifiers in their order, one that was there before with a number behind it."""
    taken: set[str] = set()
    names = []
    for identifier in identifiers:
        whole = storable(identifier)
        candidates = (f"{whole}({number})" if number > 1 else whole for number in count(1))
        names.append(next(name for name in candidates if name not in taken))
        taken.add(names[-1])
    return names


def damaged(identifier: str) -> Rejection:
    """The refusal of a structure that the archive does not hold as it was written."""
    reason = f"{identifier}: its part of the archive is damaged; delete the archive"
    return Rejection(identifier, "read", RejectionCode.UNREADABLE, reason)


def read_line(line: bytes, identifier: str, citation: str) -> Entry | Rejection:
    """Read one structure of a part."""
    try:
        structure = storable(json.loads(line))
        if problem := structure.get("problem"):
            reason = f"{identifier}: {problem}"
            return Rejection(identifier, "read", RejectionCode.UNREADABLE, reason)
        return read_structure(
            structure["attributes"], structure["references"], identifier, citation
        )
    except EntryError as error:
        return Rejection(identifier, "read", error.code, f"{identifier}: {error.reason}")
    except Exception as error:  # noqa: BLE001  (one structure must not stop the others)
        text = (str(error).strip().splitlines() or ["no text"])[0]
        reason = (
            f"{identifier}: reading failed with {type(error).__name__} ({text}); please report it "
            "with the structure"
        )
        return Rejection(identifier, "read", RejectionCode.UNEXPECTED, reason)


def open_source(name: str, settings: Optimade, path: Path) -> OptimadeSource:
    """Open the archive at `path`."""
    if not path.is_file():
        raise DiffsymError(f"{path}: the archive of the source '{name}' is missing; fetch it first")
    return OptimadeSource(name, path, settings)


def read_record(path: Path) -> dict[str, Any]:
    """Record of an archive; DiffsymError if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            record: dict[str, Any] = json.loads(archive.read(RECORD))
    except (KeyError, ValueError, *DAMAGES) as error:
        raise DiffsymError(
            f"{path}: no archive of OPTIMADE structures ({error}); delete it and fetch it again"
        ) from None
    return record
