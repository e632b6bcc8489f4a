"""Ideal profiles: from the structures table to Parquet, against pymatgen; bytes and feeding rates.

Everything runs in one thread. Ours is the time for all structures, shard by shard as the workflow
has them: reading the table, reflections, bins and writing. pymatgen gets random structures of at
most 200 scatterers in the conventional cell; building its structure objects is not counted, and it
writes nothing. Both compute from primitive cells, with B = 2 A^2, without compilation.

The same profiles are then stored sparse and dense, and taken in batches as a training does.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from powder import WAVELENGTH, of_pattern, pymatgen_structure, read_cells
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Element, Structure
from scipy.sparse import csr_array

from diffsym.datasets.feeding import Partition, open_partitions
from diffsym.datasets.splits import make_split
from diffsym.descriptors import ideal, reflections
from diffsym.files import write_json
from diffsym.models.batches import shuffled
from diffsym.scattering.ideal import bin_edges, ideal_profiles
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import LARGEST_ATOMIC_NUMBER, Cells, Lines
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.reflections import Reflections
from diffsym.settings.splits import DrawnSplit
from diffsym.tables import (
    SPLIT,
    STRUCTURES,
    descriptor_table,
    descriptor_values,
    open_table,
    read_table,
    sparse_descriptor_schema,
    write_batches,
    write_table,
)

BINS = {"d_star_min": 0.1131, "d_star_max": 1.0625, "bins": 10_001}
B_ISO = 2.0
LINES = {"d_star_min": 0.01, "d_star_max": 1.0625, "radiation": "xray"}
BATCH = 64


def profiles_of(structures: pa.Table) -> pa.Table:
    """Descriptor table of some structures."""
    lines = reflections.compute(structures, Reflections(**LINES))
    described = ideal.compute(lines, Ideal(kind="ideal", b_iso=B_ISO, **BINS))
    return described.tables(structures["structure_id"], "ideal")[0]


def write_profiles(structures: Path, target: Path) -> None:
    """Structures table to descriptor table, one row group at a time."""
    with open_table(structures, STRUCTURES) as file:
        shards = (profiles_of(file.read_row_group(k)) for k in range(file.num_row_groups))
        write_batches(shards, target, sparse_descriptor_schema(BINS["bins"]))


def pymatgen_profile(calculator: XRDCalculator, structure: Structure) -> csr_array:
    """The same profile by pymatgen: its pattern without Lorentz and polarisation, in bins."""
    edges = bin_edges(**BINS)
    limits = 2 * np.degrees(np.arcsin(WAVELENGTH * edges[[0, -1]] / 2))
    pattern = calculator.get_pattern(structure, scaled=False, two_theta_range=tuple(limits))
    d_star, intensity = of_pattern(pattern)
    return ideal_profiles(Lines.of_one(d_star, intensity), edges)


def cosine(one: csr_array, other: csr_array) -> float:
    """Cosine of the angle between two profiles, 1 if they are the same."""
    lengths = np.sqrt((one.data**2).sum() * (other.data**2).sum())
    return float((one * other).sum() / lengths)


def against_pymatgen(path: Path, number: int) -> dict[str, float]:
    """Time of a profile by pymatgen, and its likeness to ours."""
    symbols = [Element.from_Z(z).symbol for z in range(1, LARGEST_ATOMIC_NUMBER + 1)]
    calculator = XRDCalculator(WAVELENGTH, debye_waller_factors=dict.fromkeys(symbols, B_ISO))
    cells = read_cells(path, number, "")
    structures = [pymatgen_structure(cell) for cell in cells]
    started = time.process_time()
    theirs = [pymatgen_profile(calculator, structure) for structure in structures]
    seconds = time.process_time() - started
    likeness = []
    for cell, profile in zip(cells, theirs, strict=True):
        lines = powder_reflections(Cells.of_one(*cell[:4]), **LINES)
        ours = ideal_profiles(lines, bin_edges(**BINS), b_iso=B_ISO)
        likeness.append(cosine(ours, profile))
    return {
        "structures": len(cells),
        "structures_per_second": len(cells) / seconds,
        "median_cosine": float(np.median(likeness)),
    }


def stored_forms(table: pa.Table) -> dict[str, pa.Table]:
    """A sparse descriptor table, and the same values dense and in half precision."""
    dense = csr_array(descriptor_values(table)).toarray()
    halves = pa.array(pc.list_flatten(table["values"]).to_numpy().astype(np.float16))
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(table["bins"]).to_numpy())])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), halves)
    names = table["structure_id"]
    return {
        "sparse": table,
        "sparse, float16": table.set_column(
            2, pa.field("values", lists.type, nullable=False), lists
        ),
        "dense": descriptor_table(names, dense),
        "dense, float16": descriptor_table(names, dense.astype(np.float16)),
    }


def bytes_per_structure(profiles: Path, folder: Path) -> dict[str, float]:
    """Size on disk of each form, divided by the number of structures; writes them to a folder."""
    sizes = {}
    with open_table(profiles) as file:
        forms = stored_forms(file.read_row_group(0))
        for name, form in forms.items():
            batches = (
                stored_forms(file.read_row_group(k))[name] for k in range(file.num_row_groups)
            )
            write_batches(batches, folder / name, form.schema)
            sizes[name] = (folder / name).stat().st_size / file.metadata.num_rows
    return sizes


def mapped_bytes(part: Partition) -> int:
    """Size of the arrays that hold the descriptors of a part."""
    features = part.features
    arrays = [features.data, features.indices] if isinstance(features, csr_array) else [features]
    return sum(array.nbytes for array in arrays)


def feeding(descriptor: Path, split: Path, classes: list[int]) -> dict[str, float]:
    """Seconds to open a table for a training, bytes of its maps, and profiles taken a second."""
    started = time.perf_counter()
    parts = open_partitions(descriptor, split, classes)
    opened = time.perf_counter() - started
    mapped = sum(map(mapped_bytes, parts.values()))
    train = parts["train"]
    order = shuffled(len(train), seed=0, epoch=1)
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    seconds = []
    for _ in range(4):  # the first is not counted: files are read
        started = time.perf_counter()
        for rows in batches:
            train.take(rows)
        seconds.append(time.perf_counter() - started)
    return {
        "seconds_to_open": opened,
        "bytes_per_structure": mapped / sum(map(len, parts.values())),
        "structures_per_second": len(train) / min(seconds[1:]),
    }


def measure(structures: Path, number: int) -> dict[str, Any]:
    """All numbers."""
    with open_table(structures, STRUCTURES) as file:
        n = file.metadata.num_rows
        profiles_of(file.read_row_group(0).slice(0, 5))  # compiles
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target = folder / "profiles"
        started = time.process_time()
        write_profiles(structures, target)
        rate = n / (time.process_time() - started)
        table = read_table(structures, STRUCTURES)
        rule = DrawnSplit(kind="stratified", test_fraction=0.05, validation_fraction=0.05, folds=2)
        split, _ = make_split(table, rule, {})
        write_table(split, folder / "split", SPLIT)
        classes = sorted(set(split["space_group"].to_pylist()))
        theirs = against_pymatgen(structures, number)
        values = read_table(target)["values"]
        halves = pc.list_flatten(values).to_numpy().astype(np.float16)
        return {
            "structures": n,
            "lines": len(halves) / n,
            "structures_per_second": rate,
            "pymatgen": theirs,
            "times_pymatgen": rate / theirs["structures_per_second"],
            "lost_in_half_precision": float((halves == 0).mean()),
            "bytes_per_structure": bytes_per_structure(target, folder),
            "feeding": {
                form: feeding(folder / form, folder / "split", classes)
                for form in ("sparse", "dense")
            },
        }


def print_report(report: dict[str, Any]) -> None:
    """Print the numbers as text."""
    theirs = report["pymatgen"]
    print(
        f"{report['structures']} structures, {report['lines']:.0f} bins of each are not empty\n"
        f"structures table to Parquet: {report['structures_per_second']:.0f} structures/s\n"
        f"pymatgen, {theirs['structures']} structures: {theirs['structures_per_second']:.1f}/s; "
        f"ratio {report['times_pymatgen']:.0f}; median cosine {theirs['median_cosine']:.5f}\n"
        f"lost in half precision: {report['lost_in_half_precision']:.1e} of the bins\n"
    )
    for form, size in report["bytes_per_structure"].items():
        print(f"{form:18s}{size:8.0f} bytes a structure on disk")
    for form, row in report["feeding"].items():
        print(
            f"{form:8s} opened in {row['seconds_to_open']:.2f} s, {row['bytes_per_structure']:.0f} "
            f"bytes a structure mapped, {row['structures_per_second']:.0f} structures/s taken"
        )


def main() -> None:
    """Print the numbers and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--number", type=int, default=200, help="structures given to pymatgen")
    parser.add_argument("--output", type=Path, default="results/benchmarks/ideal.json")
    arguments = parser.parse_args()

    report = measure(arguments.structures, arguments.number)
    print_report(report)
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
