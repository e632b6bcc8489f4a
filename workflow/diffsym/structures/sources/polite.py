"""Requests to servers that all share: not too many, patient, and under our own name."""

import logging
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from diffsym.errors import DiffsymError

log = logging.getLogger(__name__)

# What a server says when it is busy or restarts.
BUSY = frozenset({429, 500, 502, 503, 504})
ATTEMPTS = 6
LONGEST_PAUSE = 120.0
# Seconds until a connection stands, and between two parts of an answer.
PATIENCE = (20, 120)
# Before a study starts, when a person waits.
PATIENCE_AT_START = 10


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
            If the server cannot be reached, refuses, or none of the attempts succeeds.
        """
        problem = ""
        for attempt in range(ATTEMPTS):
            pause = self.first_pause * 2 ** (attempt - 1) if attempt else 0.0
            try:
                answer = self._ask(url, params, pause)
                if answer.status_code in {404, 410}:
                    return None
                if answer.status_code in BUSY:
                    problem = f"status {answer.status_code}"
                    self._wait_as_told(answer)
                elif not answer.ok:
                    raise DiffsymError(
                        f"{answer.url}: the server refuses with status {answer.status_code}; "
                        "correct the search or the address"
                    )
                elif not (problem := check(answer.content)):
                    return answer.content
            except requests.RequestException as error:
                problem = f"{type(error).__name__}: {error}"
            log.info("%s: attempt %d failed (%s)", url, attempt + 1, problem)
        raise DiffsymError(
            f"{url}: {ATTEMPTS} attempts failed, the last with {problem}; check network and "
            "address, then start again: what has been fetched is kept"
        )

    def _ask(
        self, url: str, params: Mapping[str, str | int | float] | None, pause: float
    ) -> requests.Response:
        now = time.monotonic()
        time.sleep(max(pause, self._earliest - now, 0.0))
        self._earliest = time.monotonic() + self.interval
        return self._session.get(url, params=params, timeout=PATIENCE)

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


def check_reachable(url: str) -> None:
    """Raise a DiffsymError if nothing answers at an address; what it answers does not matter."""
    try:
        requests.head(url, timeout=PATIENCE_AT_START).close()
    except requests.RequestException as error:
        raise DiffsymError(
            f"{url}: no answer ({type(error).__name__}); check the network, the proxy and the "
            "address, then start again"
        ) from None
