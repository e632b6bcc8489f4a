"""Fetch structures of the Materials Project with its own client, `mp-api`.

First the client lists the identifiers of all chosen entries, then it fetches their structures,
some hundred at once, into a folder beside the file, so that a download that is cut off goes on
where it stopped. All of it comes from the REST interface. Without any criterion this client would
copy the whole collection from S3 into the home directory instead; there always is one here, that
entries are not deprecated.

The key comes from the environment. It is sent to the server, and in no file and no sentence.
"""

import datetime as dt
import importlib.util
import itertools
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import requests
from pymatgen.core import SETTINGS, Structure

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, read_json, write_json
from diffsym.settings.sources.materials_project import IDENTIFIER, MaterialsProject
from diffsym.structures.fetching import MissingClientError
from diffsym.structures.lenient import read_lenient
from diffsym.structures.sources.materials_project import (
    LICENCE,
    LICENCE_WITH_GNOME,
    RECORD,
    SCHEMA,
    read_record,
)
from diffsym.structures.sources.polite import (
    ATTEMPTS,
    PATIENCE_AT_START,
    PoliteSession,
    check_reachable,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
PACKAGE = "mp_api"
KEYS = ("MP_API_KEY", "PMG_MAPI_KEY")
KEY = re.compile(r"[A-Za-z0-9]{32}")
WHERE = "https://next-gen.materialsproject.org/api"
FIELDS = (
    *("material_id", "formula_pretty", "structure", "symmetry"),
    *("theoretical", "energy_above_hull", "builder_meta"),
)
NON_COMMERCIAL = "BY-NC"
NON_COMMERCIAL_LICENCE = "CC BY-NC 4.0"
SUMMARY = "materials/summary/"
PAGE = 1000
"""Identifiers that are listed at once; the server gives no more."""
BATCH = 250
"""Structures that are fetched at once; their identifiers have to fit into an address."""
GROUP = 20
"""Batches that make a row group of the file."""
PATIENCE = 120
"""Seconds until the server begins to answer."""
REFUSED = frozenset({401, 403})
WRONG = frozenset({400, 404, 405, 410, 422})
"""Statuses that asking again does not change."""
LONGEST = 200
"""Characters of what the server says that a sentence cites."""


def fetch(
    destination: Path, settings: MaterialsProject, session: PoliteSession | None = None
) -> None:
    """Put a Parquet file of all chosen entries at `destination`, unless it lies there already.

    Parameters
    ----------
    destination
        The file. Beside it, in a folder with the suffix `.parts`, lies what has been fetched until
        it is whole.
    settings
        Which entries, and from where.
    session
        What asks the server for the version of the database; its pauses are those of the client.

    Raises
    ------
    DiffsymError
        If there is no key, no entry is chosen, or the server cannot be reached, refuses, or its
        answers are not as documented.
    """
    if destination.exists():
        read_record(destination)
        return
    client = Client(settings, session or PoliteSession(1))
    parts = destination.with_suffix(".parts")
    listing = list_entries(client, settings, parts)
    batches = list(in_batches(listing["entries"]))
    for number, batch in enumerate(batches):
        part = part_file(parts, number)
        if not part.exists():
            rows = fetch_rows(client, batch, with_gnome=settings.include_gnome)
            with atomic_path(part) as temporary:
                pq.write_table(pa.Table.from_pylist(rows, SCHEMA), temporary)
            log.info("%d of %d batches fetched", number + 1, len(batches))
    odd = part_file(parts, len(batches))
    with atomic_path(odd) as temporary:
        pq.write_table(pa.Table.from_pylist(odd_rows(listing["odd"]), SCHEMA), temporary)
    pack(destination, settings, listing, parts, len(batches) + 1)
    shutil.rmtree(parts)


def check_access(settings: MaterialsProject) -> None:
    """Raise a DiffsymError if a fetch would fail: no key, no server, a refused key, no client."""
    key = api_key()
    endpoint = address(settings)
    check_reachable(f"{endpoint}heartbeat")
    with suppress(requests.RequestException):
        answer = requests.get(
            f"{endpoint}{SUMMARY}",
            params={"_limit": "1", "_fields": "material_id"},
            headers={"x-api-key": key},
            timeout=PATIENCE_AT_START,
            allow_redirects=False,
        )
        if answer.status_code in REFUSED:
            raise refused(endpoint, answer.status_code)
    check_package()


def check_package() -> None:
    """Raise a MissingClientError unless the client is installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise MissingClientError(
            "the client of the Materials Project, mp-api, is not installed; run pip install "
            "'diffsym[mp]'"
        )


def api_key() -> str:
    """The user's key, from where the client itself looks for it."""
    found = (os.environ.get(name) for name in KEYS)
    key = next(filter(None, found), None) or SETTINGS.get("PMG_MAPI_KEY")
    if not key:
        raise DiffsymError(
            f"{KEYS[0]}: the environment has no key of the Materials Project; get yours at {WHERE} "
            f"and set it, for example by 'export {KEYS[0]}=...'"
        )
    if not KEY.fullmatch(str(key)):
        raise DiffsymError(
            f"{KEYS[0]}: what the environment has is no key of the Materials Project, which has 32 "
            f"letters and digits; copy it again from {WHERE}"
        )
    return str(key)


def address(settings: MaterialsProject) -> str:
    """Address of the database; without its last slash the client would lose the last part."""
    return settings.endpoint.rstrip("/") + "/"


def refused(endpoint: str, status: int) -> DiffsymError:
    """The server does not know the key."""
    return DiffsymError(
        f"{endpoint}: the server refuses the key in {KEYS[0]} (status {status}); copy it again "
        f"from {WHERE}"
    )


class UnreadableError(Exception):
    """An answer is whole, but the client cannot read it."""


class Client:
    """The client of the Materials Project, asked again for as long as the server is in trouble.

    Attributes
    ----------
    version
        Of the database.
    """

    def __init__(self, settings: MaterialsProject, session: PoliteSession) -> None:
        check_package()
        self._key = api_key()
        self.endpoint = address(settings)
        self.first_pause = session.first_pause
        self.version = database_version(self.endpoint, session)
        self._answer: requests.Response | None = None
        # It asks for the version, too, once and without patience.
        self._rester = self._patiently(self._make)

    def _make(self) -> Any:
        # Imported here: jobs that read have no client.
        from mp_api.client.routes.materials.summary import SummaryRester  # noqa: PLC0415

        # MPRester, which makes these, passes no timeout on.
        rester = SummaryRester(
            api_key=self._key,
            endpoint=self.endpoint,
            use_document_model=False,
            mute_progress_bars=True,
            timeout=PATIENCE,
        )
        rester.session.hooks["response"].append(self._note)
        return rester

    def _note(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        """Keep an answer; the key, which goes with every request, goes to no other server."""
        self._answer = answer
        if not answer.is_redirect:
            return
        begin, end = (urlsplit(url) for url in (answer.url, location_of(answer)))
        downgraded = begin.scheme == "https" and end.scheme != "https"
        if begin.netloc != end.netloc or downgraded:
            where = f"{end.scheme}://{end.netloc}".replace(self._key, "***")
            raise DiffsymError(
                f"{self.endpoint}: the server sends the query on to {where}, which would get your "
                "key; set `endpoint` to where the database is"
            )

    def identifiers(self, **criteria: Any) -> tuple[list[str], list[str]]:
        """Identifiers of all entries that fit, and why others have none.

        They are as many as the server says that there are. A list that repeats entries may lack
        others; if it comes twice, it is what the database has.
        """
        before: list[Any] = []

        def ask() -> tuple[list[str], list[str]]:
            found = self._search(fields=["material_id"], chunk_size=PAGE, **criteria)
            listed = [document.get("material_id") for document in found]
            names, odd = sorted_out(listed)
            # A client that splits a list of identifiers has several totals.
            if "material_ids" not in criteria and self._answer is not None:
                total = self._answer.json()["meta"]["total_doc"]
                repeats = bool(before) and listed == before
                before[:] = listed
                if total != len(names) and not (repeats and total == len(listed)):
                    raise ValueError(f"{len(names)} of {total} entries listed")
            return names, odd

        return self._patiently(ask)

    def documents(self, identifiers: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """What the database says of some entries, by identifier.

        Raises
        ------
        UnreadableError
            If the client cannot read the answer, although it is whole.
        """

        def ask() -> dict[str, dict[str, Any]]:
            try:
                found = self._search(
                    fields=list(FIELDS),
                    material_ids=list(identifiers),
                    num_chunks=1,
                    chunk_size=len(identifiers),
                )
            except ValueError as error:
                if self._answer is not None and is_page(self._answer):
                    raise UnreadableError(self._cited(error)) from None
                raise
            named = ((proper(document.get("material_id")), document) for document in found)
            # The first one of those that share an identifier.
            return {name: dict(document) for name, document in reversed(list(named)) if name}

        return self._patiently(ask)

    def _search(self, **query: Any) -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = self._rester.search(**query)
        return documents

    def _patiently(self, ask: Callable[[], T]) -> T:
        """What a question gives, asked again if the server is in trouble."""
        from mp_api.client.core.exceptions import MPRestError  # noqa: PLC0415

        # What the client raises for answers that are cut off or of another form.
        troubles = (MPRestError, requests.RequestException, LookupError, TypeError, ValueError)
        problem = ""
        for attempt in range(ATTEMPTS):
            time.sleep(self.first_pause * 2 ** (attempt - 1) if attempt else 0.0)
            self._answer = None
            try:
                return ask()
            except troubles as error:
                problem = self._cited(error)
            # Outside the handler: the sentences below carry no exception of the client.
            status = self._answer.status_code if self._answer is not None else 0
            if status in REFUSED:
                raise refused(self.endpoint, status)
            if status in WRONG:
                raise DiffsymError(
                    f"{self.endpoint}: the server refuses the query ({problem}); correct the keys "
                    "of the source or its endpoint"
                )
            log.info("%s: attempt %d failed (%s)", self.endpoint, attempt + 1, problem)
        raise DiffsymError(
            f"{self.endpoint}: {ATTEMPTS} attempts failed, the last with {problem}; check network "
            "and endpoint, then start again: what has been fetched is kept"
        )

    def _cited(self, error: Exception) -> str:
        """An error in one line, without the key, which a server may repeat."""
        text = " ".join(f"{type(error).__name__}: {error}".replace(self._key, "***").split())
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def location_of(answer: requests.Response) -> str:
    """Where an answer sends on to."""
    return urljoin(answer.url, answer.headers["Location"])


def database_version(endpoint: str, session: PoliteSession) -> str:
    """Version of the database, which the server tells everybody."""

    def problem(content: bytes) -> str:
        with suppress(ValueError, TypeError, KeyError):
            return "" if isinstance(json.loads(content)["db_version"], str) else "no version"
        return "an answer that is not that of the Materials Project"

    content = session.get(f"{endpoint}heartbeat", check=problem)
    if content is None:
        raise DiffsymError(f"{endpoint}: no Materials Project answers there; correct the endpoint")
    found: str = json.loads(content)["db_version"]
    return found


def normal(identifier: str) -> str:
    """An identifier as the client sends it; the database has two ways to write one."""
    from mp_api.client.core.utils import validate_ids  # noqa: PLC0415

    [name] = validate_ids([identifier])
    return str(name)


def proper(identifier: Any) -> str | None:
    """An identifier as the client sends it; None if it is no such."""
    with suppress(ValueError, TypeError, LookupError, AttributeError):
        if isinstance(identifier, str) and IDENTIFIER.fullmatch(identifier):
            return normal(identifier)
    return None


def sorted_out(listed: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Identifiers of a list, each once, and what is wrong with others."""
    names: dict[str, None] = {}
    odd = []
    for place, identifier in enumerate(listed, 1):
        name = proper(identifier)
        if name is None or name in names:
            what = "repeated" if name else "none of the Materials Project"
            odd.append(f"entry {place} of the list: its identifier {identifier!r} is {what}")
        else:
            names[name] = None
    return list(names), odd


def is_page(answer: requests.Response) -> bool:
    """Whether an answer is a whole one of the database, with some odd value in it."""
    with suppress(ValueError):
        content = read_lenient(answer.content)
        return answer.ok and isinstance(mapping(content).get("data"), list)
    return False


def list_entries(client: Client, settings: MaterialsProject, parts: Path) -> dict[str, Any]:
    """Identifiers of the chosen entries, sorted, whether the database has each, and odd ones.

    They are kept for a later call; with another version of the database all begins anew.
    """
    kept = parts / "entries.json"
    with suppress(OSError, ValueError):
        listing: dict[str, Any] = read_json(kept)
        if listing["database_version"] == client.version:
            return {"odd": []} | listing
    shutil.rmtree(parts, ignore_errors=True)
    criteria = settings.query() | {"deprecated": False}
    wanted = sorted({normal(identifier) for identifier in criteria.pop("material_ids", ())})
    criteria = {key: listed(value) for key, value in criteria.items()}
    odd: list[str] = []
    if wanted:
        wanted = wanted[: settings.limit]
        asked = (client.identifiers(material_ids=list(b), **criteria) for b in in_batches(wanted))
        found = {name for names, _ in asked for name in names}
    else:
        names, odd = client.identifiers(_sort_fields="material_id", **criteria)
        found = set(names)
        wanted = sorted(found)[: settings.limit]
        odd = odd[: max((settings.limit or len(found) + len(odd)) - len(wanted), 0)]
    if not (found or odd):
        raise DiffsymError(
            f"{client.endpoint}: no entry fits the keys of the source; choose others"
        )
    listing = {
        "database_version": client.version,
        "entries": wanted,
        "missing": sorted(set(wanted) - found),
        "odd": odd,
    }
    write_json(kept, listing)
    return listing


def listed(value: Any) -> Any:
    """Tuples of texts as lists, which the client joins; those of numbers are ranges."""
    texts = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    return list(value) if texts else value


def in_batches(identifiers: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Identifiers, some hundred at once."""
    rest = iter(identifiers)
    while batch := tuple(itertools.islice(rest, BATCH)):
        yield batch


def part_file(parts: Path, number: int) -> Path:
    """Where a batch lies until the file is whole."""
    return parts / f"{number:05d}.parquet"


def fetch_rows(
    client: Client, identifiers: tuple[str, ...], *, with_gnome: bool
) -> list[dict[str, Any]]:
    """Rows of some entries, in their order; those that do not come are asked for once more."""
    documents = documents_of(client, identifiers)
    if left := tuple(name for name in identifiers if name not in documents):
        documents |= documents_of(client, left)
    return [row_of(name, documents.get(name), with_gnome=with_gnome) for name in identifiers]


def documents_of(client: Client, identifiers: tuple[str, ...]) -> dict[str, dict[str, Any] | str]:
    """What the database says of some entries, or why that cannot be read."""
    try:
        return dict(client.documents(identifiers))
    except UnreadableError as error:
        if len(identifiers) == 1:
            return {identifiers[0]: f"the client cannot read what the database gives ({error})"}
    half = len(identifiers) // 2
    return documents_of(client, identifiers[:half]) | documents_of(client, identifiers[half:])


def odd_rows(odd: Iterable[str]) -> list[dict[str, Any]]:
    """Rows of listed entries that nobody can ask for."""
    rows = []
    for text in odd:
        name, _, problem = text.partition(": ")
        rows.append({**dict.fromkeys(SCHEMA.names), "material_id": name, "problem": problem})
    return rows


def row_of(
    identifier: str, document: Mapping[str, Any] | str | None, *, with_gnome: bool
) -> dict[str, Any]:
    """The row of an entry; without a structure it says why."""
    row: dict[str, Any] = {**dict.fromkeys(SCHEMA.names), "material_id": identifier}
    if document is None:
        return row | {"problem": "the database does not give it; correct the keys of the source"}
    if isinstance(document, str):
        return row | {"problem": document}
    symmetry = mapping(document.get("symmetry"))
    number = only(symmetry.get("number"), int)
    non_commercial = mapping(document.get("builder_meta")).get("license") == NON_COMMERCIAL
    row |= {
        "formula": only(document.get("formula_pretty"), str),
        "theoretical": only(document.get("theoretical"), bool),
        "energy_above_hull": only(document.get("energy_above_hull"), int, float),
        "space_group_number": number if number and 1 <= number <= 230 else None,
        "space_group_symbol": only(symmetry.get("symbol"), str),
        "licence": NON_COMMERCIAL_LICENCE if non_commercial else LICENCE,
    }
    if non_commercial and not with_gnome:
        return row | {
            "problem": f"it is under {NON_COMMERCIAL_LICENCE}; set include_gnome to use it"
        }
    return row | cell_of(document.get("structure"))


def cell_of(plain: Any) -> dict[str, Any]:
    """Columns of a structure, or why there are none."""
    if not plain:
        return {"problem": "the database gives no structure"}
    try:
        structure = Structure.from_dict(plain)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return {"problem": f"its structure cannot be read ({type(error).__name__}: {error})"}
    if not structure.is_ordered:
        return {"problem": "it has mixed or partly occupied sites, which the file cannot hold"}
    return {
        "lattice": structure.lattice.matrix.ravel().tolist(),
        "atomic_numbers": list(structure.atomic_numbers),
        "frac_coords": structure.frac_coords.ravel().tolist(),
    }


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def only(value: Any, *kinds: type) -> Any:
    """The value if it is of one of these kinds, otherwise None; true and false are no numbers."""
    return value if type(value) in kinds else None


def pack(
    destination: Path,
    settings: MaterialsProject,
    listing: Mapping[str, Any],
    parts: Path,
    count: int,
) -> None:
    """Write the file: all batches, and the record in the metadata of its schema."""
    files = [part_file(parts, number) for number in range(count)]
    said = pa.concat_tables(pq.read_table(file, columns=["licence", "problem"]) for file in files)
    not_free = said["licence"].to_pylist().count(NON_COMMERCIAL_LICENCE)
    record = {
        "database_version": listing["database_version"],
        "endpoint": address(settings),
        "query": settings.query(),
        "limit": settings.limit,
        "client": f"mp-api {version('mp-api')}",
        "entries": len(listing["entries"]) + len(listing["odd"]),
        "missing": listing["missing"],
        "without_structure": len(said) - said["problem"].null_count,
        "non_commercial": not_free if settings.include_gnome else 0,
        "fetched": dt.datetime.now(dt.UTC).date().isoformat(),
        "licence": LICENCE_WITH_GNOME if settings.include_gnome else LICENCE,
    }
    tables = map(pq.read_table, files)
    schema = SCHEMA.with_metadata({RECORD: json.dumps(record)})
    with (
        atomic_path(destination) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        while group := list(itertools.islice(tables, GROUP)):
            writer.write_table(pa.concat_tables(group).combine_chunks())
