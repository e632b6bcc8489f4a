"""Our pair distribution functions against those of diffpy.srreal and diffpy.pdffit2."""

import importlib.util
import json

import numpy as np
import pytest
from study import REPOSITORY

from diffsym.scattering.pdf import pair_distribution_functions
from diffsym.scattering.types import Cells

ORACLES = json.loads((REPOSITORY / "tests" / "data" / "oracles" / "pdf_srreal.json").read_text())
R_GRID = np.pi / 23 * np.arange(11, 220)
CELL = ("lattice", "atomic_numbers", "frac_coords", "occupancies")


@pytest.fixture(scope="module")
def benchmark():
    """The module of the benchmark, which knows pdffit2."""
    specification = importlib.util.spec_from_file_location(
        "benchmark_pdf", REPOSITORY / "benchmarks" / "pdf.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def difference(ours, reference):
    return np.sqrt(((ours - reference) ** 2).sum() / (reference**2).sum())


@pytest.mark.parametrize("q_min", [0, 0.5])
@pytest.mark.parametrize("name", ORACLES)
def test_agrees_with_converged_srreal(name, q_min):
    oracle = ORACLES[name]
    (ours,) = pair_distribution_functions(
        Cells.of_one(*(oracle[column] for column in CELL)),
        R_GRID,
        q_min=q_min,
        q_max=23,
        u_iso=0.008,
        q_damp=0.04,
        q_broad=0.01,
    )
    assert difference(ours, np.array(oracle[f"q_min_{q_min}"])) < 0.001


def test_agrees_with_pdffit2(amcsd_structures, benchmark):
    differences = []
    for row in amcsd_structures.to_pylist():
        if len(row["atomic_numbers"]) > 100:
            continue
        lattice, numbers, coordinates, occupancies = (row[column] for column in CELL)
        cell = Cells.of_one(
            np.reshape(lattice, (3, 3)), numbers, np.reshape(coordinates, (-1, 3)), occupancies
        )
        reference = benchmark.pdffit2_function(benchmark.pdffit2_structure(cell))
        raw = pair_distribution_functions(cell, R_GRID, **benchmark.SETTINGS)[0]
        alike = benchmark.in_the_convention_of_pdffit2(cell)
        differences.append((difference(raw, reference), difference(alike, reference)))
    raw, alike = np.array(differences).T
    assert len(raw) > 50
    # Peaks of pdffit2 are divided by r, not by their distance; this alone makes a per cent.
    assert raw.mean() < 0.02
    assert alike.max() < 0.02
