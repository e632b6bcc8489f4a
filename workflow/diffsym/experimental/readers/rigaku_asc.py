"""ASC of Rigaku: text with keys, and counts without angles, several a line."""

import re

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import (
    assembled,
    check_axis,
    chosen,
    decoded,
    grid,
    k_alpha,
    loss,
    numbers,
)
from diffsym.experimental.readers.base import MeasuredPattern

KEY = re.compile(r"^\*(\w+)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
FRAGMENT = re.compile(r"^[ \t]*\.\.\.[ \t]*$", re.MULTILINE)


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a group, by default the first."""
    text = decoded(content)
    if FRAGMENT.search(text):
        raise DiffsymError("this is a fragment, with '...' for lines that were left out")
    head, *groups = re.split(r"(?m)^\*BEGIN\b.*$", text)
    if not groups:
        raise DiffsymError("there is no group of counts in the file; copy it anew")
    names = tuple(f"group {i}" for i in range(1, len(groups) + 1))
    number = chosen(names, scan)
    group = groups[number].partition("\n*END")[0]
    keys = dict(KEY.findall(head + group))
    check_axis(keys.get("SCAN_AXIS", ""))
    data = "\n".join(line for line in group.split("\n") if not line.startswith("*"))
    counts = numbers(data)
    first, second = (float(keys.get(f"WAVE_LENGTH{i}") or 0) for i in (1, 2))
    return assembled(
        grid(float(keys["START"]), float(keys["STEP"]), len(counts)),
        counts,
        wavelength=k_alpha(first, second),
        repairs=loss(float(keys["COUNT"]), len(counts)),
        scans=names,
        scan=number,
    )
