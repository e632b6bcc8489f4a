"""The American Mineralogist Crystal Structure Database as a whole: its own archive of all CIFs.

The archive is kept as the server sends it. Beside it, with the suffix `.json`, lies when and from
where it came; if that is lost, or the archive was placed by hand, the checksum still says which one
it is. Newer archives hold a CIF per entry, older ones a text with all entries, which is parted here
and read by the same reader.
"""

import datetime as dt
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, read_json, sha256, write_json
from diffsym.settings.sources.amcsd_cif import AmcsdCif
from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.fetching.archives import damage
from diffsym.structures.readers import is_structure_file, read_file
from diffsym.structures.readers.content import CHUNK, DAMAGES, LARGEST
from diffsym.structures.sources.amcsd import CITATION
from diffsym.structures.sources.local import list_archive, read_archive, unlike
from diffsym.structures.sources.polite import PoliteSession, check_reachable, side_file

LICENCE = "AMCSD: free to use with citation"
DESCRIPTION = "American Mineralogist Crystal Structure Database, the full archive: {count} entries"
TEXT = ".txt"
# The CIFs of the database name every block `global`; what tells them apart is their code.
BLOCK = re.compile(rb"data_\S+\s*")
CODE = re.compile(rb"^_database_code_amcsd\s+['\"]?(\w+)", re.MULTILINE)


# --- fetching -----------------------------------------------------------------------------------


def fetch(destination: Path, settings: AmcsdCif, session: PoliteSession | None = None) -> None:
    """Put the archive at `destination`, unless it lies there already.

    Parameters
    ----------
    destination
        The archive. Beside it, with the suffix `.part`, lies what has been fetched until it is
        whole.
    settings
        From where, and which checksum it must have.
    session
        What asks the server.

    Raises
    ------
    DiffsymError
        If the server cannot be reached, or the archive is damaged or not the wanted one.
    """
    if destination.exists():
        check_archive(destination, settings)
        return
    session = session or PoliteSession(1)
    part = destination.with_name(f"{destination.name}.part")
    try:
        answer = session.download(settings.url, part, damage)
    except DiffsymError as error:
        raise DiffsymError(
            f"{error}; or get the archive on another machine and place it at {destination}"
        ) from None
    try:
        check_archive(part, settings)
    except DiffsymError:
        part.unlink()
        raise
    record = {
        "url": settings.url,
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "fetched": dt.datetime.now(dt.UTC).date().isoformat(),
        "size": part.stat().st_size,
        "sha256": sha256(part),
    }
    # First the record: an archive without one is one that was placed by hand.
    write_json(side_file(destination), record)
    with atomic_path(destination) as temporary:
        part.rename(temporary)
    side_file(part).unlink(missing_ok=True)


def check_access(settings: AmcsdCif) -> None:
    """Raise a DiffsymError if a fetch would fail because the server does not answer."""
    check_reachable(settings.url)


def check_archive(path: Path, settings: AmcsdCif) -> None:
    """Raise a DiffsymError unless a file is an archive of entries with the wanted checksum."""
    if settings.sha256 and (found := sha256(path)) != settings.sha256:
        raise DiffsymError(
            f"{path}: expected SHA-256 {settings.sha256}, found {found}; the archive at "
            f"{settings.url} has changed or the file is of another one: correct sha256 or the file"
        )
    with opened(path) as archive:
        names = [info.filename for info in archive.infolist()]
    if not any(map(is_structure_file, names)) and not any(map(is_text, names)):
        raise DiffsymError(
            f"{path}: the archive holds neither CIFs nor a text of them; correct the address"
        )


# --- reading ------------------------------------------------------------------------------------


class AmcsdCifSource:
    """The archive, whose entries have the names of their files or the codes of the database."""

    licence = LICENCE

    def __init__(self, name: str, path: Path, limit: int | None) -> None:
        self.name = name
        self.path = path
        self.limit = limit

    @cached_property
    def files(self) -> dict[str, int]:
        """CIFs by their names, with their places in the archive; empty if it is an older one."""
        files, _ = list_archive(self.path, "")
        # What `list_archive` calls them begins with the name of the archive, here empty.
        return {
            name.removeprefix("/"): file.place
            for name, file in files.items()
            if file.place is not None
        }

    @cached_property
    def places(self) -> dict[str, int]:
        """All entries by identifier, with their places in the archive or in its text."""
        places = dict(self.files)
        if not places:
            for place, content in enumerate(self.texts()):
                places[unlike(places, code_of(content, place))] = place
        if not places:
            raise DiffsymError(
                f"{self.path}: the archive holds no entries; delete it and fetch it again"
            )
        return dict(sorted(places.items()))

    def texts(self) -> Iterator[bytes]:
        """Entries of an older archive, one after the other."""
        with opened(self.path) as archive:
            for name in filter(is_text, archive.namelist()):
                with archive.open(name) as handle:
                    yield from part_text(handle)

    def identifiers(self) -> list[str]:
        """Identifiers of the entries, sorted."""
        return list(self.places)[: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read entries one by one, in the order in which they are packed."""
        wanted = {self.places[identifier]: identifier for identifier in identifiers}
        if self.files:
            yield from read_archive(self.path, wanted, CITATION)
            return
        for place, content in enumerate(self.texts()):
            if place in wanted:
                identifier = wanted.pop(place)
                yield from read_file(partial(bounded, content), ".cif", identifier, CITATION)
                if not wanted:
                    return

    def provenance(self) -> dict[str, Any]:
        """What the archive is, when and from where it came, licence, citation and checksum."""
        checksum = sha256(self.path)
        record = read_record(self.path, checksum)
        when = record.get("last_modified") or record.get("fetched")
        return {
            "name": self.name,
            "kind": "amcsd_cif",
            "description": DESCRIPTION.format(count=len(self.places)),
            "version": f"archive of {when}" if when else "archive placed by hand",
            "licence": LICENCE,
            "citation": CITATION,
            **{key: record.get(key) for key in ("url", "last_modified", "etag", "fetched")},
            "size": self.path.stat().st_size,
            "entries": len(self.identifiers()),
            "files": {self.path.name: checksum},
        }


def open_source(name: str, settings: AmcsdCif, path: Path) -> AmcsdCifSource:
    """Open the archive at `path`."""
    if not path.is_file():
        raise DiffsymError(f"{path}: the archive of the source '{name}' is missing; fetch it first")
    # A file placed by hand, or torn by a broken disk, has not passed through `fetch`.
    check_archive(path, settings)
    return AmcsdCifSource(name, path, settings.limit)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the archive; DiffsymError if that fails, or a member is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DAMAGES as error:
        raise DiffsymError(
            f"{path}: no whole zip archive ({error}); delete it and fetch it again"
        ) from None


def is_text(name: str) -> bool:
    """Whether the name is that of a text, such as `cifdata.txt`."""
    return name.lower().endswith(TEXT)


def part_text(handle: IO[bytes]) -> Iterator[bytes]:
    """Part a text at the beginnings of its blocks.

    Of an entry that is longer than any CIF may be only the beginning is kept, which is too long,
    too.
    """
    entry = bytearray()
    begun = False
    while line := handle.readline(CHUNK):
        if BLOCK.fullmatch(line):
            if begun:
                yield bytes(entry)
            entry.clear()
            begun = True
        if len(entry) <= LARGEST:
            entry += line
    if begun:
        yield bytes(entry)


def bounded(content: bytes) -> bytes:
    """The content; EntryError if it is longer than any CIF may be."""
    if len(content) > LARGEST:
        raise EntryError(
            RejectionCode.TOO_LARGE, f"the entry has more than {LARGEST / 1e6:.0f} MB; part it"
        )
    return content


def code_of(content: bytes, place: int) -> str:
    """Code of an entry in the database; its place in the text if it has none."""
    found = CODE.search(content)
    return found[1].decode() if found else f"entry {place + 1}"


def read_record(path: Path, checksum: str) -> dict[str, Any]:
    """When and from where an archive came; empty if nobody noted that of this file."""
    try:
        record: Any = read_json(side_file(path))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("sha256") == checksum else {}
