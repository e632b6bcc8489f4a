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
from pathlib import Path
from typing import NamedTuple

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
import pyarrow.compute as pc
import spglib
from diffpy.pdffit2 import PdfFit, redirect_stdout
from diffpy.structure import Atom, Lattice, Structure
from numpy.typing import NDArray
from pymatgen.core import Element

from diffsym.files import write_json
from diffsym.scattering.pdf import pair_distribution_function, pair_distribution_functions
from diffsym.tables import STRUCTURES, read_table

Floats = NDArray[np.float64]

# Liu et al. (2019)
SETTINGS = {"q_min": 0.0, "q_max": 23.0, "u_iso": 0.008, "q_damp": 0.04, "q_broad": 0.01}
R_GRID = np.pi / 23 * np.arange(11, 220)
LARGEST_CELL = 200


class Cell(NamedTuple):
    """One structure as the structures table holds it."""

    lattice: Floats
    atomic_numbers: NDArray[np.int64]
    frac_coords: Floats
    occupancies: Floats
    orbits: NDArray[np.int64] | None


def read_cells(path: Path, number: int, seed: int = 0) -> tuple[list[Cell], list[Cell]]:
    """Conventional and primitive cells of structures with at most 200 scatterers, drawn."""
    primitive = ["lattice", "atomic_numbers", "frac_coords", "occupancies"]
    conventional = [f"conventional_{name}" for name in primitive]
    table = read_table(path, STRUCTURES, [*conventional, *primitive, "orbits"])
    sizes = pc.list_value_length(table["conventional_atomic_numbers"]).to_numpy()
    small = np.flatnonzero(sizes <= LARGEST_CELL)
    drawn = np.sort(np.random.default_rng(seed).permutation(small)[:number])
    rows = table.take(drawn).to_pylist()
    return (
        [to_cell(*(row[name] for name in conventional)) for row in rows],
        [to_cell(*(row[name] for name in [*primitive, "orbits"])) for row in rows],
    )


def to_cell(
    lattice: list[float],
    atomic_numbers: list[int],
    frac_coords: list[float],
    occupancies: list[float],
    orbits: list[int] | None = None,
) -> Cell:
    """Arrays of one row of the structures table."""
    return Cell(
        np.array(lattice).reshape(3, 3),
        np.array(atomic_numbers),
        np.array(frac_coords).reshape(-1, 3),
        np.array(occupancies),
        None if orbits is None else np.array(orbits),
    )


def pdffit2_structure(cell: Cell) -> Structure:
    """The structure in the form of diffpy."""
    atoms = [
        Atom(Element.from_Z(int(number)).symbol, position, occupancy=occupancy)
        for number, position, occupancy in zip(*cell[1:4], strict=True)
    ]
    structure = Structure(atoms, Lattice(base=cell.lattice))
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


def in_the_convention_of_pdffit2(cell: Cell) -> Floats:
    """Our G(r) with peaks divided by r, as pdffit2 has them, instead of by their distance.

    For a Gaussian peak the difference is sigma^2 / r times the slope of the pair term, to first
    order in sigma / r.
    """
    refinement = 8
    step = R_GRID[1] - R_GRID[0]
    n_fine = refinement * (len(R_GRID) + 1) + 1
    fine = R_GRID[0] - step + step / refinement * np.arange(n_fine)
    undamped = pair_distribution_function(*cell[:4], fine, **(SETTINGS | {"q_damp": 0.0}))
    density = cell.occupancies.sum() / abs(np.linalg.det(cell.lattice))
    slope = np.gradient(undamped, fine) + 4 * np.pi * density
    variance = 2 * SETTINGS["u_iso"] * (1 + (SETTINGS["q_broad"] * fine) ** 2)
    envelope = np.exp(-((SETTINGS["q_damp"] * fine) ** 2) / 2)
    return ((undamped + variance / fine * slope) * envelope)[refinement:-refinement:refinement]


def difference(ours: Floats, reference: Floats) -> float:
    """Rw: root of the summed squared difference over the summed squared reference."""
    return float(np.sqrt(((ours - reference) ** 2).sum() / (reference**2).sum()))


def spglib_symmetry(cell: Cell) -> None:
    """Search the symmetry that the structures table hands over (shared sites taken once)."""
    sites, first = np.unique(np.round(cell.frac_coords, 6), axis=0, return_index=True)
    spglib.get_symmetry_dataset((cell.lattice, sites, cell.atomic_numbers[first]), symprec=0.01)


def batch(cells: list[Cell], *, orbits_handed: bool) -> Floats:
    """Compute all structures in one call."""
    numbers, coordinates, occupancies = (
        np.concatenate([cell[column] for cell in cells]) for column in (1, 2, 3)
    )
    return pair_distribution_functions(
        np.array([cell.lattice for cell in cells]),
        np.concatenate([[0], np.cumsum([len(cell.atomic_numbers) for cell in cells])]),
        numbers,
        coordinates,
        occupancies,
        R_GRID,
        orbits=np.concatenate([cell.orbits for cell in cells]) if orbits_handed else None,
        **SETTINGS,
    )


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


def together(cells: list[Cell], *, orbits_handed: bool) -> dict[str, float]:
    """Mean time of structures computed in one call, ms."""
    batch(cells, orbits_handed=orbits_handed)  # compiles
    times = [milliseconds(lambda: batch(cells, orbits_handed=orbits_handed)) for _ in range(5)]
    return {"mean_ms": float(np.mean(times)) / len(cells)}


def measure(cells: list[Cell]) -> dict[str, dict[str, float]]:
    """Time both engines in all the ways that ours is called."""
    times = {
        "pdffit2": each(pdffit2_function, [pdffit2_structure(cell) for cell in cells]),
        "ours, one call a structure, finds orbits itself": each(
            lambda cell: pair_distribution_function(*cell[:4], R_GRID, **SETTINGS), cells
        ),
        "ours, one call for all, finds orbits itself": together(cells, orbits_handed=False),
    }
    if cells[0].orbits is not None:
        handed = together(cells, orbits_handed=True)
        symmetry = each(spglib_symmetry, cells)
        times |= {
            "ours, one call for all, orbits from the structures table": handed,
            "the same, and the symmetry search by spglib before it": {
                "mean_ms": handed["mean_ms"] + symmetry["mean_ms"]
            },
        }
    for row in times.values():
        row["times_faster_than_pdffit2"] = times["pdffit2"]["mean_ms"] / row["mean_ms"]
    return times


def agreement(cells: list[Cell]) -> dict[str, dict[str, float]]:
    """Rw between both engines, mean and largest."""
    references = [pdffit2_function(pdffit2_structure(cell)) for cell in cells]
    ours = {
        "as it is": batch(cells, orbits_handed=False),
        "in pdffit2's convention": [in_the_convention_of_pdffit2(cell) for cell in cells],
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
        scatterers = float(np.median([len(cell.atomic_numbers) for cell in cells]))
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
