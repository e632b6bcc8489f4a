"""Files of GSAS: banks in fixed columns, 2theta in hundredths of a degree.

A line of `STD` has ten fields of eight characters, two for the number of detectors and six for the
counts; one of `ESD` five pairs of counts and error; one of `FXYE` angle, counts and error, one of
`FXY` the first two.
"""

import re

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, chosen, decoded, grid, loss
from diffsym.experimental.readers.base import Axis, MeasuredPattern
from diffsym.experimental.readers.remarks import refuse_neutrons, stated_wavelength

BANK = re.compile(r"[ \t]*BANK[ \t]+(?P<bank>\d+)[ \t]+(?P<points>\d+)(?P<rest>.*)")
WIDTH = 8
CENTIDEGREES = Axis("GSAS writes 2theta in hundredths of a degree", "centidegrees")


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a bank, by default the first."""
    lines = decoded(content).split("\n")
    banks = [(i, found) for i, line in enumerate(lines) if (found := BANK.match(line))]
    if not banks or any(line.startswith("TIME_MAP") for line in lines):
        raise DiffsymError("this is a pattern over the time of flight of neutrons; give X-rays")
    names = tuple(f"bank {found['bank']}" for _, found in banks)
    number = chosen(names, scan)
    start, bank = banks[number]
    end = banks[number + 1][0] if number + 1 < len(banks) else None
    # The second number, of lines, is often wrong and not needed.
    _, binning, *values = bank["rest"].split()
    if not binning.upper().startswith("CONS"):
        raise DiffsymError(
            f"this is a pattern over the time of flight of neutrons ({binning}); give X-rays"
        )
    remarks = lines[: banks[0][0]]
    refuse_neutrons(remarks)
    body = [line for line in lines[start + 1 : end] if line.strip() and line.lstrip()[0] != "#"]
    kind = next((value.upper() for value in values if value[:1].isalpha()), "STD")
    declared = int(bank["points"])
    first, step = (float(value) for value in values[:2])
    if kind in {"FXY", "FXYE"}:
        rows = [line.split()[:3] for line in body[:declared]]
        # The last line of a file that is cut off.
        table = np.array(rows if len(rows[-1]) == len(rows[0]) else rows[:-1], dtype=np.float64)
        angles, counts = table[:, 0], table[:, 1]
    elif kind in {"STD", "ESD"}:
        counts = _fixed(body, detectors=kind == "STD")[:: 1 if kind == "STD" else 2][:declared]
        angles = grid(first, step, len(counts))
    else:
        raise DiffsymError(f"the kind {kind} of GSAS's files is not read; export FXYE")
    return assembled(
        angles,
        counts,
        wavelength=stated_wavelength(remarks),
        repairs=loss(declared, len(counts)),
        scans=names,
        scan=number,
        axis=CENTIDEGREES,
    )


def _fixed(body: list[str], *, detectors: bool) -> NDArray[np.float64]:
    """Numbers in fields of eight characters, without those of detectors in the first two."""
    fields: list[str] = []
    for line in body:
        fields += [line[i : i + WIDTH] for i in range(0, len(line.rstrip()), WIDTH)]
    if detectors:
        if any(not field[:2].strip().isdigit() for field in fields if field[:2].strip()):
            raise DiffsymError("the counts are not in columns of eight characters; export FXYE")
        fields = [field[2:] for field in fields]
    return np.array(fields, dtype=np.float64)
