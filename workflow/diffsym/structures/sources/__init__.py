"""Where structures come from: one module a kind of source, all behind one small interface."""

import importlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, cast

from diffsym.errors import DiffsymError
from diffsym.structures.entries import Entry, Rejection

KINDS = ("amcsd", "local")


class Source(Protocol):
    """A collection of crystal structures."""

    name: str
    licence: str

    def identifiers(self) -> list[str]:
        """All entry identifiers in the order of the source, `limit` applied."""

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read entries one by one; an entry that cannot be read comes as a `Rejection`."""

    def provenance(self) -> dict[str, Any]:
        """Name, version, licence, citation and the SHA-256 of the files that were read."""


def open_source(name: str, kind: str, **settings: Any) -> Source:
    """Open a source.

    The module of the kind is imported only here, so that a change of one kind of source leaves
    the results of the others valid.

    Parameters
    ----------
    name
        Name in the configuration; the first half of every `structure_id`.
    kind
        One of `KINDS`, the name of a module of this package.
    settings
        Keywords of that module's `open_source`, such as `path` and `limit`.

    Raises
    ------
    DiffsymError
        If the kind is unknown or its file is missing or unusable.
    """
    if kind not in KINDS:
        raise DiffsymError(
            f"sources.{name}.kind: there is no kind '{kind}'; choose one of {', '.join(KINDS)}"
        )
    module = importlib.import_module(f"{__name__}.{kind}")
    return cast("Source", module.open_source(name, **settings))
