"""RAW of Siemens and Bruker: the binary versions 1, 2, 1.01 (also called 3) and 4.

The layouts of versions 1 and 2 are those that xylib (`bruker_raw.cpp`) tells from the manuals of
DIFFRAC-AT.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import (
    assembled,
    check_axis,
    chosen,
    grid,
    k_alpha,
    loss,
)
from diffsym.experimental.readers.base import MeasuredPattern

# How RAW1.01 numbers scans over 2theta; the others are over theta, phi, chi and the like.
SCANS_1_01 = {0: "locked coupled", 1: "unlocked coupled", 2: "detector scan"}
SCANS_1_01 |= dict.fromkeys((129, 130), "detector scan")
# What version 4 has in place of counts that were not measured.
UNMEASURED = -9999
MOST_RANGES = 1000


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a range, by default the first."""
    versions = {b"RAW ": _read_1, b"RAW2": _read_2, b"RAW1": _read_1_01, b"RAW4": _read_4}
    reader = versions.get(content[:4])
    if reader is None:
        version = content[:8].decode("latin-1").strip("\0 ")
        raise DiffsymError(f"the version {version} of Bruker's RAW is not read; export it as text")
    return reader(content, scan)


def _read_1(content: bytes, scan: str | None) -> MeasuredPattern:
    """Version 1: for each range a header of 156 bytes, and single floats.

    The header of a range says how many follow; that of a later one may lack its first four bytes.
    """
    starts = [0]
    while len(starts) < MOST_RANGES and _value("i", content, starts[-1] + 152) > 0:
        after = starts[-1] + 156 + 4 * _count(_value("i", content, starts[-1] + 4))
        # A range that is cut off is read, or refused, as the last.
        if after + 156 > len(content):
            break
        starts.append(after if content[after : after + 4] == b"RAW " else after - 4)
    names = _ranges(len(starts))
    number = chosen(names, scan)
    at = starts[number]
    n = _value("i", content, at + 4)
    counts, repairs = _counts(content, at + 156, n, 4)
    first, second = (round(_value("f", content, at + k), 6) for k in (72, 76))
    return assembled(
        grid(_value("f", content, at + 24), _value("f", content, at + 12), n)[: len(counts)],
        counts,
        wavelength=k_alpha(first, second),
        repairs=repairs,
        scans=names,
        scan=number,
    )


def _read_2(content: bytes, scan: str | None) -> MeasuredPattern:
    """Version 2: a header of 256 bytes; for each range one that says its length, and floats."""
    names = _ranges(_value("H", content, 4))
    number = chosen(names, scan)
    at = _skip(256, number, lambda at: _value("H", content, at) + 4 * _value("H", content, at + 2))
    length, n = _value("H", content, at), _value("H", content, at + 2)
    if length < 48:
        raise DiffsymError(f"a range's header of {length} bytes cannot be; copy the file anew")
    counts, repairs = _counts(content, at + length, n, 4)
    step, first = _value("f", content, at + 12), _value("f", content, at + 16)
    lines = (round(_value("f", content, k), 6) for k in (190, 194, 198))
    return assembled(
        grid(first, step, n)[: len(counts)],
        counts,
        wavelength=k_alpha(*lines),
        anode=_text(content[188:190]),
        repairs=repairs,
        scans=names,
        scan=number,
    )


def _read_1_01(content: bytes, scan: str | None) -> MeasuredPattern:
    """Version 1.01: a header of 712 bytes, one for each range, supplements and records."""

    def size_of_range(at: int) -> int:
        length, supplements = _value("i", content, at), _value("i", content, at + 256)
        return length + supplements + _value("i", content, at + 4) * _value("i", content, at + 252)

    names = _ranges(_value("i", content, 12))
    number = chosen(names, scan)
    head = _skip(712, number, size_of_range)
    n, kind = _value("i", content, head + 4), _value("i", content, head + 196)
    check_axis(SCANS_1_01.get(kind, f"axis of kind {kind}"))
    length, size, supplements = (_value("i", content, head + k) for k in (0, 252, 256))
    counts, repairs = _counts(content, head + length + supplements, n, size)
    return assembled(
        grid(_value("d", content, head + 16), _value("d", content, head + 176), n)[: len(counts)],
        counts,
        wavelength=k_alpha(*(_value("d", content, at) for at in (624, 632, 648))),
        anode=_text(content[608:612]),
        repairs=repairs,
        scans=names,
        scan=number,
    )


def _read_4(content: bytes, scan: str | None) -> MeasuredPattern:
    """Version 4: records with a kind and a length, then ranges."""
    at, wavelength, anode = 61, None, None
    while (kind := _value("i", content, at)) not in {0, 160}:
        length = _value("i", content, at + 4)
        if length < 8:
            raise DiffsymError("a record has no length; copy the file anew")
        if kind == 30:
            # Some programs write them from single floats.
            wavelength = k_alpha(*(round(_value("d", content, at + k), 6) for k in (80, 88, 104)))
            anode = _text(content[at + 116 : at + 118])
        at += length

    def size_of_range(at: int) -> int:
        n, size, supplements = (_value("i", content, at + k) for k in (88, 136, 140))
        return int(160 + supplements + n * size)

    names = _ranges(_value("i", content, 40))
    number = chosen(names, scan)
    at = _skip(at, number, size_of_range)
    check_axis(_text(content[at + 32 : at + 56]))
    n, size, supplements = (_value("i", content, at + k) for k in (88, 136, 140))
    counts, repairs = _counts(content, at + 160 + supplements, n, size)
    angles = grid(_value("d", content, at + 72), _value("d", content, at + 80), n)[: len(counts)]
    measured = counts != UNMEASURED
    if not measured.all():
        repairs += (f"{np.count_nonzero(~measured)} points that were not measured were left out",)
    return assembled(
        angles[measured],
        counts[measured],
        wavelength=wavelength,
        anode=anode,
        repairs=repairs,
        scans=names,
        scan=number,
    )


def _ranges(n: int) -> tuple[str, ...]:
    """Names of n ranges; a file that declares none has one."""
    return tuple(f"range {i + 1}" for i in range(min(max(n, 1), MOST_RANGES)))


def _skip(at: int, number: int, size_of_range: Callable[[int], int]) -> int:
    """Where a range begins, behind `number` others; each has a size, in bytes."""
    for _ in range(number):
        at += _count(size_of_range(at))
    return at


def _count(n: int) -> int:
    """A number that cannot be negative."""
    if n < 0:
        raise DiffsymError(f"a range has a size of {n}; copy the file anew")
    return n


def _counts(
    content: bytes, start: int, n: int, size: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Single floats at the beginning of n records, and what is wrong with their number."""
    if not (n > 0 and size >= 4 and start > 0):
        raise DiffsymError(f"{n} records of {size} bytes are no scan; copy the file anew")
    present = min(max((len(content) - start) // size, 0), n)
    repairs = loss(n, present)
    record = np.dtype({"names": ["count"], "formats": ["<f4"], "itemsize": size})
    counts = np.frombuffer(content, record, present, start)["count"]
    with np.errstate(invalid="ignore"):  # damaged numbers
        return counts.astype(np.float64), repairs


def _value(kind: str, content: bytes, at: int) -> Any:
    """A number of a kind of `struct`, little endian."""
    return struct.unpack_from(f"<{kind}", content, at)[0]


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode("latin-1").strip()
