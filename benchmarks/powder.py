"""Speed and agreement of our powder reflections and those of other engines.

All engines get the same random structures, cells and range (Cu K-alpha, 5 to 90 degrees), in one
process and one thread: first the conventional cells, which databases hold, then the primitive ones.
What is counted is processor time, the best of three calls a structure, without compilation and
without building the structure objects of the other engines. phasesmith is measured twice: with all
atoms, as the others, and with space group and asymmetric unit handed over, which we find ourselves.
braggcalculator needs Python 3.12 and is left out where it is not installed.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")

import numpy as np
import phasesmith
import pyarrow.compute as pc
import spglib
from numpy.typing import NDArray
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Element, Lattice, Structure
from xrd_rust_calculator import XRDCalculatorRust

from diffsym.files import write_json
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import Cells, Floats
from diffsym.tables import STRUCTURES, read_table

try:
    from braggcalculator import BraggCalculator
except ImportError:
    BraggCalculator = None

Lines = tuple[Floats, Floats]

WAVELENGTH = 1.54184
TWO_THETA = (5.0, 90.0)
D_STAR_MIN, D_STAR_MAX = 2 * np.sin(np.radians(TWO_THETA) / 2) / WAVELENGTH
LARGEST_CELL = 200
# Lines of two engines closer than this in d* are compared as one, 1/A.
D_STAR_TOLERANCE = 1e-5
# A line above this share of the strongest one has to be found by every engine.
VISIBLE = 1e-3


class Cell(NamedTuple):
    """One structure as the structures table holds it."""

    lattice: Floats
    atomic_numbers: NDArray[np.int64]
    frac_coords: Floats
    occupancies: Floats
    hall_number: int


def read_cells(path: Path, number: int, prefix: str) -> list[Cell]:
    """Cells of structures with at most 200 scatterers in the conventional cell, drawn."""
    names = [prefix + name for name in ("lattice", "atomic_numbers", "frac_coords", "occupancies")]
    sizes = read_table(path, STRUCTURES, ["conventional_atomic_numbers"])
    counts = pc.list_value_length(sizes["conventional_atomic_numbers"]).to_numpy()
    small = np.flatnonzero(counts <= LARGEST_CELL)
    drawn = np.sort(np.random.default_rng(0).permutation(small)[:number])
    table = read_table(path, STRUCTURES, [*names, "hall_number"]).take(drawn)
    return [
        Cell(
            np.reshape(row[names[0]], (3, 3)),
            np.array(row[names[1]]),
            np.reshape(row[names[2]], (-1, 3)),
            np.array(row[names[3]]),
            row["hall_number"],
        )
        for row in table.to_pylist()
    ]


def ours(cell: Cell) -> Lines:
    """One call a structure."""
    lines = powder_reflections(
        Cells.of_one(*cell[:4]), d_star_min=D_STAR_MIN, d_star_max=D_STAR_MAX
    )
    return lines.d_star, lines.intensity


def ours_together(cells: list[Cell]) -> None:
    """One call for all structures."""
    numbers, coordinates, occupancies = (
        np.concatenate([cell[column] for cell in cells]) for column in (1, 2, 3)
    )
    joined = Cells(
        np.array([cell.lattice for cell in cells]),
        np.concatenate([[0], np.cumsum([len(cell.atomic_numbers) for cell in cells])]),
        numbers,
        coordinates,
        occupancies,
    )
    powder_reflections(joined, d_star_min=D_STAR_MIN, d_star_max=D_STAR_MAX)


def pymatgen_structure(cell: Cell) -> Structure:
    """The structure in the form of pymatgen, scatterers at one place being one site."""
    sites: dict[tuple, dict[str, float]] = {}
    for number, position, occupancy in zip(*cell[1:4], strict=True):
        species = sites.setdefault(tuple(position), {})
        symbol = Element.from_Z(int(number)).symbol
        species[symbol] = species.get(symbol, 0.0) + occupancy
    return Structure(Lattice(cell.lattice), list(sites.values()), list(sites))


def by_calculator(calculator: Any) -> Callable[[Structure], Any]:
    """Pattern by an engine with the interface of pymatgen."""
    return lambda structure: calculator.get_pattern(
        structure, scaled=False, two_theta_range=TWO_THETA
    )


def of_pattern(pattern: Any) -> Lines:
    """d* and the sum of |F|^2 of a pattern of pymatgen."""
    return without_lorentz_polarisation(np.asarray(pattern.x), np.asarray(pattern.y))


def without_lorentz_polarisation(two_theta: Floats, intensity: Floats) -> Lines:
    """d* and the sum of |F|^2 of lines at diffraction angles in degrees."""
    theta = np.radians(two_theta) / 2
    factor = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    return 2 * np.sin(theta) / WAVELENGTH, intensity / factor


def phasesmith_structure(
    cell: Cell, space_group: phasesmith.SpaceGroup, independent: NDArray[np.intp]
) -> phasesmith.CrystalStructure:
    """The structure in the form of phasesmith."""
    symbols = [Element.from_Z(int(number)).symbol for number in cell.atomic_numbers]
    sites = [
        phasesmith.AtomSite(
            f"site-{i}",
            symbols[i],
            symbols[i],
            symbols[i],
            tuple(cell.frac_coords[i]),
            cell.occupancies[i],
            0.0,
        )
        for i in independent
    ]
    unit_cell = phasesmith.UnitCell(*Lattice(cell.lattice).parameters)
    return phasesmith.CrystalStructure("id", "name", unit_cell, space_group, tuple(sites))


def phasesmith_all_atoms(cell: Cell) -> phasesmith.CrystalStructure:
    """Every atom of the cell in P1."""
    every = np.arange(len(cell.atomic_numbers))
    return phasesmith_structure(cell, phasesmith.SpaceGroup.p1(), every)


def phasesmith_symmetric(cell: Cell) -> phasesmith.CrystalStructure:
    """Space group and asymmetric unit of a conventional cell."""
    operations = spglib.get_symmetry_from_database(cell.hall_number)
    rotations, translations = operations["rotations"], operations["translations"]
    space_group = phasesmith.SpaceGroup(
        [
            phasesmith.SymmetryOperation(W, [Fraction(round(24 * float(x)), 24) for x in w])
            for W, w in zip(rotations, translations, strict=True)
        ]
    )
    independent: list[int] = []
    taken = np.zeros(len(cell.atomic_numbers), dtype=bool)
    for i in range(len(taken)):
        if taken[i]:
            continue
        independent.append(i)
        gaps = cell.frac_coords - (rotations @ cell.frac_coords[i] + translations)[:, np.newaxis]
        distances = np.linalg.norm((gaps - np.rint(gaps)) @ cell.lattice, axis=-1)
        taken |= (
            (distances < 1e-3).any(axis=0)
            & (cell.atomic_numbers == cell.atomic_numbers[i])
            & np.isclose(cell.occupancies, cell.occupancies[i])
        )
    return phasesmith_structure(cell, space_group, np.array(independent))


def by_phasesmith(structure: phasesmith.CrystalStructure) -> Lines:
    """d* and |F|^2 times multiplicity of each family."""
    generator = phasesmith.PreparedReflectionGenerator(structure.space_group)
    families = generator.generate(
        structure.cell, phasesmith.CwTwoThetaRange(*TWO_THETA, WAVELENGTH)
    )
    values = phasesmith.calculate_structure_factor_values(
        structure,
        families.hkl,
        families.multiplicity,
        phasesmith.XrayNonResonant(),
        execution=phasesmith.ExecutionPolicy(threads=1),
    )
    return 1 / families.d_spacing_angstrom, values.integrated_intensity


def by_braggcalculator(structure: Structure) -> tuple[Floats, Floats]:
    """Angles and intensities; its preparation of a structure finds symmetry and reflections."""
    calculator = BraggCalculator("xray", WAVELENGTH, two_theta_range=TWO_THETA)
    return calculator.load(structure).line_pattern()


class Engine(NamedTuple):
    """How a structure is prepared (not timed), computed (timed) and read."""

    prepare: Callable[[Cell], Any]
    compute: Callable[[Any], Any]
    read: Callable[[Any], Lines]


def unchanged(value: Any) -> Any:
    """Nothing to prepare or to read."""
    return value


def engines(*, conventional: bool) -> dict[str, Engine]:
    """All engines that are installed."""
    found = {
        "ours": Engine(unchanged, ours, unchanged),
        "pymatgen": Engine(
            pymatgen_structure,
            by_calculator(XRDCalculator(WAVELENGTH)),
            of_pattern,
        ),
        "xrd-rust": Engine(
            pymatgen_structure,
            by_calculator(XRDCalculatorRust(WAVELENGTH)),
            of_pattern,
        ),
        "phasesmith": Engine(phasesmith_all_atoms, by_phasesmith, unchanged),
    }
    if conventional:
        found["phasesmith, symmetry handed over"] = Engine(
            phasesmith_symmetric, by_phasesmith, unchanged
        )
    if BraggCalculator is not None:
        found["braggcalculator"] = Engine(
            pymatgen_structure,
            by_braggcalculator,
            lambda lines: without_lorentz_polarisation(*map(np.asarray, lines)),
        )
    return found


def milliseconds(function: Callable[[], object]) -> float:
    """Processor time of the fastest of three calls."""
    times = []
    for _ in range(3):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def difference(one: Lines, other: Lines) -> float:
    """Largest difference between the lines of two engines, as a share of the strongest line.

    Both are scaled to the same sum, because some engines give intensities per primitive cell.
    """
    positions = np.concatenate([one[0], other[0]])
    changes = np.concatenate([one[1] / one[1].sum(), -other[1] / other[1].sum()])
    order = np.argsort(positions)
    starts = np.flatnonzero(np.diff(positions[order], prepend=-np.inf) > D_STAR_TOLERANCE)
    merged = np.abs(np.add.reduceat(changes[order], starts))
    return float(merged.max() / changes.max())


def misses_lines(ours: Lines, theirs: Lines) -> bool:
    """Whether an engine lacks a line that we find, whatever its form factors."""
    visible = ours[0][ours[1] > VISIBLE * ours[1].max()]
    return bool(np.abs(visible[:, np.newaxis] - theirs[0]).min(axis=1).max() > D_STAR_TOLERANCE)


def by_quarter(sizes: Floats, times: dict[str, list[float]]) -> list[dict[str, float]]:
    """Mean times of the structures in each quarter of a size."""
    edges = np.quantile(sizes, [0, 0.25, 0.5, 0.75, 1])
    quarters = np.clip(np.searchsorted(edges, sizes, side="right") - 1, 0, 3)
    return [
        {"from": float(edges[quarter]), "to": float(edges[quarter + 1])}
        | {name: float(np.mean(np.array(t)[quarters == quarter])) for name, t in times.items()}
        for quarter in range(4)
    ]


def measure(cells: list[Cell], *, conventional: bool) -> dict[str, Any]:
    """Agreement of all engines with ours, then their times."""
    reference = [ours(cell) for cell in cells]
    report: dict[str, Any] = {"structures": len(cells), "engines": {}}
    times: dict[str, list[float]] = {}
    for name, engine in engines(conventional=conventional).items():
        prepared = [engine.prepare(cell) for cell in cells]
        results = [engine.read(engine.compute(structure)) for structure in prepared]
        pairs = list(zip(reference, results, strict=True))
        times[name] = [milliseconds(partial(engine.compute, structure)) for structure in prepared]
        report["engines"][name] = {
            "mean_ms": float(np.mean(times[name])),
            "median_ms": float(np.median(times[name])),
            "largest_ms": float(np.max(times[name])),
            "median_difference": float(np.median([difference(*pair) for pair in pairs])),
            "structures_with_lines_missing": sum(misses_lines(*pair) for pair in pairs),
        }
    ours_together(cells)  # compiles
    mean = milliseconds(lambda: ours_together(cells)) / len(cells)
    report["engines"]["ours, one call for all"] = {"mean_ms": mean}
    volumes = np.array([abs(np.linalg.det(cell.lattice)) for cell in cells])
    scatterers = np.array([float(len(cell.atomic_numbers)) for cell in cells])
    report["median_scatterers"] = float(np.median(scatterers))
    report["by_volume"] = by_quarter(volumes, times)
    report["by_scatterers"] = by_quarter(scatterers, times)
    for row in report["engines"].values():
        row["times_ours"] = row["mean_ms"] / report["engines"]["ours"]["mean_ms"]
    return report


def print_report(kind: str, report: dict[str, Any]) -> None:
    """Tables of engines and of cost against size."""
    print(
        f"\n{report['structures']} structures, {kind} cells, "
        f"median {report['median_scatterers']:.0f} scatterers\n"
        f"{'':36s}  mean ms   median  largest   ratio  difference  lines missing"
    )
    for name, row in report["engines"].items():
        print(f"{name:36s}{row['mean_ms']:9.3f}", end="")
        if "median_ms" in row:
            print(
                f"{row['median_ms']:9.3f}{row['largest_ms']:9.2f}{row['times_ours']:8.1f}"
                f"{row['median_difference']:12.1e}{row['structures_with_lines_missing']:15d}"
            )
        else:
            print(f"{'':18s}{row['times_ours']:8.1f}")
    for key in ("by_volume", "by_scatterers"):
        unit = "A^3" if key == "by_volume" else "scatterers"
        print(f"mean ms, {key.replace('_', ' ')} of the cell")
        for row in report[key]:
            costs = ", ".join(
                f"{name} {row[name]:.3f}" for name in row if name in report["engines"]
            )
            print(f"  {row['from']:6.0f} to {row['to']:6.0f} {unit}: {costs}")


def main() -> None:
    """Print the tables and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--number", type=int, default=200, help="number of structures")
    parser.add_argument("--output", type=Path, default="results/benchmarks/powder.json")
    arguments = parser.parse_args()

    warnings.filterwarnings("ignore", "No Pauling electronegativity")
    report = {}
    for kind, prefix in (("conventional", "conventional_"), ("primitive", "")):
        cells = read_cells(arguments.structures, arguments.number, prefix)
        report[kind] = measure(cells, conventional=kind == "conventional")
        print_report(kind, report[kind])
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
