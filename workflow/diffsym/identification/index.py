"""Known structures as files of a pack: arrays of NumPy and lists of text.

Places are stored as differences, in 16 bits that wrap, and intensities in half precision as shares
of the structure's strongest line. Both leave the order of a search's answers as it is
(docs/packs.md has the numbers).
"""

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from diffsym.errors import DiffsymError
from diffsym.identification.known import KnownStructures
from diffsym.identification.search import POINTS, KnownLines

TEXTS = "search/structures.json"
PLACES = "search/places.npy"
INTENSITY = "search/intensity.npy"
COUNTS = "search/counts.npy"
GROUPS = "search/space_groups.npy"
FILES = (TEXTS, PLACES, INTENSITY, COUNTS, GROUPS)
"""Names of all files."""

KEYS = ("structure_ids", "names", "formulas")


def as_files(known: KnownStructures) -> dict[str, bytes]:
    """Content of each file."""
    lines = known.lines
    counts = np.diff(lines.offsets)
    strongest = np.zeros(len(counts), np.float32)
    filled = counts > 0
    strongest[filled] = np.maximum.reduceat(lines.intensity, lines.offsets[:-1][filled])
    shares = lines.intensity / np.repeat(strongest, counts)
    texts = {key: list(getattr(known, key)) for key in KEYS}
    return {
        TEXTS: json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode(),
        PLACES: _npy(np.diff(lines.places.astype(np.uint16), prepend=np.uint16(0))),
        INTENSITY: _npy(shares.astype(np.float16)),
        COUNTS: _npy(counts.astype(np.uint16)),
        GROUPS: _npy(known.space_groups.astype(np.uint8)),
    }


def from_files(files: Mapping[str, bytes]) -> KnownStructures:
    """Return the known structures; DiffsymError if the files are not those of `as_files`."""
    counts = _array(files, COUNTS, np.uint16)
    places = np.cumsum(_array(files, PLACES, np.uint16), dtype=np.uint16)
    intensity = _array(files, INTENSITY, np.float16).astype(np.float32)
    groups = _array(files, GROUPS, np.uint8)
    offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    texts = _texts(files[TEXTS])
    if not (offsets[-1] == len(places) == len(intensity)):
        raise DiffsymError(f"{COUNTS}: the lines are not as many as it says")
    if any(len(texts[key]) != len(counts) for key in KEYS) or len(groups) != len(counts):
        raise DiffsymError(f"{TEXTS}: the structures are not as many as their lines are of")
    if len(groups) and not (groups.min() >= 1 and groups.max() <= 230):
        raise DiffsymError(f"{GROUPS}: not all numbers are those of space groups")
    # What searches runs compiled, without a look at the ends of its arrays.
    if len(places) and places.max() >= POINTS:
        raise DiffsymError(f"{PLACES}: a line lies beyond the grid")
    if not (np.isfinite(intensity).all() and (intensity >= 0).all()):
        raise DiffsymError(f"{INTENSITY}: an intensity is no number, or negative")
    return KnownStructures(
        lines=KnownLines(places.astype(np.int32), intensity, offsets),
        space_groups=groups.astype(np.int64),
        **texts,
    )


def _npy(values: NDArray[Any]) -> bytes:
    """An array in NumPy's format, little-endian."""
    content = io.BytesIO()
    little = values.astype(values.dtype.newbyteorder("<"))
    np.lib.format.write_array(content, little, version=(1, 0), allow_pickle=False)
    return content.getvalue()


def _array(files: Mapping[str, bytes], name: str, dtype: DTypeLike) -> NDArray[Any]:
    """One row of numbers of a given type."""
    try:
        values = _row_of_numbers(files[name], np.dtype(dtype).newbyteorder("<"))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        values = None
    if values is None:
        raise DiffsymError(f"{name}: not a row of numbers of type {np.dtype(dtype)}")
    return values.astype(dtype)


def _row_of_numbers(content: bytes, dtype: np.dtype) -> NDArray[Any] | None:
    """Numbers in NumPy's format, None if there are others; what its head claims is not allocated.

    Raises
    ------
    ValueError
        If the head cannot be understood, as other errors of NumPy's parser.
    """
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        return None
    shape, _, found = np.lib.format.read_array_header_1_0(stream)
    if found != dtype:
        return None
    values = np.frombuffer(content, dtype, offset=stream.tell())
    return values if values.shape == shape else None


def _texts(content: bytes) -> dict[str, list[Any]]:
    """Identifiers, names and formulas; only a name may be missing."""
    try:
        texts = json.loads(content)
        right = set(texts) == set(KEYS) and all(
            isinstance(text, str) or (key == "names" and text is None)
            for key in KEYS
            for text in texts[key]
        )
    except (ValueError, TypeError, RecursionError):
        right = False
    if not right:
        raise DiffsymError(f"{TEXTS}: not lists of identifiers, names and formulas")
    return {key: list(texts[key]) for key in KEYS}
