"""Recovery of lines from noisy powder patterns, and its cost, against the bare wavelet transform.

Patterns of random structures are rendered with both K-alpha lines, noise, background, widths and
profiles drawn, for copper and molybdenum. The peer is `scipy.signal.find_peaks_cwt` on the pattern
as it is, which Ozaki et al. (2025) name: widths of 1 to 10 points, heights as intensities. Both
see the same patterns in one process and one thread; times are of the processor.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

import numpy as np
from scipy.signal import find_peaks_cwt

from diffsym.descriptors.cells import cells_of
from diffsym.descriptors.powder_noise import augmented_patterns, pattern_keys
from diffsym.experimental.peaks import Peaks, find_peaks, ideal_profile_of_peaks
from diffsym.files import write_json
from diffsym.scattering.ideal import bin_edges, ideal_profiles
from diffsym.scattering.powder import (
    CU_K_ALPHA_DOUBLET,
    MO_K_ALPHA_DOUBLET,
    lorentz_polarisation,
    two_theta_grid,
)
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import FWHM_PER_SIGMA, Floats, Lines, Radiation
from diffsym.settings.augmentation import Augmentation
from diffsym.tables import STRUCTURES, read_table

D_STAR_MIN, D_STAR_MAX, BINS = 0.1131, 1.0625, 10_001
EDGES = bin_edges(d_star_min=D_STAR_MIN, d_star_max=D_STAR_MAX, bins=BINS)
B_ISO = 2.0
# A line of this share of the largest area is strong; one is false if no line of the other share is
# within a full width at half maximum.
STRONG, VISIBLE = 0.05, 1e-3


class Instrument(NamedTuple):
    """Radiation, angles and standard deviations of the peaks, degrees."""

    radiation: Radiation
    two_theta: Floats
    sigma: tuple[float, float]


INSTRUMENTS = {
    "Cu": Instrument(CU_K_ALPHA_DOUBLET, two_theta_grid(), (0.02, 0.1)),
    "Mo": Instrument(
        MO_K_ALPHA_DOUBLET,
        two_theta_grid(two_theta_min=3.0, two_theta_max=45.0, two_theta_step=0.005),
        (0.01, 0.04),
    ),
}


def ours(instrument: Instrument, pattern: Floats) -> Peaks:
    """Background, doublet and overlap treated."""
    return find_peaks(instrument.two_theta, pattern, radiation=instrument.radiation)


def bare_transform(instrument: Instrument, pattern: Floats) -> Peaks:
    """Points that the wavelet transform returns, and the pattern there."""
    points = find_peaks_cwt(pattern, np.arange(1, 11))
    return Peaks(instrument.two_theta[points], pattern[points])


def recovery(instrument: Instrument, lines: Lines, peaks: Peaks) -> dict[str, Any]:
    """What was found of a crystal's lines: arrays of one value a line, or single numbers."""
    first, d_star, intensity = instrument.radiation.strongest, lines.d_star, lines.intensity
    angles = 2 * np.degrees(np.arcsin(first * d_star / 2))
    inside = (angles > instrument.two_theta[0]) & (angles < instrument.two_theta[-1])
    angles, d_star, intensity = angles[inside], d_star[inside], intensity[inside]
    area = intensity * factors(angles)
    fwhm = FWHM_PER_SIGMA * instrument.sigma[1]
    gaps = np.abs(angles[:, np.newaxis] - angles)
    others = np.where((gaps > 0) & (gaps < 2 * fwhm), area, 0).sum(axis=1)
    strong = area > STRONG * area.max()
    isolated = strong & (others < 0.02 * area)
    gaps = np.abs(angles[:, np.newaxis] - peaks.two_theta)
    found = gaps.min(axis=1) < fwhm / 2
    nearest = gaps.argmin(axis=1)[isolated & found]
    position = 2 * np.sin(np.radians(peaks.two_theta[nearest] / 2)) / first
    bin_width = EDGES[1] - EDGES[0]
    strength = peaks.area[nearest] / factors(peaks.two_theta[nearest])
    ideal = ideal_profiles(Lines.of_one(d_star, intensity), EDGES).toarray()[0]
    measured = ideal_profile_of_peaks(
        peaks, instrument.radiation, d_star_min=D_STAR_MIN, d_star_max=D_STAR_MAX, bins=BINS
    )
    return {
        "strong": found[strong],
        "isolated": found[isolated],
        "error_bins": np.abs(position - d_star[isolated & found]) / bin_width,
        "false": int((gaps[area > VISIBLE * area.max()].min(axis=0) > fwhm).sum()),
        "lines": len(peaks.two_theta),
        "correlation": (
            np.corrcoef(strength, intensity[isolated & found])[0, 1]
            if len(nearest) >= 5
            else np.nan
        ),
        "profile_correlation": np.corrcoef(ideal, measured)[0, 1],
    }


def factors(two_theta: Floats) -> Floats:
    """Lorentz-polarisation factor at each angle."""
    theta = np.radians(two_theta) / 2
    return np.array([lorentz_polarisation(np.sin(angle), np.cos(angle)) for angle in theta])


def measure(
    instrument: Instrument,
    patterns: Floats,
    lines: Lines,
    method: Callable[[Instrument, Floats], Peaks],
) -> dict[str, float]:
    """Recovery over all patterns, and the mean time of one."""
    method(instrument, patterns[0])  # compiles
    rows, seconds = [], 0.0
    for row, pattern in enumerate(patterns):
        start = time.process_time()
        peaks = method(instrument, pattern)
        seconds += time.process_time() - start
        rows.append(recovery(instrument, lines[row], peaks))
    errors = np.concatenate([row["error_bins"] for row in rows])
    return {
        "seconds": seconds / len(rows),
        "strong_found": float(np.concatenate([row["strong"] for row in rows]).mean()),
        "isolated_found": float(np.concatenate([row["isolated"] for row in rows]).mean()),
        "median_error_bins": float(np.median(errors)),
        "within_a_bin": float((errors < 1).mean()),
        "intensity_correlation": float(np.nanmedian([row["correlation"] for row in rows])),
        "profile_correlation": float(np.mean([row["profile_correlation"] for row in rows])),
        "lines": float(np.mean([row["lines"] for row in rows])),
        "false_lines": float(np.mean([row["false"] for row in rows])),
    }


def main() -> None:
    """Print the table and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--number", type=int, default=100, help="number of structures")
    parser.add_argument("--output", type=Path, default="results/benchmarks/peaks.json")
    arguments = parser.parse_args()

    table = read_table(arguments.structures, STRUCTURES)
    drawn = np.random.default_rng(0).permutation(table.num_rows)[: arguments.number]
    table = table.take(np.sort(drawn))
    lines = powder_reflections(cells_of(table), d_star_min=0.02, d_star_max=1.12, b_iso=B_ISO)
    report: dict[str, Any] = {"structures": len(lines)}
    for name, instrument in INSTRUMENTS.items():
        patterns = augmented_patterns(
            lines,
            instrument.two_theta,
            keys=pattern_keys(table["structure_id"].to_pylist(), seed=0, epoch=0),
            augmentation=Augmentation(sigma=instrument.sigma, eta=(0.2, 0.8)),
            radiation=instrument.radiation,
        ).astype(np.float64)
        report[name] = {}
        print(f"\n{name} K-alpha, {len(lines)} patterns of {patterns.shape[1]} points")
        for label, method in (("ours", ours), ("find_peaks_cwt", bare_transform)):
            report[name][label] = row = measure(instrument, patterns, lines, method)
            print(f"{label:15s} " + ", ".join(f"{key} {row[key]:.4g}" for key in row))
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
