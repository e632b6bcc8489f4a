"""Search for patterns among known structures, against the cosine with all rendered patterns.

The patterns are those of random structures of a study, with a zero shift, noise and a background,
or measured ones of a NumPy archive (`--patterns`). Brute force renders the pattern of every
structure at the angles of the measurement, raises it to the same power and takes the cosine at
every zero shift by one matrix product. Everything runs in one thread.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
import pyarrow as pa

from diffsym.files import write_json
from diffsym.identification.known import read_known
from diffsym.identification.preparation import prepared_stages
from diffsym.identification.search import POWER, SIGMA, ZERO_SHIFTS, prepare, search
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_patterns
from diffsym.scattering.types import Floats, Lines, Radiation, Reals
from diffsym.study.layout import Layout
from diffsym.tables import REFLECTIONS, read_table

ANGLES = np.arange(10.0, 90.0, 0.02)
AT_ONCE = 500
"""Structures that are rendered together."""


def lines_of_study(results: Path) -> Lines:
    """Lines of all structures."""
    layout = Layout(str(results))
    tables: list[pa.Table] = []
    while Path(layout.reflections(len(tables))).exists():
        tables.append(read_table(layout.reflections(len(tables)), REFLECTIONS))
    table = pa.concat_tables(tables)
    lists = table["d_star"].combine_chunks()
    return Lines(
        lists.values.to_numpy(),
        table["intensity"].combine_chunks().values.to_numpy().astype(float),
        lists.offsets.to_numpy().astype(np.int64),
    )


def made_patterns(lines: Lines, count: int) -> Iterator[tuple[Floats, Floats]]:
    """Patterns of random structures as a diffractometer may show them."""
    generator = np.random.default_rng(0)
    for row in generator.choice(len(lines), count, replace=False):
        [curve] = powder_patterns(
            lines,
            ANGLES - generator.uniform(-0.1, 0.1),
            shape=PeakShape.gaussian(generator.uniform(0.03, 0.1)),
            radiation=CU_K_ALPHA_DOUBLET,
            rows=[row],
        )
        if np.isfinite(curve).all():
            counts = 5000 * curve + 50 + 200 * np.exp(-ANGLES / 20)
            yield ANGLES, generator.poisson(counts).astype(float)


def archived_patterns(path: Path, count: int) -> Iterator[tuple[Floats, Floats]]:
    """The first patterns of an archive."""
    with np.load(path) as archive:
        for intensity in archive["intensity"][:count]:
            yield archive["two_theta"], intensity.astype(float)


def brute_force(lines: Lines, two_theta: Floats, intensity: Floats) -> Reals:
    """Highest cosine of a pattern with that of each structure."""
    radiation = Radiation.of(CU_K_ALPHA_DOUBLET.strongest)
    measured = prepared_stages(two_theta, intensity, CU_K_ALPHA_DOUBLET).heights ** POWER
    step = two_theta[1] - two_theta[0]
    shifted = np.stack(
        [np.roll(measured, -round(shift / step)) for shift in ZERO_SHIFTS], axis=1
    ).astype(np.float32)
    shifted /= np.linalg.norm(measured)
    best = np.empty(len(lines), np.float32)
    for first in range(0, len(lines), AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, len(lines)))
        patterns = powder_patterns(
            lines,
            two_theta,
            # Of the width SIGMA once it is raised to the power.
            shape=PeakShape.gaussian(SIGMA * POWER**0.5),
            radiation=radiation,
            rows=rows,
            b_iso=1.0,
        )
        patterns = np.nan_to_num(patterns) ** POWER
        norms = np.maximum(np.linalg.norm(patterns, axis=1), 1e-30)
        best[rows] = (patterns @ shifted).max(axis=1) / norms
    return best


def main() -> None:
    """Compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, default=Path("results"))
    parser.add_argument("--patterns", type=Path, help="archive with two_theta and intensity")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks/search.json"))
    arguments = parser.parse_args()
    known, lines = read_known(arguments.study), lines_of_study(arguments.study)
    patterns = list(
        archived_patterns(arguments.patterns, arguments.count)
        if arguments.patterns
        else made_patterns(lines, arguments.count)
    )
    search(prepare(*patterns[0], CU_K_ALPHA_DOUBLET), known.lines)  # compiles
    seconds = np.zeros(3)
    same_structure = same_group = 0
    for two_theta, intensity in patterns:
        times = [time.perf_counter()]
        prepared = prepare(two_theta, intensity, CU_K_ALPHA_DOUBLET)
        times.append(time.perf_counter())
        ours = search(prepared, known.lines).score.argmax()
        times.append(time.perf_counter())
        theirs = brute_force(lines, two_theta, intensity).argmax()
        times.append(time.perf_counter())
        seconds += np.diff(times)
        same_structure += ours == theirs
        same_group += known.space_groups[ours] == known.space_groups[theirs]
    prepare_s, search_s, brute_s = seconds / len(patterns)
    result = {
        "structures": len(lines),
        "lines": len(known.lines.places),
        "patterns": len(patterns),
        "prepare_seconds": prepare_s,
        "search_seconds": search_s,
        "brute_force_seconds": brute_s,
        "ratio": brute_s / search_s,
        "same_first_structure": same_structure / len(patterns),
        "same_first_group": same_group / len(patterns),
    }
    for key, value in result.items():
        print(f"{key:22s} {value:.4g}")
    write_json(arguments.output, result)


if __name__ == "__main__":
    main()
