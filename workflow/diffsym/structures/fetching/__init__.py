"""Fetching what sources and sets of measured patterns read.

Downloads of structures that need a client of their own have their modules here.
"""

import importlib
import os
from pathlib import Path

from diffsym.errors import DiffsymError
from diffsym.files import one_at_a_time
from diffsym.settings.measured.base import Measured
from diffsym.settings.sources.base import Source

Fetched = Source | Measured


class MissingClientError(DiffsymError):
    """The client of a database is not installed where it was looked for."""


def check_access(
    key: str, settings: Fetched, path: str | Path, *, client_elsewhere: bool = False
) -> None:
    """Say at once why fetching a file would fail.

    Parameters
    ----------
    key
        Of the section in the configuration, such as `sources.cod`.
    settings
        The section.
    path
        Where the file would be fetched to.
    client_elsewhere
        Whether the client of the database, if it needs one, has an environment of its own.

    Raises
    ------
    DiffsymError
        If its server does not answer, or it needs what is not there: a key, a client.
    """
    folder = next(folder for folder in Path(path).absolute().parents if folder.exists())
    if not os.access(folder, os.W_OK):
        raise DiffsymError(
            f"{key}: {path} cannot be fetched: {folder} cannot be written; allow it, or "
            "put the file there"
        )
    try:
        importlib.import_module(settings.fetched_by()).check_access(settings)
    except DiffsymError as error:
        if client_elsewhere and isinstance(error, MissingClientError):
            return
        raise DiffsymError(f"{key}: {path} cannot be fetched: {error}") from None


def fetch(settings: Fetched, path: Path) -> None:
    """Fetch the file of a section.

    If another process does so already, as one may whose Snakemake was killed, wait for its file.

    Parameters
    ----------
    settings
        A section of the configuration.
    path
        Where the file has to lie. Beside it remains an empty file with the suffix `.lock`.
    """
    with one_at_a_time(path.with_name(f".{path.name}.lock")):
        importlib.import_module(settings.fetched_by()).fetch(path, settings)
