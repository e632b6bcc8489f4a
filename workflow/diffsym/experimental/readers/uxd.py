"""UXD of Bruker: text with keys and, for each range, a column of counts or two with the angles."""

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

KEY = re.compile(r"_(\w+)\s*=\s*'?([^']*)'?")
# What the axis is, the key _DRIVE says; here it is always called 2theta.
DATA = re.compile(r"_(2THETA)?(?:COUNTS|CPS)(TIME)?")


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a range, by default the first; what is said of an earlier one holds until it changes."""
    lines = [line.strip() for line in decoded(content).split("\n")]
    starts = [i for i, line in enumerate(lines) if DATA.fullmatch(line)]
    if not starts:
        raise DiffsymError("there is no range of counts in the file; copy it anew")
    names = tuple(f"range {i}" for i in range(1, len(starts) + 1))
    number = chosen(names, scan)
    start = starts[number]
    head = lines[:start]
    keys = {found[1]: found[2].strip() for line in head if (found := KEY.fullmatch(line))}
    check_axis(keys.get("DRIVE", "2THETA"))
    data = []
    for line in lines[start + 1 :]:
        if line.startswith(("_", ";")):
            break
        data.append(line)
    values, kind = numbers("\n".join(data)), DATA.fullmatch(lines[start])
    if kind and kind[1]:
        table = values.reshape(-1, 3 if kind[2] else 2)
        angles, counts = table[:, 0], table[:, 1]
    elif kind and kind[2]:
        raise DiffsymError("counts with times but without angles are not read; export as text")
    else:
        angles, counts = grid(float(keys["START"]), float(keys["STEPSIZE"]), len(values)), values
    declared = keys.get("STEPCOUNT")
    return assembled(
        angles,
        counts,
        wavelength=k_alpha(*(float(keys.get(key) or 0) for key in ("WL1", "WL2", "WLRATIO"))),
        anode=keys.get("ANODE"),
        repairs=loss(float(declared), len(counts)) if declared else (),
        scans=names,
        scan=number,
    )
