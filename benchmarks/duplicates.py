"""Speed of our search for duplicates beside pymatgen's own grouping of the same blocks.

Both group all entries that the workflow parsed, by formula and space group, and must find the same
groups. Ours is timed with one process and with all cores, pymatgen's with one process.
"""

import argparse
import os
import time
from pathlib import Path

import pyarrow as pa
from pymatgen.core.structure_matcher import StructureMatcher

from diffsym.files import write_json
from diffsym.settings.duplicates import Duplicates
from diffsym.structures.duplicates import (
    COMPARED_COLUMNS,
    build_structure,
    make_blocks,
    remove_duplicates,
)
from diffsym.tables import STRUCTURES, read_table


def pymatgen_groups(structures: pa.Table) -> set[tuple[str, ...]]:
    """Groups of equal structures by `StructureMatcher.group_structures`, block by block."""
    matcher = StructureMatcher()
    compared = structures.select(COMPARED_COLUMNS)
    groups = set()
    for block in make_blocks(structures):
        rows = compared.take(block).to_pylist()
        built = [build_structure(row) for row in rows]
        names = {id(item): row["structure_id"] for item, row in zip(built, rows, strict=True)}
        for group in matcher.group_structures(built):
            groups.add(tuple(sorted(names[id(item)] for item in group)))
    return groups


def our_groups(structures: pa.Table, processes: int) -> set[tuple[str, ...]]:
    """Groups of equal structures by `remove_duplicates`."""
    unique, _ = remove_duplicates(structures, Duplicates(), processes=processes)
    return {tuple(sorted(members)) for members in unique["members"].to_pylist()}


def main() -> None:
    """Print the times and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures/amcsd")
    parser.add_argument("--output", type=Path, default="results/benchmarks/duplicates.json")
    arguments = parser.parse_args()

    shards = sorted(arguments.structures.glob("shard-*.parquet"))
    entries = pa.concat_tables(read_table(path, STRUCTURES) for path in shards)
    cores = len(os.sched_getaffinity(0))
    searches = {
        "pymatgen, one process": lambda: pymatgen_groups(entries),
        "ours, one process": lambda: our_groups(entries, 1),
        f"ours, {cores} processes": lambda: our_groups(entries, cores),
    }
    times, found = {}, []
    for name, search in searches.items():
        started = time.perf_counter()
        found.append(search())
        times[name] = time.perf_counter() - started
    if any(groups != found[0] for groups in found):
        raise SystemExit("the searches found different groups")

    peer = times["pymatgen, one process"]
    print(
        f"\n{entries.num_rows} entries, {len(found[0])} different structures, found by all searches"
    )
    print(f"{'':28s} seconds    ratio")
    for name, seconds in times.items():
        print(f"{name:28s}{seconds:8.1f} {peer / seconds:8.1f}")
    write_json(
        arguments.output,
        {"entries": entries.num_rows, "unique": len(found[0]), "seconds": times},
    )


if __name__ == "__main__":
    main()
