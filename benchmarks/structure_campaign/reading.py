"""Texts read as the workflow reads files."""

from structure_campaign.writers import Row

from diffsym.settings.checks import Checks
from diffsym.settings.sources.selection import Selection
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.entries import Entry, EntryError, Rejection
from diffsym.structures.readers.cif import read_cif
from diffsym.structures.shards import process_entry


class Named:
    """What rows of the table name as their source."""

    name = "campaign"
    licence = ""


def read_one(text: str) -> Entry | Rejection:
    """The only structure of a text."""
    try:
        (item,) = read_cif(text.encode(), "structure.cif", "")
    except EntryError as error:
        return Rejection("structure.cif", "read", error.code, error.reason)
    return item


def described(item: Entry | Rejection) -> Row | Rejection:
    """The row of the structures table that an entry becomes."""
    return (
        item
        if isinstance(item, Rejection)
        else process_entry(item, Named(), Symmetry(), Checks(), Selection())
    )
