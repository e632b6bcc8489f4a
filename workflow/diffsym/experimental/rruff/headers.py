"""What files of the RRUFF project say of a pattern and of its crystal.

A pattern is a text with lines `##KEY=value`, the points `angle, intensity`, and `##END=`. A DIF
file has the space group, the cell and the wavelength of a list of lines: `SPACE GROUP: P2_1/c`.
Names of files begin with the mineral and the number of the sample: `Quartz__R040031-1__Powder__`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffsym.experimental.readers.assembly import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH

HEADER = re.compile(r"##\s*([^=]+?)\s*=(.*)")
SAMPLE = re.compile(
    r"(?P<mineral>.+?)__(?P<number>(?P<base>[A-Z]?\d+)(?:[-.][A-Za-z0-9]+)*)(?:__.*)?"
)
NUMBER = r"[+-]?\d*\.?\d+"
CELL = re.compile(rf"CELL\s+PARAMETERS\s*:\s*((?:{NUMBER}\s+){{5}}{NUMBER})", re.IGNORECASE)
GROUP = re.compile(
    r"^[ \t]*SPACE[ \t]+GROUP[ \t]*:[ \t]*(?:ALTERNATE[ \t]+SETTING[ \t]+FOR[ \t]+)?"
    r"([^\r\n]*?)(?:\\par)?[ \t\r]*$",
    re.IGNORECASE | re.MULTILINE,
)
DIF_WAVELENGTH = re.compile(rf"X-?RAY\s+WAVELENGTH\s*:\s*({NUMBER})", re.IGNORECASE)
WAVELENGTH_KEYS = ("X-RAY WAVELENGTH", "XRAY WAVELENGTH", "WAVELENGTH")
DESCRIPTIONS = ("DIFFRACTION SAMPLE DESCRIPTION", "DESCRIPTION", "FILETYPE", "COMMENT", "COMMENTS")
COMPUTED = re.compile(r"\b(?:re)?(?:calculat|comput|simulat|theoretical)\w*", re.IGNORECASE)
UNCONFIRMED = re.compile(r"\bnot\b.*\bconfirmed\b|\bunconfirmed\b", re.IGNORECASE)


@dataclass(frozen=True)
class Sample:
    """Whose file it is.

    Attributes
    ----------
    mineral
        Its name.
    number
        Of the measured sample, `R040031-1`.
    base
        Of the specimen, `R040031`, of which there may be several samples.
    """

    mineral: str
    number: str
    base: str


@dataclass(frozen=True, eq=False)
class Dif:
    """What a DIF file says.

    Attributes
    ----------
    file
        Its name.
    symbol
        Of the space group, as it stands there; empty if there is none.
    cell : (6,)
        Lengths, A, and angles, degrees; None if there is none.
    wavelength
        A; None if there is none.
    """

    file: str
    symbol: str
    cell: NDArray[np.float64] | None
    wavelength: float | None


def sample_of(file: str) -> Sample | None:
    """Sample that the name of a file tells; None if it tells none."""
    found = SAMPLE.fullmatch(file.removesuffix(".txt"))
    return None if found is None else Sample(found["mineral"], found["number"], found["base"])


def headers_of(text: str) -> dict[str, str]:
    """Values of the lines that begin with ##, by key in capital letters."""
    lines = (HEADER.fullmatch(line.strip()) for line in text.splitlines())
    return {found[1].upper(): found[2].strip() for found in lines if found}


def points_of(text: str) -> str:
    """The lines of points: those in front of `##END` that are no headers."""
    lines = []
    for line in text.splitlines():
        if line.startswith("##END"):
            break
        if not line.startswith("#"):
            lines.append(line)
    return "\n".join(lines)


def wavelength_of(headers: Mapping[str, str]) -> float | None:
    """Wavelength, A, that a header states; None if it states none that can be."""
    for key in WAVELENGTH_KEYS:
        if found := re.match(NUMBER, headers.get(key, "")):
            return _possible(float(found[0]))
    return None


def computed_by(headers: Mapping[str, str]) -> str:
    """The header that says that a pattern was calculated; empty if none does."""
    for key in DESCRIPTIONS:
        if COMPUTED.search(headers.get(key, "")):
            return f"{key}={headers[key]}"
    return ""


def is_unconfirmed(headers: Mapping[str, str]) -> bool:
    """Whether the identification of the mineral is not confirmed."""
    return bool(UNCONFIRMED.search(headers.get("STATUS", "")))


def dif_of(file: str, text: str) -> Dif:
    """What a DIF file says."""
    group, cell, wavelength = (
        expression.search(text) for expression in (GROUP, CELL, DIF_WAVELENGTH)
    )
    return Dif(
        file,
        group[1].strip() if group else "",
        np.array(cell[1].split(), dtype=float) if cell else None,
        _possible(float(wavelength[1])) if wavelength else None,
    )


def _possible(wavelength: float) -> float | None:
    """A wavelength, A; None if it can be none."""
    inside = SHORTEST_WAVELENGTH <= wavelength <= LONGEST_WAVELENGTH
    return wavelength if inside and math.isfinite(wavelength) else None
