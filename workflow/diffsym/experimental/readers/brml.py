"""BRML of Bruker: a zip archive, perhaps with a folder around all, of XML.

The rows of a scan hold numbers of several kinds; `DataViews` says which column is which. Counts are
corrected for the absorber of the beam already.
"""

import io
import re
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, chosen, k_alpha
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.experimental.readers.packed import member
from diffsym.scattering.types import Wavelength

SCAN = re.compile(r"(?:.*/)?RawData(\d+)\.xml")


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a scan, by default the first."""
    with ZipFile(io.BytesIO(content)) as archive:
        found = [match for name in archive.namelist() if (match := SCAN.fullmatch(name))]
        files = [match[0] for match in sorted(found, key=lambda match: int(match[1]))]
        number = chosen(files, scan)
        root = ET.fromstring(member(archive, files[number]))  # noqa: S314  (expat refuses entities)
    routes = root.findall("DataRoutes/DataRoute")
    if not routes:
        raise DiffsymError("the scan was never measured; give a file with a pattern")
    route = next((r for r in routes if r.get("RouteFlag") == "Measured"), routes[0])
    told = route.find("ScanInformation")
    name = "" if told is None else told.get("VisibleName") or told.get("ScanName") or ""
    angle, count = _columns(route, name)
    rows = [row.text or "" for row in route.iterfind("Datum")]
    if not rows:
        raise DiffsymError("the scan has no points; copy the file anew, or export the pattern")
    table = np.array([row.split(",") for row in rows], dtype=np.float64)
    return assembled(
        table[:, angle],
        table[:, count],
        wavelength=_wavelength(root),
        anode=root.findtext(".//TubeMaterial"),
        scans=tuple(files),
        scan=number,
    )


def _columns(route: ET.Element, name: str) -> tuple[int, int]:
    """Columns of 2theta and of the counts."""
    angle = count = None
    for view in route.iterfind("DataViews/RawDataView"):
        start, length = int(view.get("Start", "")), int(view.get("Length", "1"))
        fields = [field.get("FieldName") for field in view.iter("FieldDefinitions")]
        if angle is None and "TwoTheta" in fields:
            angle = start + fields.index("TwoTheta")
        if count is None and view.find("Recording") is not None:
            if length != 1:
                raise DiffsymError(
                    f"each point holds {length} channels of a detector; integrate them and export "
                    "a pattern"
                )
            count = start
    if angle is None or count is None:
        raise DiffsymError(
            f"in the scan '{name[:40]}' 2theta is fixed or not counted, as in a rocking curve or a "
            "pole figure; give a powder pattern, over 2theta"
        )
    return angle, count


def _wavelength(root: ET.Element) -> Wavelength | None:
    """K-alpha-1 and K-alpha-2 of the tube."""
    values = {}
    for key in ("Alpha1", "Alpha2", "Ratio"):
        element = root.find(f".//WaveLength{key}")
        values[key] = None if element is None else float(element.get("Value", ""))
    return k_alpha(values["Alpha1"] or 0.0, values["Alpha2"], values["Ratio"])
