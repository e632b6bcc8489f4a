"""The Crystallography Open Database, by its own interface for programs.

A search, or a list of numbers, says which entries. They are fetched one by one into a folder beside
the archive, so that a download that is cut off goes on where it stopped, and packed when all are
there. The archive records what was asked for, and the revision and SHA-256 of every file.
"""

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, sha256, write_text
from diffsym.settings.sources.cod import Cod
from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.readers import read_file
from diffsym.structures.sources.polite import PoliteSession, check_reachable

LICENCE = "CC0 1.0"
CITATION = (
    "Grazulis, S., Daskevic, A., Merkys, A. et al. (2012). Crystallography Open Database (COD): an "
    "open-access collection of crystal structures and platform for world-wide collaboration. "
    "Nucleic Acids Research 40, D420-D427."
)
NUMBER = re.compile(r"\d{7}(@\d+)?")
# Lines at the head of each file of the database, and its number in the CIF.
REVISION = re.compile(rb"\$Revision:\s*(\d+)\s*\$")
CODE = re.compile(rb"^_cod_database_code\s+['\"]?(\d{7})", re.MULTILINE | re.IGNORECASE)
RECORD = "record.json"
# Dates would make archives of the same files differ.
DATE = (1980, 1, 1, 0, 0, 0)


# --- fetching -----------------------------------------------------------------------------------


def check_access(settings: Cod) -> None:
    """Say why fetching would fail: nothing answers."""
    check_reachable(settings.server)


def fetch(destination: Path, settings: Cod, session: PoliteSession | None = None) -> None:
    """Put the archive of all chosen entries at `destination`, unless it lies there already.

    Parameters
    ----------
    destination
        The archive. Beside it, in a folder with the suffix `.parts`, lies what has been fetched
        until it is whole.
    settings
        Which entries, and from where.
    session
        What asks the server; by default one with the settings' rate.

    Raises
    ------
    DiffsymError
        If no entry is chosen, the server cannot be reached, or its answers are not as documented.
    """
    if destination.exists():
        read_record(destination)
        return
    session = session or PoliteSession(settings.requests_per_second)
    parts = destination.with_suffix(".parts")
    numbers = chosen_numbers(settings, parts, session)
    for number in numbers:
        if not any(_file(parts, number, suffix).exists() for suffix in ("cif", "missing")):
            _fetch_entry(number, settings.server, parts, session)
    _pack(destination, settings, numbers, parts)
    shutil.rmtree(parts)


def chosen_numbers(settings: Cod, parts: Path, session: PoliteSession) -> list[str]:
    """Numbers of the chosen entries, rising; those of a search are kept for a later call."""
    if settings.numbers:
        where, found = settings.numbers, Path(settings.numbers).read_text(encoding="utf-8")
    else:
        kept = parts / "numbers.txt"
        where = f"{settings.server}/result"
        if not kept.exists():
            answer = session.get(where, {**settings.search, "format": "lst"}) or b""
            write_text(kept, answer.decode("utf-8", "replace"))
        found = kept.read_text(encoding="utf-8")
    numbers = sorted({line.strip() for line in found.splitlines() if line.strip()})
    for number in numbers:
        if not NUMBER.fullmatch(number):
            (parts / "numbers.txt").unlink(missing_ok=True)
            raise DiffsymError(
                f"{where}: '{number[:60]}' is no number of the COD (seven digits); correct the "
                "list, the search or the server"
            )
    if not numbers:
        raise DiffsymError(f"{where}: there is no such entry; choose others")
    return numbers[: settings.limit]


def _file(parts: Path, number: str, suffix: str) -> Path:
    return parts / f"{number.replace('@', '-r')}.{suffix}"


def _fetch_entry(number: str, server: str, parts: Path, session: PoliteSession) -> None:
    """Fetch one file, whole, or note that the server has none."""
    plain, _, revision = number.partition("@")
    address = f"{server}/{plain}.cif" + (f"@{revision}" if revision else "")

    def problem(content: bytes) -> str:
        found = CODE.search(content)
        return "" if found and found[1].decode() == plain else "a file that is not of this entry"

    content = session.get(address, check=problem)
    target = _file(parts, number, "missing" if content is None else "cif")
    with atomic_path(target) as temporary:
        temporary.write_bytes(content or b"")


def _pack(destination: Path, settings: Cod, numbers: list[str], parts: Path) -> None:
    """Write the archive: all files and the record."""
    record: dict[str, Any] = {
        "server": settings.server,
        "search": settings.search,
        "numbers": numbers,
        "missing": [],
        "files": {},
    }
    with atomic_path(destination) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for number in numbers:
            path = _file(parts, number, "cif")
            if not path.exists():
                record["missing"].append(number)
                continue
            content = path.read_bytes()
            revision = REVISION.search(content)
            record["files"][number] = {
                "sha256": hashlib.sha256(content).hexdigest(),
                "revision": int(revision[1]) if revision else None,
            }
            _add(archive, f"{number}.cif", content)
        _add(archive, RECORD, json.dumps(record, indent=1).encode())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED)


# --- reading ------------------------------------------------------------------------------------


class CodSource:
    """The archive of entries that were fetched."""

    licence = LICENCE

    def __init__(self, name: str, path: Path, limit: int | None) -> None:
        self.name = name
        self.path = path
        self.limit = limit
        self.record = read_record(path)

    def identifiers(self) -> list[str]:
        """Numbers of the chosen entries, rising; those that the server lacks included."""
        numbers: list[str] = self.record["numbers"]
        return numbers[: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read files one by one, each compared with its checksum."""
        with zipfile.ZipFile(self.path) as archive:
            for number in identifiers:
                known = self.record["files"].get(number, {})
                revision = known.get("revision") or "unknown"
                yield from read_file(
                    partial(load_entry, archive, number, known.get("sha256")),
                    f"{number}.cif",
                    number,
                    f"COD {number.partition('@')[0]}, revision {revision}",
                )

    def provenance(self) -> dict[str, Any]:
        """What was asked for, newest revision, licence, citation and checksum."""
        files: Mapping[str, Any] = self.record["files"]
        newest = max((file["revision"] or 0 for file in files.values()), default=0)
        return {
            "name": self.name,
            "kind": "cod",
            "version": f"revision {newest}" if newest else "revision unknown",
            "licence": LICENCE,
            "citation": CITATION,
            "server": self.record["server"],
            "search": self.record["search"],
            "entries": len(self.record["numbers"]),
            "missing": len(self.record["missing"]),
            "files": {self.path.name: sha256(self.path)},
        }


def load_entry(archive: zipfile.ZipFile, number: str, checksum: str | None) -> bytes:
    """Content of an entry's file; EntryError if the server had none or it is damaged."""
    if checksum is None:
        raise EntryError(
            RejectionCode.UNREADABLE, "the server has no such file; it may have been withdrawn"
        )
    try:
        content = archive.read(f"{number}.cif")
    except (KeyError, OSError, zipfile.BadZipFile):
        content = b""
    if hashlib.sha256(content).hexdigest() != checksum:
        raise EntryError(
            RejectionCode.UNREADABLE, "its file in the archive is damaged; delete the archive"
        )
    return content


def open_source(name: str, settings: Cod, path: Path) -> CodSource:
    """Open the archive at `path`."""
    if not path.is_file():
        raise DiffsymError(f"{path}: the archive of the source '{name}' is missing; fetch it first")
    return CodSource(name, path, settings.limit)


def read_record(path: Path) -> dict[str, Any]:
    """Record of an archive; DiffsymError if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            record: dict[str, Any] = json.loads(archive.read(RECORD))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DiffsymError(
            f"{path}: no archive of COD entries ({error}); delete it and fetch it again"
        ) from None
    return record
