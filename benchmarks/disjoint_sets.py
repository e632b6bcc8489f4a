"""Speed of finding profiles whose peaks another profile has, beside comparing all pairs.

Profiles of one group are made from structures of the workflow: each is that of one of them in a
cell that is larger or smaller by some percent, as isotypes are, or nearly the same, as repeated
measurements are. The plain way multiplies the matrix of peaks with that of bins near peaks; both,
in one thread, must find the same profiles. Then ours alone goes through a group of 10 000.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffsym.datasets.disjoint_sets import covered
from diffsym.descriptors import reflections
from diffsym.descriptors.lines import lines_of
from diffsym.files import write_json
from diffsym.scattering.ideal import bin_edges, ideal_profiles
from diffsym.settings.reflections import Reflections
from diffsym.tables import STRUCTURES, read_table

TOLERANCE_BINS = 5
LINES = Reflections(d_star_min=0.1)
BINS = {"d_star_min": 0.1131, "d_star_max": 1.0625, "bins": 10_001}
# Share of repeated measurements; standard deviations of their and of isotypes' cell lengths.
REPEATED = 0.3
REPEATED_STRAIN = 0.0003
ISOTYPE_STRAIN = 0.03


def group_of_profiles(lines: pa.Table, n: int, seed: int) -> csr_array:
    """Peaks of `n` profiles of isotypes and of repeated measurements, (n, bins)."""
    generator = np.random.default_rng(seed)
    rows = lines.take(np.sort(generator.integers(0, lines.num_rows, n)))
    repeated = generator.random(n) < REPEATED
    strain = generator.normal(size=n) * np.where(repeated, REPEATED_STRAIN, ISOTYPE_STRAIN)
    lines = lines_of(rows)
    d_star = lines.d_star / (1 + np.repeat(strain, np.diff(lines.offsets)))
    profiles = ideal_profiles(replace(lines, d_star=d_star), bin_edges(**BINS), b_iso=2.0)
    return csr_array(profiles > 0)


def covered_by_products(peaks: csr_array) -> NDArray[np.bool_]:
    """Profiles all of whose peaks are near peaks of another one, from the product of matrices."""
    at_peak = peaks.toarray().astype(np.float32)
    near = at_peak.copy()
    for shift in range(1, TOLERANCE_BINS + 1):
        near[:, shift:] = np.maximum(near[:, shift:], at_peak[:, :-shift])
        near[:, :-shift] = np.maximum(near[:, :-shift], at_peak[:, shift:])
    covers = at_peak @ near.T == at_peak.sum(axis=1, keepdims=True)
    np.fill_diagonal(covers, val=False)
    return covers.any(axis=1)


def covered_by_ours(peaks: csr_array) -> NDArray[np.bool_]:
    """The same from `diffsym.datasets.disjoint_sets`."""
    return covered(peaks, np.arange(peaks.shape[0]), tolerance_bins=TOLERANCE_BINS)


def timed(
    search: Callable[[csr_array], NDArray[np.bool_]], peaks: csr_array
) -> tuple[NDArray[np.bool_], float]:
    """What a search finds, and how many seconds it takes."""
    started = time.perf_counter()
    found = search(peaks)
    return found, time.perf_counter() - started


def main() -> None:
    """Print the times and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--sample", type=int, default=1000, help="structures that profiles are of")
    parser.add_argument("--output", type=Path, default="results/benchmarks/disjoint_sets.json")
    parser.add_argument("--compared", type=int, default=3000, help="profiles compared both ways")
    parser.add_argument("--profiles", type=int, default=10_000, help="profiles compared by ours")
    arguments = parser.parse_args()

    structures = read_table(arguments.structures, STRUCTURES)
    generator = np.random.default_rng(0)
    sample = np.sort(generator.permutation(structures.num_rows)[: arguments.sample])
    lines = reflections.compute(structures.take(sample), LINES)

    small, large = (
        group_of_profiles(lines, n, seed=1) for n in (arguments.compared, arguments.profiles)
    )
    found, seconds = timed(covered_by_ours, small)
    expected, plain_seconds = timed(covered_by_products, small)
    if (found != expected).any():
        raise SystemExit("the searches found different profiles")
    found_large, large_seconds = timed(covered_by_ours, large)

    print(f"{'profiles':>10s} {'covered':>8s} {'ours':>9s} {'products':>9s} {'ratio':>6s}")
    print(
        f"{len(found):10d} {found.sum():8d} {seconds:7.2f} s {plain_seconds:7.2f} s "
        f"{plain_seconds / seconds:6.1f}"
    )
    print(f"{len(found_large):10d} {found_large.sum():8d} {large_seconds:7.2f} s")
    write_json(
        arguments.output,
        {
            "compared": {
                "profiles": len(found),
                "covered": int(found.sum()),
                "seconds": seconds,
                "seconds_of_products": plain_seconds,
                "ratio": plain_seconds / seconds,
            },
            "group": {
                "profiles": len(found_large),
                "covered": int(found_large.sum()),
                "peaks": int(large.nnz),
                "seconds": large_seconds,
            },
        },
    )


if __name__ == "__main__":
    main()
