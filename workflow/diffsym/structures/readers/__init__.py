"""Structure files: a file in, entries and rejections out.

A format is recognised by the name of the file. Whatever is wrong with one structure becomes a
`Rejection` with a sentence that names the file, the block, the field and the remedy.
"""

from collections.abc import Callable

from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.readers.cif import one_line, read_cif
from diffsym.structures.readers.content import PACKED
from diffsym.structures.readers.poscar import read_poscar

CIF_SUFFIXES = (".cif", ".mcif")
POSCAR_SUFFIXES = (".vasp", ".poscar")
POSCAR_NAMES = ("POSCAR", "CONTCAR")
NOTES_OF_MACOS = "._"
"""Beginning of the names of files that macOS puts beside each file of an archive."""


def is_structure_file(name: str) -> bool:
    """Whether the name is that of a CIF or of a VASP structure, packed or not."""
    return not name.startswith(NOTES_OF_MACOS) and (is_cif(name) or is_poscar(name))


def is_cif(name: str) -> bool:
    """Whether the name is that of a CIF."""
    return name.lower().removesuffix(PACKED).endswith(CIF_SUFFIXES)


def is_poscar(name: str) -> bool:
    """Whether the name is that of a VASP structure."""
    plain = name.lower().removesuffix(PACKED)
    return not is_cif(name) and (plain.endswith(POSCAR_SUFFIXES) or name.startswith(POSCAR_NAMES))


def read_file(
    load: Callable[[], bytes], name: str, identifier: str, citation: str
) -> list[Entry | Rejection]:
    """Read all structures of a file.

    Parameters
    ----------
    load
        Gives its content, unpacked, or raises `EntryError`.
    name
        Its name without folders, which tells the format.
    identifier
        Identifier of its structure; of several, each has the name of its block behind it.
    citation
        Reference of every entry.

    Returns
    -------
    list
        At least one entry or rejection.
    """
    try:
        content = load()
        if is_cif(name):
            return read_cif(content, identifier, citation)
        return [read_poscar(content, identifier, citation)]
    except EntryError as error:
        return [Rejection(identifier, "read", error.code, f"{identifier}: {error.reason}")]
    except Exception as error:  # noqa: BLE001  (one file must not stop the others)
        reason = (
            f"{identifier}: reading failed with {type(error).__name__} ({one_line(error)}); please "
            "report it with the file"
        )
        return [Rejection(identifier, "read", RejectionCode.UNEXPECTED, reason)]
