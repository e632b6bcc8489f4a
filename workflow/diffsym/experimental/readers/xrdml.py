"""XRDML of PANalytical, schemas 1 and 2.

`intensities` are corrected for the attenuator of the beam, `counts` are not: they are multiplied by
the factors that stand beside them.
"""

from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, check_axis, chosen, k_alpha, numbers
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.scattering.types import Wavelength


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a scan, by default the first."""
    root = ET.fromstring(content)  # noqa: S314  (expat refuses entities that grow)
    scans = [
        (measurement, one)
        for measurement in root.iterfind("{*}xrdMeasurement")
        for one in measurement.iterfind("{*}scan")
    ]
    if not scans:
        raise DiffsymError("there is no scan in the file; export a measured pattern")
    names = tuple(f"{i} {one.get('scanAxis', '')}" for i, (_, one) in enumerate(scans, start=1))
    number = chosen(names, scan)
    measurement, wanted = scans[number]
    if "area" in measurement.get("measurementType", "").lower():
        raise DiffsymError("this is a map of reciprocal space, no powder pattern")
    check_axis(wanted.get("scanAxis", ""))
    points = wanted.find("{*}dataPoints")
    if points is None:
        raise DiffsymError("the scan has no points; copy the file anew")
    intensity = _intensity(points)
    status = wanted.get("status", "Completed")
    return assembled(
        _angles(points, len(intensity)),
        intensity,
        wavelength=_wavelength(measurement),
        anode=measurement.findtext(".//{*}anodeMaterial"),
        repairs=() if status == "Completed" else (f"the scan is marked as '{status}'",),
        scans=names,
        scan=number,
    )


def _intensity(points: ET.Element) -> NDArray[np.float64]:
    """Intensities as with an open beam."""
    if (corrected := points.findtext("{*}intensities")) is not None:
        return numbers(corrected)
    counts = numbers(points.findtext("{*}counts") or "")
    factors = points.findtext("{*}beamAttenuationFactors")
    return counts if factors is None else counts * numbers(factors)


def _angles(points: ET.Element, n: int) -> NDArray[np.float64]:
    """Angles 2theta of n points."""
    positions = points.find("{*}positions[@axis='2Theta']")
    if positions is None or positions.get("unit", "deg") != "deg":
        raise DiffsymError("there are no angles 2theta in degrees; give a powder pattern")
    if (listed := positions.findtext("{*}listPositions")) is not None:
        return numbers(listed)
    ends = [positions.findtext(f"{{*}}{end}Position") for end in ("start", "end")]
    if None in ends:
        raise DiffsymError("2theta is fixed: this is a rocking curve or the like, no pattern")
    first, last = (float(end or "") for end in ends)
    return np.linspace(first, last, n)


def _wavelength(measurement: ET.Element) -> Wavelength | None:
    """K-alpha-1 and, with the ratio that is given, K-alpha-2."""
    used = measurement.find("{*}usedWavelength")
    if used is None:
        return None
    first, second, ratio = (
        float(used.findtext(f"{{*}}{key}") or 0)
        for key in ("kAlpha1", "kAlpha2", "ratioKAlpha2KAlpha1")
    )
    if used.get("intended", "").replace("-", "").replace(" ", "").lower() == "kbeta":
        return k_alpha(float(used.findtext("{*}kBeta") or 0))
    return k_alpha(first, second, ratio)
