"""RASX of Rigaku: a zip archive with a text of three columns and a XML for each scan."""

import io
import re
from xml.etree import ElementTree as ET
from zipfile import ZipFile

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import (
    assembled,
    check_axis,
    chosen,
    decoded,
    loss,
    numbers,
)
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.experimental.readers.packed import member
from diffsym.experimental.readers.ras import of_kind

SCAN = re.compile(r"(?:.*/)?Data(\d+)/Profile\d*\.txt")


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a scan, by default the first."""
    with ZipFile(io.BytesIO(content)) as archive:
        found = [match for name in archive.namelist() if (match := SCAN.fullmatch(name))]
        files = [match[0] for match in sorted(found, key=lambda match: int(match[1]))]
        if not files:
            raise DiffsymError("the file holds images or maps, no pattern; export one as text")
        number = chosen(files, scan)
        folder = files[number].rpartition("/")[0]
        # So it is spelt.
        conditions = ET.fromstring(member(archive, f"{folder}/MesurementConditions0.xml"))  # noqa: S314
        table = numbers(decoded(member(archive, files[number])))
    check_axis(conditions.findtext(".//ScanInformation/AxisName") or "")
    table = table.reshape(-1, 3)
    repairs: tuple[str, ...] = ()
    if declared := conditions.findtext(".//ScanInformation/DataCount"):
        repairs = loss(float(declared), len(table))
    tube = ".//XrayGenerator"
    lines = (conditions.findtext(f"{tube}/Wavelength{k}") for k in ("Kalpha1", "Kalpha2", "Kbeta"))
    return assembled(
        table[:, 0],
        table[:, 1] * table[:, 2],
        wavelength=of_kind(
            conditions.findtext(f"{tube}/WaveType") or "", *(float(line or 0) for line in lines)
        ),
        anode=conditions.findtext(f"{tube}/TargetName"),
        repairs=repairs,
        scans=tuple(files),
        scan=number,
    )
