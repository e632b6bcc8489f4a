"""Where structures come from: one module a kind of source, all behind one small interface."""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, cast

from diffsym.settings.sources.base import Source as SourceSettings
from diffsym.structures.entries import Entry, Rejection


class Source(Protocol):
    """A collection of crystal structures."""

    name: str
    licence: str

    def identifiers(self) -> list[str]:
        """All entry identifiers in the order of the source, `limit` applied."""

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read entries one by one; an entry that cannot be read comes as a `Rejection`."""

    def provenance(self) -> dict[str, Any]:
        """Name, description, version, licence, citation and the SHA-256 of the files read.

        The description says what the source is and what it lacks; the report shows it.
        """


def open_source(name: str, settings: SourceSettings, path: str | Path) -> Source:
    """Open a source.

    The module of the source is imported only here, so that a change of one kind of source leaves
    the results of the others valid.

    Parameters
    ----------
    name
        Name in the configuration; the first half of every `structure_id`.
    settings
        Its section of the configuration.
    path
        What it reads: the file that was fetched, or the folder or file of the user.

    Raises
    ------
    DiffsymError
        If the file is missing or unusable.
    """
    module = importlib.import_module(settings.module)
    return cast("Source", module.open_source(name, settings, Path(path)))
