"""Speed and agreement of our pair distribution functions and those of diffpy.pdffit2.

Both engines get the same random structures, cells and settings, in one process and one thread:
first the conventional cells, which databases hold, then the primitive ones, which favour pdffit2.
What is counted is processor time, which a busy machine disturbs less, without compilation and
without building pdffit2's structure object. pdffit2 lacks q_min, so that it is 0.
"""

import argparse
import io
import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
import pyarrow.compute as pc
import spglib
from diffpy.pdffit2 import PdfFit, redirect_stdout
from diffpy.structure import Atom, Lattice, Structure
from pymatgen.core import Element

from diffsym.descriptors.cells import cells_of, conventional_cells_of
from diffsym.files import write_json
from diffsym.scattering.pdf import pair_distribution_functions
from diffsym.scattering.types import Cells, Floats
from diffsym.tables import STRUCTURES, read_table

# Liu et al. (2019)
SETTINGS = {"q_min": 0.0, "q_max": 23.0, "u_iso": 0.008, "q_damp": 0.04, "q_broad": 0.01}
R_GRID = np.pi / 23 * np.arange(11, 220)
LARGEST_CELL = 200


def read_cells(path: Path, number: int, seed: int = 0) -> tuple[Cells, Cells]:
    """Conventional and primitive cells of structures with at most 200 scatterers, drawn."""
    table = read_table(path, STRUCTURES)
    sizes = pc.list_value_length(table["conventional_atomic_numbers"]).to_numpy()
    small = np.flatnonzero(sizes <= LARGEST_CELL)
    drawn = np.sort(np.random.default_rng(seed).permutation(small)[:number])
    table = table.take(drawn)
    return conventional_cells_of(table), cells_of(table)


def one_by_one(cells: Cells) -> list[Cells]:
    """Each structure alone, without its orbits."""
    return [replace(cells[row], orbits=None) for row in range(len(cells))]


def pdffit2_structure(cell: Cells) -> Structure:
    """The structure in the form of diffpy."""
    atoms = [
        Atom(Element.from_Z(int(number)).symbol, position, occupancy=occupancy)
        for number, position, occupancy in zip(
            cell.atomic_numbers, cell.frac_coords, cell.occupancies, strict=True
        )
    ]
    structure = Structure(atoms, Lattice(base=cell.lattices[0]))
    structure.Uisoequiv = SETTINGS["u_iso"]
    return structure


def pdffit2_function(structure: Structure) -> Floats:
    """G(r) by diffpy.pdffit2, 1/A^2."""
    redirect_stdout(io.StringIO())
    calculator = PdfFit()
    calculator.add_structure(structure)
    q_max, q_damp = SETTINGS["q_max"], SETTINGS["q_damp"]
    calculator.alloc("X", q_max, q_damp, R_GRID[0], R_GRID[-1], len(R_GRID))
    calculator.setvar(calculator.qbroad, SETTINGS["q_broad"])
    calculator.calc()
    return np.array(calculator.getpdf_fit())


def in_the_convention_of_pdffit2(cell: Cells) -> Floats:
    """Our G(r) with peaks divided by r, as pdffit2 has them, instead of by their distance.

    For a Gaussian peak the difference is sigma^2 / r times the slope of the pair term, to first
    order in sigma / r.
    """
    refinement = 8
    step = R_GRID[1] - R_GRID[0]
    n_fine = refinement * (len(R_GRID) + 1) + 1
    fine = R_GRID[0] - step + step / refinement * np.arange(n_fine)
    undamped = pair_distribution_functions(cell, fine, **(SETTINGS | {"q_damp": 0.0}))[0]
    density = cell.occupancies.sum() / abs(np.linalg.det(cell.lattices[0]))
    slope = np.gradient(undamped, fine) + 4 * np.pi * density
    variance = 2 * SETTINGS["u_iso"] * (1 + (SETTINGS["q_broad"] * fine) ** 2)
    envelope = np.exp(-((SETTINGS["q_damp"] * fine) ** 2) / 2)
    return ((undamped + variance / fine * slope) * envelope)[refinement:-refinement:refinement]


def difference(ours: Floats, reference: Floats) -> float:
    """Rw: root of the summed squared difference over the summed squared reference."""
    return float(np.sqrt(((ours - reference) ** 2).sum() / (reference**2).sum()))


def spglib_symmetry(cell: Cells) -> None:
    """Search the symmetry that the structures table hands over (shared sites taken once)."""
    sites, first = np.unique(np.round(cell.frac_coords, 6), axis=0, return_index=True)
    spglib.get_symmetry_dataset((cell.lattices[0], sites, cell.atomic_numbers[first]), symprec=0.01)


def batch(cells: Cells) -> Floats:
    """Compute all structures in one call."""
    return pair_distribution_functions(cells, R_GRID, **SETTINGS)


def milliseconds(function: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    function()
    return 1e3 * (time.process_time() - start)


def each(function: Callable, inputs: list) -> dict[str, float]:
    """Mean and median time of structures taken one by one, ms."""
    function(inputs[0])  # compiles
    times = [milliseconds(lambda item=item: function(item)) for item in inputs]
    return {"mean_ms": float(np.mean(times)), "median_ms": float(np.median(times))}


def together(cells: Cells) -> dict[str, float]:
    """Mean time of structures computed in one call, ms."""
    batch(cells)  # compiles
    times = [milliseconds(lambda: batch(cells)) for _ in range(5)]
    return {"mean_ms": float(np.mean(times)) / len(cells)}


def measure(cells: Cells) -> dict[str, dict[str, float]]:
    """Time both engines in all the ways that ours is called."""
    alone = one_by_one(cells)
    times = {
        "pdffit2": each(pdffit2_function, [pdffit2_structure(cell) for cell in alone]),
        "ours, one call a structure, finds orbits itself": each(batch, alone),
        "ours, one call for all, finds orbits itself": together(replace(cells, orbits=None)),
    }
    if cells.orbits is not None:
        handed = together(cells)
        symmetry = each(spglib_symmetry, alone)
        times |= {
            "ours, one call for all, orbits from the structures table": handed,
            "the same, and the symmetry search by spglib before it": {
                "mean_ms": handed["mean_ms"] + symmetry["mean_ms"]
            },
        }
    for row in times.values():
        row["times_faster_than_pdffit2"] = times["pdffit2"]["mean_ms"] / row["mean_ms"]
    return times


def agreement(cells: Cells) -> dict[str, dict[str, float]]:
    """Rw between both engines, mean and largest."""
    alone = one_by_one(cells)
    references = [pdffit2_function(pdffit2_structure(cell)) for cell in alone]
    ours = {
        "as it is": batch(cells),
        "in pdffit2's convention": [in_the_convention_of_pdffit2(cell) for cell in alone],
    }
    report = {}
    for name, functions in ours.items():
        values = [difference(*pair) for pair in zip(functions, references, strict=True)]
        report[name] = {"mean": float(np.mean(values)), "largest": float(np.max(values))}
    return report


def main() -> None:
    """Print the tables and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--number", type=int, default=200, help="number of structures")
    parser.add_argument("--output", type=Path, default="results/benchmarks/pdf.json")
    arguments = parser.parse_args()

    report: dict[str, dict] = {}
    cells_by_kind = read_cells(arguments.structures, arguments.number)
    for kind, cells in zip(("conventional", "primitive"), cells_by_kind, strict=True):
        scatterers = float(np.median(np.diff(cells.offsets)))
        times = measure(cells)
        report[kind] = {"structures": len(cells), "median_scatterers": scatterers, "times": times}
        print(f"\n{len(cells)} structures, {kind} cells, median {scatterers:.0f} scatterers")
        print(f"{'':57s} mean ms   median    ratio")
        for name, row in times.items():
            median = f"{row['median_ms']:8.3f}" if "median_ms" in row else " " * 8
            ratio = row["times_faster_than_pdffit2"]
            print(f"{name:57s}{row['mean_ms']:8.3f} {median} {ratio:8.1f}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nlargest memory of the process {memory:.0f} MB")
    report["rw_against_pdffit2"] = agreement(cells_by_kind[0])
    for name, row in report["rw_against_pdffit2"].items():
        print(f"Rw against pdffit2, {name}: mean {row['mean']:.4f}, largest {row['largest']:.4f}")
    write_json(arguments.output, report | {"memory_mb": memory})


if __name__ == "__main__":
    main()
