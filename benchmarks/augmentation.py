"""Speed of augmented powder patterns, ours and as they would plainly be written with NumPy.

Both make such patterns of the same random structures in the same run: Gaussian peaks, then
background and noise after appendix A of Vecsei et al. (2019). The plain way takes each peak within
five standard deviations by numpy.exp and each function of the background at all angles. What is
compared is wall time, on one core and by a pool of threads on all of them. Lines are computed
once, before, as in the workflow. Last come the sizes of patterns that are stored instead.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diffsym.descriptors.cells import cells_of
from diffsym.descriptors.powder_noise import augmented_patterns, pattern_keys
from diffsym.files import write_json
from diffsym.scattering.powder import CU_K_ALPHA, PeakShape, powder_patterns, two_theta_grid
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import Floats, Lines
from diffsym.settings.augmentation import Augmentation
from diffsym.tables import STRUCTURES, fixed_size_rows, read_table

GRID = two_theta_grid()
AUGMENTATION = Augmentation()
AUGMENTATIONS = {
    "recipe of the paper": AUGMENTATION,
    "pseudo-Voigt peaks of all kinds": replace(AUGMENTATION, eta=(0.0, 1.0)),
}
# Sparse patterns leave out what is below the noise of the augmentation.
SMALLEST_KEPT = 1e-3
BATCH = 64
# Peaks up to a degree beyond the range reach into it.
D_STAR_LIMITS = {
    "d_star_min": 2 * np.sin(np.radians((GRID[0] - 1) / 2)) / CU_K_ALPHA.mean,
    "d_star_max": 2 * np.sin(np.radians((GRID[-1] + 1) / 2)) / CU_K_ALPHA.mean,
}


def read_reflections(path: Path, number: int, seed: int = 0) -> tuple[list[str], Lines]:
    """Identifiers and reflections of structures drawn at random."""
    table = read_table(path, STRUCTURES)
    drawn = np.random.default_rng(seed).permutation(table.num_rows)[:number]
    table = table.take(np.sort(drawn))
    return table["structure_id"].to_pylist(), powder_reflections(cells_of(table), **D_STAR_LIMITS)


def truncated_normal(generator: np.random.Generator, mean: float, deviation: float) -> float:
    """A number of a normal distribution between 0 and 1, drawn until it fits."""
    while True:
        value = generator.normal(mean, deviation)
        if 0 <= value <= 1:
            return value


def plain_pattern(d_star: Floats, intensity: Floats, generator: np.random.Generator) -> Floats:
    """One augmented pattern with NumPy alone."""
    sine = CU_K_ALPHA.mean * d_star / 2
    theta = np.arcsin(sine)
    areas = intensity * (1 + np.cos(2 * theta) ** 2) / (sine**2 * np.cos(theta))
    sigma = generator.uniform(*AUGMENTATION.sigma)
    pattern = np.zeros(len(GRID))
    firsts = np.searchsorted(GRID, np.degrees(2 * theta) - 5 * sigma)
    lasts = np.searchsorted(GRID, np.degrees(2 * theta) + 5 * sigma)
    for centre, area, first, last in zip(np.degrees(2 * theta), areas, firsts, lasts, strict=True):
        pattern[first:last] += area * np.exp(-(((GRID[first:last] - centre) / sigma) ** 2) / 2)
    pattern /= pattern.max()
    return pattern + plain_background(generator) + generator.uniform(*AUGMENTATION.noise, len(GRID))


def plain_background(generator: np.random.Generator) -> Floats:
    """Sum of the functions of appendix A."""
    x = (GRID - GRID[0]) / (GRID[-1] - GRID[0])
    rise, fall, curve, hump = generator.random(4) < 0.5
    threshold = 0.1 / max(rise + fall + curve + hump, 1)
    background = np.zeros(len(GRID))
    for step, position in ((rise, (0, 1 / 7)), (fall, (6 / 7, 1))):
        if step:
            height = threshold * truncated_normal(generator, 1 / 3, 1 / 7)
            falling = 1 / (
                1 + np.exp(generator.uniform(10, 60) * (x - generator.uniform(*position)))
            )
            background += height * (falling if position[0] == 0 else 1 - falling)
    if curve:
        size = generator.integers(0, 5) + 1
        coefficients = 1.5 * threshold / size * generator.uniform(-1, 1, size)
        coefficients[generator.random(size) < 0.5] = 0
        background += np.abs(np.polyval(coefficients, x))
    if hump:
        height = 0.6 * threshold * truncated_normal(generator, 2 / 3, 1 / 7)
        steep = generator.uniform(40, 70) * x
        background += height * steep**2 * np.exp(-steep)
    return background


def plainly(reflections: Lines) -> None:
    """All structures once, with NumPy alone."""
    generator = np.random.default_rng(0)
    for row in range(len(reflections)):
        lines = reflections[row]
        plain_pattern(lines.d_star, lines.intensity, generator)


def augmented(
    names: list[str], reflections: Lines, *, threads: int, augmentation: Augmentation
) -> None:
    """All structures once, in batches, each a task of a pool of threads."""

    def batch(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        keys = pattern_keys([names[row] for row in rows], seed=0, epoch=0)
        return augmented_patterns(
            reflections, GRID, keys=keys, augmentation=augmentation, rows=rows
        )

    batches = np.split(np.arange(len(names)), np.arange(BATCH, len(names), BATCH))
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(batch, batches):
            pass


def rate(function: Callable[[], None], number: int, repetitions: int) -> float:
    """Patterns a second: the best of a few repetitions, the first of which may compile."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return number / min(times)


def stored_tables(reflections: Lines) -> dict[str, pa.Table]:
    """Static patterns, peaks of sigma 0.05 degrees, in several forms."""
    patterns = powder_patterns(reflections, GRID, shape=PeakShape.gaussian(0.05))
    half = patterns.astype(np.float16)
    kept = half >= SMALLEST_KEPT
    per_pattern = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return {
        "float32": pa.table({"descriptor": fixed_size_rows(patterns)}),
        "float16": pa.table({"descriptor": fixed_size_rows(half)}),
        f"float16, values from {SMALLEST_KEPT} with their places": pa.table(
            {
                "place": ragged(np.nonzero(kept)[1].astype(np.uint16), per_pattern),
                "value": ragged(half[kept], per_pattern),
            }
        ),
        "reflections, float32": pa.table(
            {
                "d_star": ragged(reflections.d_star.astype(np.float32), reflections.offsets),
                "intensity": ragged(reflections.intensity.astype(np.float32), reflections.offsets),
            }
        ),
    }


def ragged(values: NDArray, offsets: NDArray[np.int64]) -> pa.ListArray:
    """Arrow column of lists that stand behind one another."""
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def bytes_on_disk(table: pa.Table) -> float:
    """Size of a row as zstd-compressed Parquet, as all tables of the workflow are."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue().size / table.num_rows


def main() -> None:
    """Print the rates and sizes and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--number", type=int, default=512, help="number of structures")
    parser.add_argument("--output", type=Path, default="results/benchmarks/augmentation.json")
    arguments = parser.parse_args()

    names, reflections = read_reflections(arguments.structures, arguments.number)
    n, cores = len(names), len(os.sched_getaffinity(0))
    lines = np.diff(reflections.offsets)
    print(f"{n} structures, mean {lines.mean():.0f} and median {np.median(lines):.0f} reflections")
    rates = {"numpy, plainly, 1 core": rate(lambda: plainly(reflections), n, 2)}
    for label, augmentation in AUGMENTATIONS.items():
        for threads in sorted({1, cores}):
            rates[f"ours, {label}, {threads} core(s)"] = rate(
                partial(augmented, names, reflections, threads=threads, augmentation=augmentation),
                n,
                6,
            )
    for name, value in rates.items():
        print(f"{name:60s}{value:8.0f} patterns/s")
    tables = stored_tables(reflections)
    sizes = {name: bytes_on_disk(table) for name, table in tables.items()}
    for name, size in sizes.items():
        print(f"{name:60s}{size:8.0f} bytes a structure")
    report = {"structures": n, "cores": cores, "patterns_per_second": rates, "bytes": sizes}
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
