"""Requests to servers that all share: not too many, patient, and under our own name."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from diffsym.errors import DiffsymError
from diffsym.files import full_disk_told, read_json, write_json

log = logging.getLogger(__name__)

# What a server says when it is busy or restarts.
BUSY = frozenset({429, 500, 502, 503, 504})
ATTEMPTS = 6
LONGEST_PAUSE = 120.0
# Seconds until a connection stands, and between two parts of an answer.
PATIENCE = (20, 120)
# Before a study starts, when a person waits.
PATIENCE_AT_START = 10
# Bytes of a file that are written at once.
CHUNK = 1 << 14
# Bytes of an answer that fit into memory, unpacked.
LARGEST_ANSWER = 256_000_000
GONE = frozenset({404, 410})
PART, PAST_END = 206, 416
UNCHANGED = "identity"


@dataclass(frozen=True)
class Download:
    """What a server says of a file.

    Attributes
    ----------
    url
        Its address.
    size
        Bytes; None: the server does not say.
    etag, last_modified
        Tell one version of the file from another; empty: the server does not say.
    """

    url: str
    size: int | None
    etag: str
    last_modified: str

    def validator(self) -> str:
        """What makes sure that the rest of a file is that of the same version; empty: nothing."""
        # A weak tag says that two versions mean the same, not that their bytes are the same.
        return self.last_modified if self.etag.startswith("W/") else self.etag or self.last_modified


class PoliteSession:
    """Requests one after the other, each repeated for as long as the server is busy.

    Parameters
    ----------
    per_second
        Most requests in a second.
    first_pause
        Seconds before the second attempt; before each other one it is twice as long, unless the
        server says how long.
    """

    def __init__(self, per_second: float, first_pause: float = 2.0) -> None:
        self.interval = 1 / per_second
        self.first_pause = first_pause
        self._earliest = 0.0
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"diffsym/{version('diffsym')} (structure download)"

    def stay_on_host(self) -> None:
        """From now on refuse, with a DiffsymError, to be sent on to another server."""
        self._session.hooks["response"].append(refuse_another_host)

    def get(
        self,
        url: str,
        params: Mapping[str, str | int | float] | None = None,
        check: Callable[[bytes], str] = lambda _: "",
    ) -> bytes | None:
        """Content at an address; None if the server says that there is nothing.

        Parameters
        ----------
        url, params
            What is asked for.
        check
            Says what is wrong with a content, which is then asked for again; empty if nothing is.

        Raises
        ------
        DiffsymError
            If the server cannot be reached, refuses, sends too much, or none of the attempts
            succeeds.
        """
        problem = ""
        for attempt in range(ATTEMPTS):
            pause = self.first_pause * 2 ** (attempt - 1) if attempt else 0.0
            try:
                with self._ask(url, params, pause, stream=True) as answer:
                    if answer.status_code in GONE:
                        return None
                    if not (problem := self._trouble(answer)):
                        content = read_whole(answer)
                        if not (problem := check(content)):
                            return content
            except requests.RequestException as error:
                problem = f"{type(error).__name__}: {error}"
            log.info("%s: attempt %d failed (%s)", url, attempt + 1, problem)
        raise exhausted(url, problem)

    def download(
        self, url: str, part: Path, check: Callable[[Path], str] = lambda _: ""
    ) -> Download:
        """Fetch a large file, or the rest of it if an earlier call was cut off.

        The rest is asked for only if the server can tell whether the file is still the same;
        otherwise the file is fetched from its start.

        Parameters
        ----------
        url
            Its address.
        part
            Where it grows. Beside it, with the suffix `.json`, lies what the server says of it.
        check
            Says what is wrong with the whole file, which is then fetched again; empty if nothing
            is.

        Returns
        -------
        Download
            What the server says of the file, which is whole now.

        Raises
        ------
        DiffsymError
            If the server has no such file, refuses it, or a number of attempts in a row bring
            nothing more of it.
        """
        problem, failures, furthest = "", 0, size_of(part)
        while failures < ATTEMPTS:
            pause = self.first_pause * 2 ** (failures - 1) if failures else 0.0
            try:
                problem = self._fetch_rest(url, part, pause)
                reached = size_of(part)
                if not problem:
                    if not (problem := check(part)):
                        return known_of(part, url)
                    furthest = max(furthest, reached)
                    part.unlink()
            except requests.RequestException as error:
                problem = f"{type(error).__name__}: {error}"
                reached = size_of(part)
            failures = 0 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            log.info("%s: cut off at byte %d (%s)", url, reached, problem)
        raise exhausted(url, problem)

    def _fetch_rest(self, url: str, part: Path, pause: float) -> str:
        """Fetch what is missing of a file; returns what went wrong, empty if it is whole."""
        known, begun = known_of(part, url), size_of(part)
        if begun and begun == known.size:
            return ""
        if not known.validator() or (known.size or begun) < begun:
            begun = 0
        headers = {"Accept-Encoding": UNCHANGED}
        if begun:
            headers |= {"Range": f"bytes={begun}-", "If-Range": known.validator()}
        with self._ask(url, None, pause, headers=headers, stream=True) as answer:
            if answer.status_code in GONE:
                raise DiffsymError(f"{url}: the server has no such file; correct the address")
            past_end = begun and answer.status_code == PAST_END
            if not past_end and (problem := self._trouble(answer)):
                return problem
            if not (begun and continues(answer, known, begun)):
                part.unlink(missing_ok=True)
                if past_end or (begun and answer.status_code == PART):
                    return "another part of the file than that which was asked for"
                known = described(answer, url)
                write_json(side_file(part), asdict(known))
            with full_disk_told(part), part.open("ab") as handle:
                for chunk in answer.iter_content(CHUNK):
                    handle.write(chunk)
        found = size_of(part)
        if known.size in {None, found}:
            return ""
        return f"{found} of {known.size} bytes"

    def _ask(
        self,
        url: str,
        params: Mapping[str, str | int | float] | None,
        pause: float,
        headers: Mapping[str, str] | None = None,
        *,
        stream: bool = False,
    ) -> requests.Response:
        now = time.monotonic()
        time.sleep(max(pause, self._earliest - now, 0.0))
        self._earliest = time.monotonic() + self.interval
        return self._session.get(
            url, params=params, headers=headers, stream=stream, timeout=PATIENCE
        )

    def _trouble(self, answer: requests.Response) -> str:
        """What keeps a server from answering; empty if it answers."""
        if answer.status_code in BUSY:
            self._wait_as_told(answer)
            return f"status {answer.status_code}"
        if not answer.ok:
            raise DiffsymError(
                f"{answer.url}: the server refuses with status {answer.status_code}; "
                "correct the search or the address"
            )
        return ""

    def _wait_as_told(self, answer: requests.Response) -> None:
        """Put off the next request for as long as a busy server wants."""
        told = answer.headers.get("Retry-After")
        if told is None:
            return
        try:
            seconds = min(Retry().parse_retry_after(told), LONGEST_PAUSE)
        except InvalidHeader:
            return
        self._earliest = time.monotonic() + seconds


def refuse_another_host(answer: requests.Response, *_: object, **__: object) -> None:
    """DiffsymError if an answer sends on to another server, `www.` apart."""
    if not answer.is_redirect:
        return
    target = urljoin(answer.url, answer.headers["Location"])
    here, there = (
        (urlsplit(url).hostname or "").removeprefix("www.") for url in (answer.url, target)
    )
    if here != there:
        raise DiffsymError(
            f"{answer.url}: the server sends on to another one, {there}; set the address to where "
            "the archive is, if you trust it"
        )


def read_whole(answer: requests.Response) -> bytes:
    """Content of an answer, unpacked; DiffsymError once it turns out to be too large."""
    content = bytearray()
    for chunk in answer.iter_content(CHUNK):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise DiffsymError(
                f"{answer.url}: the answer holds more than {LARGEST_ANSWER / 1e6:.0f} MB when it "
                "is unpacked; ask for less at once or correct the address"
            )
    return bytes(content)


def side_file(part: Path) -> Path:
    """Where lies what a server said of a file that is being fetched."""
    return part.with_name(f"{part.name}.json")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def known_of(part: Path, url: str) -> Download:
    """What a server said of a file when it began to send it; nothing if that was another file."""
    nothing = Download(url, None, "", "")
    try:
        known = Download(**read_json(side_file(part)))
    except (OSError, ValueError, TypeError):
        return nothing
    return known if known.url == url else nothing


def described(answer: requests.Response, url: str) -> Download:
    """What an answer says of the whole file that it brings."""
    headers = answer.headers
    if headers.get("Content-Encoding", UNCHANGED) != UNCHANGED:
        # Length and tag are those of the bytes on the way.
        return Download(url, None, "", headers.get("Last-Modified", ""))
    length = headers.get("Content-Length", "")
    return Download(
        url,
        int(length) if length.isdecimal() else None,
        headers.get("ETag", ""),
        headers.get("Last-Modified", ""),
    )


def continues(answer: requests.Response, known: Download, begun: int) -> bool:
    """Whether an answer brings the rest of a file, and of the same version."""
    found = re.fullmatch(
        r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip()
    )
    return (
        answer.status_code == PART
        and found is not None
        and int(found[1]) == begun
        and (known.size is None or found[3] in {"*", str(known.size)})
        and answer.headers.get("ETag", known.etag) == known.etag
        and answer.headers.get("Last-Modified", known.last_modified) == known.last_modified
        and answer.headers.get("Content-Encoding", UNCHANGED) == UNCHANGED
    )


def exhausted(url: str, problem: str) -> DiffsymError:
    """The end of all patience."""
    return DiffsymError(
        f"{url}: {ATTEMPTS} attempts failed, the last with {problem}; check network and "
        "address, then start again: what has been fetched is kept"
    )


def check_reachable(url: str) -> None:
    """Raise a DiffsymError if nothing answers at an address; what it answers does not matter."""
    try:
        requests.head(url, timeout=PATIENCE_AT_START).close()
    except requests.RequestException as error:
        raise DiffsymError(
            f"{url}: no answer ({type(error).__name__}); check the network, the proxy and the "
            "address, then start again"
        ) from None
