"""Pair distribution functions: a heading of any kind, then columns of r and G(r).

PDFgetX2, PDFgetN, PDFgetX3, xPDFsuite, Mantid and the programs of NOMAD write them, and PDFgui
reads them. Headings may hold rows of numbers, so that the numbers are what stands behind the last
line that is none. Only the reduced function G(r), in 1/A^2, is read: other programs call other
functions so, and these are told by their numbers.
"""

import io
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import TOLERATED_LOSS, decoded
from diffsym.experimental.readers.base import MeasuredPdf
from diffsym.experimental.readers.remarks import OURS

NUMBERS = re.compile(r"[\s,;0-9+\-.eE]*(?:nan)?[\s,;0-9+\-.eE]*", re.IGNORECASE)
VALUE = r"\s*[=:]\s*([+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?)"
COLUMNS = re.compile(r"#?\s*L\s+(\S.*)")
FUNCTION = re.compile(r"\b([gDTRGFSI])\s?\([\w\s,]*[rQ]\s?\)")
PROGRAMS = {
    "PDFgetX2": r"Get_XPDF|PDFgetX2",
    "PDFgetN": r"PDFgetN\b",
    "xPDFsuite": r"xPDFsuite",
    "PDFgetX3": r"PDFgetX",
    "Mantid": r"\bMantid\b",
    "NOMAD": r"\bNOM(?:_\d+|AD\b)",
}
NEUTRONS = re.compile(
    r"mode\s*=\s*neutron|\bneutron|PDFgetN\b|\bNOM(?:_\d+|AD\b)|\bstype\s*=\s*N\b", re.IGNORECASE
)
X_RAYS = re.compile(r"mode\s*=\s*x-?ray|\bx-?ray|Get_XPDF|PDFgetX|\bstype\s*=\s*X\b", re.IGNORECASE)
FEWEST_POINTS = 50
OTHER = "the pair distribution function is not the reduced G(r)"
# A g(r) tends to 1 and is not negative, but for ripples; a G(r) swings around 0.
NEAR_ONE, LOWEST_G = 0.2, -0.5
# So many equal values at the beginning are the constant of RMCProfile; a G(r) begins as -r.
CONSTANT = 8


def read(content: bytes) -> MeasuredPdf:
    """Read the function.

    Raises
    ------
    DiffsymError
        If there is none, or it is another function than the reduced G(r).
    """
    lines = decoded(content).rstrip().split("\n")
    while lines and lines[-1].startswith("#"):
        lines.pop()
    start = next((i for i in range(len(lines), 0, -1) if not NUMBERS.fullmatch(lines[i - 1])), 0)
    heading = [line for line in lines[:start] if not line.startswith(OURS)]
    _check_columns(heading)
    body = "\n".join(lines[start:]).replace(",", " ").replace(";", " ")
    table = (
        np.loadtxt(io.StringIO(body), comments=None, ndmin=2) if body.strip() else np.empty((0, 2))
    )
    if table.shape[1] < 2:
        raise DiffsymError("the pair distribution function needs two columns, r and G(r)")
    text = "\n".join(heading)
    declared = stated(heading, r"(?:rmax|maxR)")
    if declared and len(table) and table[-1, 0] < (1 - TOLERATED_LOSS) * declared:
        raise DiffsymError(
            f"the pair distribution function should end at {declared:g} A and ends at "
            f"{table[-1, 0]:g} A; it is cut off, copy it anew"
        )
    if re.search(r"\brmc\b", text, re.IGNORECASE):
        raise DiffsymError(_of_rmcprofile())
    return reduced(
        table[:, 0],
        table[:, 1],
        q_max=stated(heading, "qmax"),
        q_min=stated(heading, "qmin"),
        q_damp=stated(heading, "(?:qdamp|qsig)"),
        radiation="N" if NEUTRONS.search(text) else "X" if X_RAYS.search(text) else None,
        program=next((name for name, sign in PROGRAMS.items() if re.search(sign, text)), ""),
    )


def reduced(
    r: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    q_max: float | None = None,
    q_min: float | None = None,
    q_damp: float | None = None,
    radiation: str | None = None,
    program: str = "",
) -> MeasuredPdf:
    """A pair distribution function whose numbers can be a reduced G(r).

    Parameters
    ----------
    r, values : (m,)
        A, and 1/A^2.
    q_max, q_min, q_damp, radiation, program
        See `MeasuredPdf`.

    Raises
    ------
    DiffsymError
        If they cannot.
    """
    known = np.isfinite(values)
    missing = len(known) - int(known.sum())
    r, values = r[known], values[known]
    if len(r) < FEWEST_POINTS:
        raise DiffsymError(
            f"the pair distribution function has {len(r)} points; give at least {FEWEST_POINTS}"
        )
    if not (np.isfinite(r).all() and (np.diff(r) > 0).all() and r[0] >= 0):
        raise DiffsymError(
            "the distances r of the pair distribution function do not rise from point to point; "
            "correct the first column"
        )
    tail = values[-(len(values) // 3) :]
    if abs(tail.mean() - 1) < NEAR_ONE and values.min() > LOWEST_G:
        raise DiffsymError(
            f"{OTHER} but g(r), which tends to 1; convert it with the number density rho0 of "
            "atoms by G(r) = 4 pi rho0 r (g(r) - 1)"
        )
    if values[0] != 0 and (values[:CONSTANT] == values[0]).all():
        raise DiffsymError(_of_rmcprofile())
    return MeasuredPdf(
        r,
        values,
        q_max=q_max or None,
        q_min=q_min,
        q_damp=q_damp,
        radiation=radiation,
        program=program,
        repairs=(f"{missing} points without a number were left out",) if missing else (),
    )


def stated(heading: Sequence[str], key: str) -> float | None:
    """The number that a heading gives for a key, if it gives one only."""
    found = re.findall(rf"\b{key}\b{VALUE}", "\n".join(heading), re.IGNORECASE)
    numbers = set(map(float, found))
    return numbers.pop() if len(numbers) == 1 else None


def _check_columns(heading: Sequence[str]) -> None:
    """DiffsymError if the last line on columns names another function than G(r)."""
    named = [found[1] for line in heading if (found := COLUMNS.fullmatch(line.strip()))]
    if not named:
        return
    function = FUNCTION.search(named[-1])
    if not named[-1].startswith("r") or (function and function[1] != "G"):
        raise DiffsymError(
            f"{OTHER}: its columns are '{named[-1][:40].strip()}'; give r in A and G(r) in 1/A^2"
        )
    if re.match(r"r\s*[(\[]\s*nm", named[-1]):
        raise DiffsymError("the distances r are in nm; convert them to A, and G(r) to 1/A^2")


def _of_rmcprofile() -> str:
    return (
        f"{OTHER} but that of RMCProfile, constant below the first distance; divide it by minus "
        "this constant and multiply it by 4 pi rho0 r, with the number density rho0 of atoms"
    )
