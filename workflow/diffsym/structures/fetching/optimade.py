"""Structures of a provider of OPTIMADE, by the client of the OPTIMADE consortium.

They come page after page. Each page is kept in a folder beside the archive, so that a download
that is cut off goes on where it stopped; when all are there, they are packed.

The client is asked for one page at a time. On its own it would hold all of them in memory, give
up at a busy server, and end without a word where it takes the pages for an endless loop; so how
long to wait, what to ask again and when all is there is decided here.
"""

import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from io import StringIO
from itertools import count, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, read_json, write_text
from diffsym.settings.sources.optimade import Optimade
from diffsym.structures.fetching import MissingClientError
from diffsym.structures.lenient import read_lenient, storable
from diffsym.structures.readers.optimade import FIELDS, LATER_FIELDS
from diffsym.structures.sources.optimade import (
    RECORD,
    STRUCTURES_PER_PART,
    part_name,
    read_record,
)
from diffsym.structures.sources.polite import (
    BUSY,
    LONGEST_PAUSE,
    PoliteSession,
    check_reachable,
    read_whole,
)

INSTALL = "pip install 'diffsym[optimade]'"
PAGES_PER_SECOND = 5
MAJOR = "1."
"""Beginning of the versions of the interface that are understood."""
SINGLE = " (for single structures)"
"""What a licence of single entries is not: one of all of them."""
ATTRIBUTES_OF_REFERENCES = ("authors", "year", "title", "journal", "volume", "pages", "doi")
# Dates would make archives of the same structures differ.
DATE = (1980, 1, 1, 0, 0, 0)


# --- before anything runs -----------------------------------------------------------------------


def check_access(settings: Optimade) -> None:
    """Raise a DiffsymError if nothing answers, the client is missing or the filter is wrong."""
    check_reachable(settings.provider)
    check_filter(settings.filter)


def check_filter(text: str) -> None:
    """Raise a DiffsymError if the client is missing or cannot parse a filter."""
    try:
        import optimade.client  # noqa: F401, PLC0415
        from optimade.exceptions import BadRequest  # noqa: PLC0415
        from optimade.filterparser import LarkParser  # noqa: PLC0415
    except ImportError as error:
        raise MissingClientError(
            f"kind: optimade needs the client of OPTIMADE, which is missing ({error}); install it: "
            f"{INSTALL}"
        ) from None
    try:
        LarkParser().parse(text)
    except BadRequest as error:
        reasons = str(error).partition("Lark traceback:")[2].split("\n")
        reason = next((line.strip() for line in reasons if line.strip()), "it cannot be parsed")
        raise DiffsymError(
            f"filter: '{text}' is no filter of OPTIMADE ({reason.rstrip('.')}); correct it, for "
            'example to elements HAS ALL "Si","O" AND nelements=2'
        ) from None


# --- one answer ---------------------------------------------------------------------------------


class RefusedError(Exception):
    """The server is neither busy nor does it give what was asked for."""


class ProviderSession(PoliteSession):
    """A polite session that hands on refusals, since the provider says in them what is wrong."""

    _answer: requests.Response

    def ask(self, url: str) -> requests.Response:
        """The first whole answer of a server that is not busy."""
        with suppress(RefusedError):
            answer = readable(self.get(url, check=problem_of) or b"")
            # The client would stop at the first odd value.
            self._answer.json = lambda **_: answer  # type: ignore[method-assign]
        return self._answer

    def postpone(self, seconds: float) -> None:
        """Put off the next request."""
        self._earliest = time.monotonic() + min(seconds, LONGEST_PAUSE)

    def _ask(self, *request: Any, **options: Any) -> requests.Response:
        self._answer = super()._ask(*request, **options)
        if not self._answer.ok and self._answer.status_code not in BUSY:
            # The client reads what the provider says, and would read without end.
            self._answer._content = read_whole(self._answer)  # noqa: SLF001
            raise RefusedError
        return self._answer


def patient(session: ProviderSession) -> type[requests.Session]:
    """The class of a session that the client can use; a polite one is behind it."""

    class PatientSession(requests.Session):
        def get(  # type: ignore[override]  # the client gives no more
            self, url: str, **_: Any
        ) -> requests.Response:
            return session.ask(url)

    return PatientSession


def problem_of(content: bytes) -> str:
    """What is wrong with an answer that should be one of OPTIMADE; empty if nothing is."""
    try:
        answer = read_lenient(content)
    except ValueError:
        return "an answer that is no JSON"
    if not isinstance(answer, dict) or not isinstance(answer.get("meta"), dict):
        return "an answer without `meta`, which is none of OPTIMADE"
    if answer.get("errors"):
        return f"the message {json.dumps(answer['errors'])[:200]}"
    if not isinstance(answer.get("data"), dict | list):
        return "an answer without `data`"
    if not is_link(link_of(answer)):
        return "a link to the next page that is no address"
    return ""


def link_of(answer: Mapping[str, Any]) -> Any:
    """Address of the next page, or what stands in its place; None: there is none."""
    links = answer.get("links")
    link = links.get("next") if isinstance(links, dict) else links
    return (link.get("href") if isinstance(link, dict) else link) or None


def is_link(link: Any) -> bool:
    """Whether this can be followed, or is no link at all."""
    try:
        return link is None or (isinstance(link, str) and bool(urlsplit(link)))
    except ValueError:
        return False


def readable(content: bytes) -> dict[str, Any]:
    """An answer without what the client cannot bear; all its texts can be stored."""
    answer = storable(read_lenient(content))
    meta, included = answer["meta"], answer.get("included")
    numbers: dict[str, Any] = {
        "data_returned": int,
        "data_available": int,
        "request_delay": (int, float),
    }
    odd = {key for key, kind in numbers.items() if not isinstance(meta.get(key), kind)}
    return {
        "data": answer["data"],
        "meta": {key: meta[key] for key in meta if key not in odd},
        "links": {"next": link_of(answer)},
        "included": [
            resource
            for resource in (included if isinstance(included, list) else [])
            if isinstance(resource, dict) and isinstance(resource.get("id"), str)
        ],
    }


class Provider:
    """A database, asked for one page at a time.

    Parameters
    ----------
    address
        Its base address.
    session
        What asks for as long as the server is busy or its answers are broken.
    """

    def __init__(self, address: str, session: ProviderSession) -> None:
        from optimade.client import OptimadeClient  # noqa: PLC0415

        self.address = address.rstrip("/")
        self.session = session
        self._answers: list[tuple[str, dict[str, Any]]] = []
        self._client = OptimadeClient(
            self.address,
            max_results_per_provider=1,
            use_async=False,
            silent=True,
            http_client=patient(session),
            callbacks=[lambda url, answer: self._answers.append((url, answer))],
        )

    def get(
        self, endpoint: str, url: str | None = None, **query: Any
    ) -> tuple[str, dict[str, Any]]:
        """Address and content of an answer.

        Parameters
        ----------
        endpoint
            What is asked for, by the words of OPTIMADE.
        url
            Link to a further page; None: the first.
        query
            Filter and such.

        Raises
        ------
        DiffsymError
            If there is no such answer.
        """
        self._answers.clear()
        # The client puts the filter into the address as it is.
        chosen = quote(query.pop("filter", ""), safe="")
        # It prints what fails, even when it is told to be silent.
        with redirect_stderr(StringIO()):
            [results] = self._client.get_one(
                endpoint, chosen, self.address, paginate=False, override_url=url, **query
            ).values()
        if not self._answers:
            said = " ".join(" ".join(results.errors).split())
            if said.startswith("DiffsymError: "):
                raise DiffsymError(said.removeprefix("DiffsymError: "))
            raise DiffsymError(
                f"{self.address}: the provider refuses ({said.removeprefix('RuntimeError: ')}); "
                "correct `provider`, `filter` or `page_limit`"
            )
        asked, answer = self._answers[0]
        delay = answer["meta"].get("request_delay")
        if isinstance(delay, int | float):
            self.session.postpone(delay)
        return asked, answer


# --- all pages ----------------------------------------------------------------------------------


def fetch(destination: Path, settings: Optimade, session: ProviderSession | None = None) -> None:
    """Put the archive of all chosen structures at `destination`, unless it lies there already.

    Parameters
    ----------
    destination
        The archive. Beside it, in a folder with the suffix `.parts`, lies what has been fetched
        until it is whole.
    settings
        Which structures, and from where.
    session
        What asks the server; by default one for a few pages a second.

    Raises
    ------
    DiffsymError
        If no structure is chosen, the server cannot be reached, or its answers contradict
        themselves.
    """
    if destination.exists():
        read_record(destination)
        return
    check_filter(settings.filter)
    provider = Provider(settings.provider, session or ProviderSession(PAGES_PER_SECOND))
    parts = destination.with_suffix(".parts")
    about = read_kept(parts / "about.json")
    if about is None:
        about = describe(provider)
        write_text(parts / "about.json", json.dumps(about))
    announced = fetch_pages(provider, settings, about["fields"], parts)
    pack(destination, settings, about, announced, parts)
    shutil.rmtree(parts)


def read_kept(path: Path) -> Any:
    """What an earlier call kept; None if there is nothing, or nothing whole."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None


def describe(provider: Provider) -> dict[str, Any]:
    """What a provider says of itself, and which of our fields its structures have."""
    _, info = provider.get("info")
    attributes = part_of(info["data"], "attributes")
    meta, version = info["meta"], str(attributes.get("api_version"))
    if attributes.get("is_index"):
        raise DiffsymError(
            f"{provider.address}: this is an index of databases; set `provider` to one that "
            f"{provider.address}/v1/links lists"
        )
    if not version.removeprefix("v").startswith(MAJOR):
        raise DiffsymError(
            f"{provider.address}: version {version} of OPTIMADE is not understood, only 1; set "
            "`provider` to a database of that version"
        )
    _, structures = provider.get("info/structures")
    known = part_of(structures["data"], "properties")
    return {
        "name": part_of(meta, "provider").get("name"),
        "description": part_of(meta, "provider").get("description"),
        "database": {
            key: part_of(meta, "database").get(key) for key in ("name", "version", "description")
        },
        "api_version": version,
        "licence": stated_licence(attributes),
        # A provider refuses names that it does not know.
        "fields": [*FIELDS, *(name for name in LATER_FIELDS if name in known)],
    }


def part_of(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A part of an answer that may be missing or null."""
    part = content.get(key)
    return part if isinstance(part, Mapping) else {}


def stated_licence(attributes: Mapping[str, Any]) -> str | None:
    """Terms of use that a provider states: names of licences, or else the address of a text."""
    for key, which in (("available_licenses", ""), ("available_licenses_for_entries", SINGLE)):
        names = attributes.get(key)
        if isinstance(names, list) and names:
            return " or ".join(map(str, names)) + which
    link = attributes.get("license")
    return str(link["href"] if isinstance(link, dict) and "href" in link else link or "") or None


@dataclass
class Harvest:
    """What the pages so far amount to, and what the next one may be.

    Attributes
    ----------
    limit
        Structures that are wanted; None: all.
    received
        Structures that came.
    announced
        Structures that the newest page announces, if it does.
    link
        Address of the next page; None: the first, or none is left.
    complete
        Whether no further page is wanted.
    """

    limit: int | None
    received: int = 0
    announced: int | None = None
    link: str | None = None
    complete: bool = False
    _asked: set[str] = field(default_factory=set)
    _seen: set[bytes] = field(default_factory=set)

    def add(self, page: Mapping[str, Any]) -> str:
        """Count a page; returns how it contradicts what came before, empty if it does not."""
        self._asked.add(page["asked"])
        self.received += len(page["structures"])
        self.announced = page["announced"]
        self.link = page["next"]
        # Publications may come with the first of two equal pages only.
        named = [(structure["id"], structure["attributes"]) for structure in page["structures"]]
        content = hashlib.sha256(json.dumps(named).encode()).digest()
        repeats = content in self._seen
        self._seen.add(content)
        enough = self.limit is not None and self.received >= self.limit
        self.complete = enough or self.link is None
        if repeats or (self.link in self._asked and not enough):
            return "a page, or the link to the next one, repeats an earlier one"
        if enough:
            return ""
        numbers = f"{self.announced} structures are announced, {self.received} came"
        excess = self.received - (self.received if self.announced is None else self.announced)
        if excess > 0 or (excess and self.complete):
            return numbers
        if self.complete and page["more"]:
            return f"after {self.received} structures more are announced, but no link to them"
        return ""


def fetch_pages(
    provider: Provider, settings: Optimade, fields: list[str], parts: Path
) -> int | None:
    """Fetch the pages that are not there; returns the number of structures announced."""
    harvest = Harvest(settings.limit)
    for number in count(1):
        path = page_path(parts, number)
        page = read_kept(path)
        fresh = page is None
        if fresh:
            page = fetch_page(provider, settings, fields, harvest, parts, number)
        if contradiction := harvest.add(page):
            shutil.rmtree(parts)
            raise DiffsymError(
                f"{provider.address}: {contradiction}, so nobody knows what is missing; start "
                "again, or set `limit` to a number of structures that it gives"
            )
        if fresh:
            write_text(path, json.dumps(page))
        if harvest.complete:
            break
    if not harvest.received:
        shutil.rmtree(parts)
        raise DiffsymError(
            f"{provider.address}: no structure fits the filter '{settings.filter}'; choose another"
        )
    return harvest.announced


def page_path(parts: Path, number: int) -> Path:
    """Where a page is kept."""
    return parts / f"page-{number:06d}.json"


def fetch_page(
    provider: Provider,
    settings: Optimade,
    fields: list[str],
    harvest: Harvest,
    parts: Path,
    number: int,
) -> dict[str, Any]:
    """Fetch a page: what is kept of its structures, and what it says of the others."""
    try:
        asked, answer = provider.get(
            "structures",
            harvest.link,
            filter=settings.filter,
            response_fields=fields,
            page_limit=settings.page_limit,
        )
    except DiffsymError as error:
        if harvest.link is None:
            raise
        raise DiffsymError(
            f"{error}; if the link has expired, delete {parts} and begin anew"
        ) from None
    meta, data = answer["meta"], answer["data"]
    if not isinstance(data, list):
        raise DiffsymError(f"{asked}: a structure came instead of a list; correct `provider`")
    link = link_of(answer)
    more, announced = meta.get("more_data_available"), meta.get("data_returned")
    return {
        "asked": asked,
        "next": urljoin(asked, link) if link and more is not False else None,
        "announced": announced if isinstance(announced, int) else None,
        "more": bool(more),
        "structures": list(kept_of(data, answer["included"], number)),
    }


def kept_of(data: list[Any], included: list[Any], number: int) -> Iterator[dict[str, Any]]:
    """What is kept of each structure of a page: what is read of it, and its publications."""
    publications = {
        resource["id"]: part_of(resource, "attributes")
        for resource in included
        if resource.get("type") == "references"
    }
    for place, item in enumerate(data, 1):
        resource = item if isinstance(item, dict) else {}
        identifier = resource.get("id")
        named = isinstance(identifier, str)
        described = isinstance(resource.get("attributes"), dict)
        if not (named and described):
            yield {
                "id": identifier if named else f"page {number}, item {place}",
                "attributes": {},
                "references": [],
                "problem": f"the provider gives no {'attributes' if named else 'id'} of it",
            }
            continue
        listed = part_of(part_of(resource, "relationships"), "references").get("data")
        # A server may leave publications out; then at least the name remains.
        cited = [
            publications.get(link["id"], {"title": f"reference {link['id']} of the provider"})
            for link in (listed if isinstance(listed, list) else [])
            if isinstance(link, dict) and isinstance(link.get("id"), str)
        ]
        yield {
            "id": identifier,
            "attributes": only(part_of(resource, "attributes"), (*FIELDS, *LATER_FIELDS)),
            "references": [only(publication, ATTRIBUTES_OF_REFERENCES) for publication in cited],
        }


def only(content: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The entries of some keys."""
    return {key: content[key] for key in keys if key in content}


# --- the archive --------------------------------------------------------------------------------


def pack(
    destination: Path,
    settings: Optimade,
    about: Mapping[str, Any],
    announced: int | None,
    parts: Path,
) -> None:
    """Write the archive: all structures and the record."""
    identifiers: list[str] = []
    checksums: list[str] = []
    content = hashlib.sha256()
    newest = ""
    structures = islice(kept_structures(parts), settings.limit)
    with atomic_path(destination) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        while chosen := list(islice(structures, STRUCTURES_PER_PART)):
            lines = "".join(f"{json.dumps(structure, sort_keys=True)}\n" for structure in chosen)
            add(archive, part_name(len(checksums)), lines)
            checksums.append(hashlib.sha256(lines.encode()).hexdigest())
            content.update(lines.encode())
            identifiers += [structure["id"] for structure in chosen]
            dates = (structure["attributes"].get("last_modified") for structure in chosen)
            newest = max([newest, *(date for date in dates if isinstance(date, str))])
        record = {
            "provider": settings.provider.rstrip("/"),
            "filter": settings.filter,
            "limit": settings.limit,
            **{key: about[key] for key in ("name", "description", "database", "api_version")},
            "licence": about["licence"],
            "last_modified": newest or None,
            "announced": announced,
            "received": len(identifiers),
            "sha256": content.hexdigest(),
            "identifiers": identifiers,
            "parts": checksums,
        }
        add(archive, RECORD, json.dumps(record, indent=1))


def kept_structures(parts: Path) -> Iterator[dict[str, Any]]:
    """All structures of the pages, one page at a time."""
    for path in sorted(parts.glob("page-*.json")):
        yield from read_json(path)["structures"]


def add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    """Add a member to an archive."""
    archive.writestr(zipfile.ZipInfo(name, DATE), text, zipfile.ZIP_DEFLATED)
