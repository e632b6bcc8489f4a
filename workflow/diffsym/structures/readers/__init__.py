"""Structure files: a file in, entries and rejections out.

A format is recognised by the name of the file. Whatever is wrong with one structure becomes a
`Rejection` with a sentence that names the file, the block, the field and the remedy.
"""

import gzip
import zlib
from pathlib import Path

from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.readers.cif import one_line, read_cif
from diffsym.structures.readers.poscar import read_poscar

CIF_SUFFIXES = (".cif", ".mcif")
POSCAR_SUFFIXES = (".vasp", ".poscar")
POSCAR_NAMES = ("POSCAR", "CONTCAR")
PACKED = ".gz"


def is_structure_file(name: str) -> bool:
    """Whether the name is that of a CIF or of a VASP structure, packed or not."""
    return is_cif(name) or is_poscar(name)


def is_cif(name: str) -> bool:
    """Whether the name is that of a CIF."""
    return name.lower().removesuffix(PACKED).endswith(CIF_SUFFIXES)


def is_poscar(name: str) -> bool:
    """Whether the name is that of a VASP structure."""
    plain = name.lower().removesuffix(PACKED)
    return not is_cif(name) and (plain.endswith(POSCAR_SUFFIXES) or name.startswith(POSCAR_NAMES))


def read_file(path: Path, identifier: str, citation: str) -> list[Entry | Rejection]:
    """Read all structures of a file.

    Parameters
    ----------
    path
        The file.
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
        content = read_bytes(path)
    except EntryError as error:
        return [Rejection(identifier, "read", error.code, f"{identifier}: {error.reason}")]
    return read_content(path.name, content, identifier, citation)


def read_content(
    name: str, content: bytes, identifier: str, citation: str
) -> list[Entry | Rejection]:
    """Read all structures of an unpacked file whose name says the format; see `read_file`."""
    try:
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


def read_bytes(path: Path) -> bytes:
    """Content of a file, unpacked."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.name.lower().endswith(PACKED) else content
    except (OSError, EOFError, zlib.error) as error:
        what = "is a link to nothing" if path.is_symlink() and not path.exists() else str(error)
        raise EntryError(
            RejectionCode.UNREADABLE, f"the file cannot be opened ({what}); replace or delete it"
        ) from None
