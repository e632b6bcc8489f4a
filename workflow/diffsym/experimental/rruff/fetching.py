"""Fetch the archives of powder patterns of the RRUFF project."""

import datetime as dt
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.experimental.rruff.bundle import RECORD, check_bundle
from diffsym.files import atomic_path, read_json, sha256, write_json
from diffsym.settings.measured.rruff import Rruff
from diffsym.structures.fetching.archives import damage
from diffsym.structures.sources.polite import PoliteSession, check_reachable, side_file

TERMS = "as far as we know free for research with citation; do not pass the data on"


def fetch(destination: Path, settings: Rruff, session: PoliteSession | None = None) -> None:
    """Put both archives together at `destination`, unless they lie there already.

    Parameters
    ----------
    destination
        The file. Beside it, in a folder with the suffix `.parts`, lies what has been fetched until
        it is whole; an archive that was placed there by hand is used.
    settings
        From where, which archives, and which checksums they must have.
    session
        What asks the server.

    Raises
    ------
    DiffsymError
        If the server cannot be reached or sends on to another one, or an archive is damaged or not
        the wanted one.
    """
    if destination.exists():
        check_bundle(destination, settings)
        return
    session = session or PoliteSession(1)
    session.stay_on_host()
    parts = destination.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    wanted = settings.sha256 or (None, None)
    records = {
        name: _fetch_archive(parts / f"{name}.zip", settings.address(name), checksum, session)
        for name, checksum in zip(settings.archives, wanted, strict=True)
    }
    record = {"archives": records, "terms": TERMS, "citation": settings.citation}
    with atomic_path(destination) as temporary, zipfile.ZipFile(temporary, "w") as bundle:
        for name in records:
            bundle.write(parts / f"{name}.zip", f"{name}.zip")
        bundle.writestr(RECORD, json.dumps(record, indent=1))
    shutil.rmtree(parts)


def check_access(settings: Rruff) -> None:
    """Raise a DiffsymError if a fetch would fail because the server does not answer."""
    check_reachable(settings.address(settings.profiles))


def _fetch_archive(
    path: Path, url: str, checksum: str | None, session: PoliteSession
) -> dict[str, Any]:
    """Fetch an archive, unless it lies there already; what is known of it."""
    if not path.exists():
        part = path.with_name(f"{path.name}.part")
        try:
            answer = session.download(url, part, damage)
        except DiffsymError as error:
            raise DiffsymError(
                f"{error}; or get the archive on another machine and place it at {path}"
            ) from None
        origin = {
            "url": url,
            "etag": answer.etag,
            "last_modified": answer.last_modified,
            "fetched": dt.datetime.now(dt.UTC).date().isoformat(),
        }
        write_json(side_file(path), origin)
        part.rename(path)
        side_file(part).unlink(missing_ok=True)
    elif problem := damage(path):
        raise DiffsymError(f"{path}: {problem}; delete it or place a whole one there")
    found = sha256(path)
    if checksum is not None and found != checksum:
        path.unlink()
        raise DiffsymError(
            f"{url}: expected SHA-256 {checksum}, found {found}; the archive has changed: correct "
            "sha256, or place the wanted one at " + str(path)
        )
    # One that was placed by hand has no origin.
    told: dict[str, Any] = read_json(side_file(path)) if side_file(path).exists() else {}
    return {**told, "size": path.stat().st_size, "sha256": found}
