"""The descriptor X of Liu et al. (2019) and the choice of its engine."""

import json
import sys
import types
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from study import REPOSITORY

from diffsym.descriptors import pdf
from diffsym.errors import DiffsymError
from diffsym.scattering.symmetry import symmetry_orbits
from diffsym.scattering.types import Cells
from diffsym.settings.descriptors.pdf import Pdf
from diffsym.tables import STRUCTURES

ORACLES = json.loads((REPOSITORY / "tests" / "data" / "oracles" / "pdf_srreal.json").read_text())
LIU = Pdf(kind="pdf")


@pytest.fixture
def structures():
    """The columns of the structures table that a descriptor needs."""
    rows = []
    for oracle in ORACLES.values():
        lattice, coordinates = np.array(oracle["lattice"]), np.array(oracle["frac_coords"])
        numbers = np.array(oracle["atomic_numbers"])
        rows.append(
            {
                "lattice": lattice.ravel(),
                "atomic_numbers": numbers,
                "frac_coords": coordinates.ravel(),
                "occupancies": oracle["occupancies"],
                "orbits": symmetry_orbits(lattice, numbers.astype(float), coordinates),
            }
        )
    schema = pa.schema([STRUCTURES.field(name) for name in rows[0]])
    return pa.Table.from_pylist(rows, schema=schema)


def test_grid_of_liu_et_al():
    r = pdf.axis(LIU)
    np.testing.assert_allclose(r, np.pi / 23 * np.arange(11, 220), rtol=1e-14)
    np.testing.assert_allclose(r[[0, -1]], [1.5025, 29.9134], atol=5e-5)


def test_values_lie_between_zero_and_one(structures):
    values, failures = pdf.compute(structures, LIU)
    assert values.shape == (len(ORACLES), 209)
    assert values.dtype == np.float32
    assert not failures
    assert (values.min(axis=1) == 0).all()
    assert (values.max(axis=1) == 1).all()
    for row, oracle in zip(values, ORACLES.values(), strict=True):
        expected = np.array(oracle["q_min_0.5"])
        expected = (expected - expected.min()) / (expected.max() - expected.min())
        np.testing.assert_allclose(row, expected, atol=0.002)


def test_a_row_does_not_depend_on_its_shard(structures):
    values, _ = pdf.compute(structures, LIU)
    for start, size in ((0, 1), (3, 5), (7, 5)):
        shard, _ = pdf.compute(structures.slice(start, size), LIU)
        assert shard.tobytes() == values[start : start + size].tobytes()
    chunked = pa.concat_tables([structures.slice(0, 4), structures.slice(4)])
    assert pdf.compute(chunked, LIU)[0].tobytes() == values.tobytes()


def test_a_structure_without_descriptor_is_named(structures):
    broken = structures.to_pylist()
    broken[2]["lattice"] = [0.0] * 9
    values, failures = pdf.compute(pa.Table.from_pylist(broken, schema=structures.schema), LIU)
    (row, reason) = failures[0]
    assert (len(failures), row) == (1, 2)
    assert "volume" in reason
    assert np.isnan(values[2]).all()
    complete, _ = pdf.compute(structures, LIU)
    others = np.arange(len(values)) != 2
    assert values[others].tobytes() == complete[others].tobytes()


def test_an_empty_shard(structures):
    values, failures = pdf.compute(structures.slice(0, 0), LIU)
    assert values.shape == (0, 209)
    assert not failures


def test_missing_srreal_says_how_to_get_it(structures, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffpy.srreal.pdfcalculator", None)
    with pytest.raises(DiffsymError, match=r"envs/srreal\.yaml"):
        pdf.compute(structures, replace(LIU, engine="srreal"))


def test_srreal_is_asked_for_the_same_thing(structures, monkeypatch):
    """A stand-in for PDFCalculator that answers with our own function and checks its questions."""
    native = pdf.pdf.pair_distribution_functions
    asked = {}

    class PDFCalculator:
        def __init__(self, **attributes):
            asked.update(attributes)

        def __call__(self, crystal):
            r = asked["rstep"] * np.arange(
                round(asked["rmin"] / asked["rstep"]), asked["rmax"] / asked["rstep"]
            )
            (u_iso,) = set(crystal.Uisoequiv)
            symbols = {"Ce": 58, "O": 8}
            cell = Cells.of_one(
                crystal.lattice.base,
                [symbols[atom.element] for atom in crystal],
                crystal.xyz,
                crystal.occupancy,
            )
            return r, *native(
                cell,
                r,
                q_min=asked["qmin"],
                q_max=asked["qmax"],
                q_damp=asked["qdamp"],
                q_broad=asked["qbroad"],
                u_iso=u_iso,
            )

    module = types.ModuleType("diffpy.srreal.pdfcalculator")
    module.PDFCalculator = PDFCalculator
    monkeypatch.setitem(sys.modules, "diffpy.srreal", types.ModuleType("diffpy.srreal"))
    monkeypatch.setitem(sys.modules, "diffpy.srreal.pdfcalculator", module)
    ceria = structures.slice(list(ORACLES).index("CeO2"), 1)
    ours, _ = pdf.compute(ceria, LIU)
    theirs, failures = pdf.compute(ceria, replace(LIU, engine="srreal"))
    assert not failures
    assert asked["scatteringfactortable"] == "xray"
    np.testing.assert_allclose(theirs, ours, atol=1e-6)
