"""Speed of finding profiles whose peaks another profile has, beside comparing all pairs.

Profiles of one group are made from the reflections that the workflow computed: each is the profile
of some structure in a cell that is larger or smaller by some percent, as isotypes are, or nearly the
same, as repeated measurements are. The plain way multiplies the matrix of peaks with that of bins
near peaks; both ways must find the same profiles. Then ours goes through 10 000 profiles.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffsym.datasets.disjoint_sets import covered
from diffsym.descriptors.ideal import compute
from diffsym.descriptors.lines import flat_lines
from diffsym.files import write_json
from diffsym.tables import REFLECTIONS, read_table

TOLERANCE_BINS = 5
PROFILE = {"d_star_min": 0.1131, "d_star_max": 1.0625, "bins": 10_001, "b_iso": 2.0}
# Share of repeated measurements, and the standard deviations of their and of isotypes' cell lengths.
REPEATED = 0.3
REPEATED_STRAIN = 0.0003
ISOTYPE_STRAIN = 0.03


def group_of_profiles(reflections: pa.Table, n: int, seed: int) -> csr_array:
    """Peaks of `n` profiles of isotypes and of repeated measurements, (n, bins)."""
    generator = np.random.default_rng(seed)
    rows = reflections.take(np.sort(generator.integers(0, reflections.num_rows, n)))
    repeated = generator.random(n) < REPEATED
    strain = generator.normal(size=n) * np.where(repeated, REPEATED_STRAIN, ISOTYPE_STRAIN)
    offsets, d_star, intensity = flat_lines(rows)
    d_star = d_star / (1 + np.repeat(strain, np.diff(offsets)))
    starts = pa.array(offsets, pa.int32())
    for name, values in (("d_star", d_star), ("intensity", intensity)):
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(
            place, rows.schema.field(name), pa.ListArray.from_arrays(starts, pa.array(values))
        )
    profiles, _ = compute(rows, **PROFILE)
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


def main() -> None:
    """Print the times and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reflections", type=Path, default="results/reflections")
    parser.add_argument("--output", type=Path, default="results/benchmarks/disjoint_sets.json")
    parser.add_argument("--compared", type=int, default=3000, help="profiles compared both ways")
    parser.add_argument("--profiles", type=int, default=10_000, help="profiles compared by ours")
    arguments = parser.parse_args()

    shards = sorted(arguments.reflections.glob("shard-*.parquet"))
    if not shards:
        raise SystemExit(f"{arguments.reflections}: no reflections; run the workflow first")
    reflections = pa.concat_tables(read_table(path, REFLECTIONS) for path in shards)

    def ours(peaks: csr_array) -> NDArray[np.bool_]:
        return covered(peaks, np.arange(peaks.shape[0]), tolerance_bins=TOLERANCE_BINS)

    def timed(search, peaks):
        started = time.perf_counter()
        found = search(peaks)
        return found, time.perf_counter() - started

    small, large = (
        group_of_profiles(reflections, n, seed=1)
        for n in (arguments.compared, arguments.profiles)
    )
    found, seconds = timed(ours, small)
    expected, plain_seconds = timed(covered_by_products, small)
    if (found != expected).any():
        raise SystemExit("the searches found different profiles")
    found_large, large_seconds = timed(ours, large)

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
