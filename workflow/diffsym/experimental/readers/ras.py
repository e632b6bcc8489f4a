"""RAS of Rigaku: text, with remarks in Shift-JIS.

The columns are 2theta, intensity and the factor of the attenuator, with which it is multiplied.
"""

import re

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import (
    assembled,
    check_axis,
    chosen,
    k_alpha,
    loss,
    numbers,
)
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.scattering.types import Wavelength

ENTRY = re.compile(r'^\*(\S+) +"(.*)"', re.MULTILINE)


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a scan, by default the first; what is needed of the text is ASCII."""
    text = content.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    scans = text.split("*RAS_HEADER_START")[1:]
    headers = [dict(ENTRY.findall(one.partition("*RAS_INT_START")[0])) for one in scans]
    names = tuple(
        f"{i} {entry.get('MEAS_SCAN_AXIS_X', '')}" for i, entry in enumerate(headers, start=1)
    )
    number = chosen(names, scan)
    if not scans or "*RAS_INT_START" not in scans[number]:
        raise DiffsymError("there is no scan in the file; copy it anew, or export a pattern")
    header = headers[number]
    check_axis(header.get("MEAS_SCAN_AXIS_X_INTERNAL") or header.get("MEAS_SCAN_AXIS_X", ""))
    lines = scans[number].partition("*RAS_INT_START")[2].partition("*RAS_INT_END")
    rows = [line for line in lines[0].split("\n") if line.strip()]
    repairs: tuple[str, ...] = ()
    if not lines[1]:
        rows = rows[:-1]
        repairs = ("the file ends within the scan; its last line was left out",)
    if "MEAS_DATA_COUNT" in header:
        repairs += loss(float(header["MEAS_DATA_COUNT"]), len(rows))
    table = numbers("\n".join(rows)).reshape(len(rows), 3)
    return assembled(
        table[:, 0],
        table[:, 1] * table[:, 2],
        wavelength=_wavelength(header),
        anode=header.get("HW_XG_TARGET_NAME"),
        repairs=repairs,
        scans=names,
        scan=number,
    )


def _wavelength(header: dict[str, str]) -> Wavelength | None:
    first, second, beta = (
        float(header.get(f"HW_XG_WAVE_LENGTH_{line}") or 0) for line in ("ALPHA1", "ALPHA2", "BETA")
    )
    return of_kind(header.get("MEAS_COND_XG_WAVE_TYPE", ""), first, second, beta)


def of_kind(kind: str, first: float, second: float, beta: float) -> Wavelength | None:
    """Wavelength of the lines that Rigaku calls Ka1, Kb or Ka (both), all given in A."""
    if kind == "Kb":
        return k_alpha(beta)
    return k_alpha(first, None if kind == "Ka1" else second)
