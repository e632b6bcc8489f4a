"""Powder CIF, by gemmi: angles as a list or as a range, intensities as they were measured."""

import re

import gemmi
import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, chosen, decoded
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.scattering.types import Wavelength

# Measured ones first, with the background.
INTENSITIES = (
    "_pd_meas_counts_total",
    "_pd_meas_intensity_total",
    "_pd_proc_intensity_total",
    "_pd_meas_counts_net",
    "_pd_meas_intensity_net",
    "_pd_proc_intensity_net",
)
CALCULATED = ("_pd_calc_intensity_total", "_pd_calc_intensity_net")
ANGLES = ("_pd_meas_2theta_scan", "_pd_proc_2theta_corrected")
RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")
TIMES = ("_pd_meas_time_of_flight",)
LENGTH, WEIGHT = "_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_wt"
RADIATION = ("_diffrn_radiation_probe", "_diffrn_radiation_type", "_diffrn_source")
NEUTRONS = re.compile(r"neutron|nuclear|spallation", re.IGNORECASE)


def read(content: bytes, scan: str | None = None) -> MeasuredPattern:
    """Read a block with a measured pattern, by default the first."""
    document = gemmi.cif.read_string(decoded(content).replace("\0", " "))
    _check_radiation(document)
    blocks = [block for block in document if _first(block, INTENSITIES).size]
    if not blocks:
        if any(_first(block, CALCULATED).size for block in document):
            raise DiffsymError("the file holds a calculated pattern only; give a measured one")
        raise DiffsymError("the file holds no powder pattern; give the one that has it")
    names = tuple(block.name for block in blocks)
    number = chosen(names, scan)
    block = blocks[number]
    intensity = _first(block, INTENSITIES)
    angles = _angles(block, len(intensity))
    known = np.isfinite(angles) & np.isfinite(intensity)
    missing = len(known) - int(known.sum())
    return assembled(
        angles[known],
        intensity[known],
        wavelength=_wavelength(block, document),
        repairs=(f"{missing} points without a number were left out",) if missing else (),
        scans=names,
        scan=number,
    )


def _check_radiation(document: gemmi.cif.Document) -> None:
    """DiffsymError if the pattern is one of neutrons."""
    for block in document:
        words = [word for tag in RADIATION for word in block.find_values(tag)]
        if any(map(NEUTRONS.search, words)) or any(block.find_values(tag) for tag in TIMES):
            raise DiffsymError("this is a pattern of neutrons; give one of X-rays")


def _first(block: gemmi.cif.Block, tags: tuple[str, ...]) -> NDArray[np.float64]:
    """Numbers of the first column that has any; NaN for one without a value."""
    for tag in tags:
        column = np.array([gemmi.cif.as_number(word) for word in block.find_loop(tag)])
        if np.isfinite(column).any():
            return column
    return np.array([])


def _angles(block: gemmi.cif.Block, n: int) -> NDArray[np.float64]:
    """2theta of n points; of a range the ends count, for the step is rounded."""
    listed = _first(block, ANGLES)
    if listed.size:
        if len(listed) != n:
            raise DiffsymError(f"{len(listed)} angles and {n} intensities do not fit; correct it")
        return listed
    for name in RANGES:
        first, last = (
            gemmi.cif.as_number(block.find_value(f"{name}_{end}") or "?") for end in ("min", "max")
        )
        if np.isfinite([first, last]).all():
            step = gemmi.cif.as_number(block.find_value(f"{name}_inc") or "?")
            if np.isfinite(step) and abs(step * (n - 1) - (last - first)) > 0.02 * (last - first):
                raise DiffsymError(
                    f"{n} points do not fit the range from {first:g} to {last:g} in steps of "
                    f"{step:g}; correct it"
                )
            return np.linspace(first, last, n)
    raise DiffsymError("the file does not say 2theta of its points; add them")


def _wavelength(block: gemmi.cif.Block, document: gemmi.cif.Document) -> Wavelength | None:
    """Lines of the block, or of the only other one that states any."""
    own = _lines(block)
    others = {lines for other in document if (lines := _lines(other))}
    lines = own or (others.pop() if len(others) == 1 else ())
    return lines[0][0] if len(lines) == 1 else lines or None


def _lines(block: gemmi.cif.Block) -> tuple[tuple[float, float], ...]:
    """Wavelengths, A, with their weights."""
    lengths = [gemmi.cif.as_number(word) for word in block.find_values(LENGTH)]
    weights = [gemmi.cif.as_number(word) for word in block.find_values(WEIGHT)]
    if len(lengths) == 1:
        weights = [1.0]
    pairs = list(zip(lengths, weights, strict=True)) if len(weights) == len(lengths) else []
    return tuple(pair for pair in pairs if all(np.isfinite(pair)) and min(pair) > 0)
