"""Our powder reflections against those of pymatgen and against sums written out."""

import json

import numpy as np
import pytest
import spglib
from powder_references import (
    CU_K_ALPHA,
    d_star_of,
    direct_sum,
    merged_difference,
    pattern,
    pymatgen_nodes,
)
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Element, Lattice, Structure
from study import REPOSITORY

from diffsym.scattering import reflections
from diffsym.scattering.form_factors import NODE_STEP, form_factor_nodes, form_factors
from diffsym.scattering.symmetry import laue_group, merged_scatterers, primitive_cell
from diffsym.scattering.types import Cells

ORACLES = json.loads((REPOSITORY / "tests" / "data" / "oracles" / "xrd_pymatgen.json").read_text())
COLUMNS = ("lattice", "atomic_numbers", "frac_coords", "occupancies")
RANGE = {"d_star_min": d_star_of(5), "d_star_max": d_star_of(90)}
# Degrees; pymatgen merges within 1e-5, by rounding.
ANGLE_TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def entries(amcsd_entries):
    return amcsd_entries.to_pylist()


@pytest.fixture
def form_factors_of_pymatgen(monkeypatch):
    """Its parametrisation is another one; the structure factors are to be compared."""
    monkeypatch.setattr(reflections, "form_factor_nodes", pymatgen_nodes)


def cell_of(row, prefix=""):
    lattice, numbers, coordinates, occupancies = (row[prefix + column] for column in COLUMNS)
    return (
        np.reshape(lattice, (3, 3)),
        np.array(numbers),
        np.reshape(coordinates, (-1, 3)),
        np.array(occupancies),
    )


def lines(cell, **settings):
    found = reflections.powder_reflections(Cells.of_one(*cell), **settings)
    return found.d_star, found.intensity


def pymatgen_structure(cell):
    sites = {}
    for number, position, occupancy in zip(*cell[1:], strict=True):
        species = sites.setdefault(tuple(position), {})
        symbol = Element.from_Z(int(number)).symbol
        species[symbol] = species.get(symbol, 0) + occupancy
    return Structure(Lattice(cell[0]), list(sites.values()), list(sites))


def assert_same_peaks(ours, theirs):
    assert merged_difference(ours, theirs, ANGLE_TOLERANCE) < 1e-3
    for some, others in ((ours, theirs), (theirs, ours)):
        visible = some[0][some[1] > 1e-4 * some[1].max()]
        gaps = np.abs(visible[:, np.newaxis] - others[0]).min(axis=1)
        assert gaps.max() < ANGLE_TOLERANCE


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.usefixtures("form_factors_of_pymatgen")
def test_stored_patterns_of_pymatgen(name):
    oracle = ORACLES[name]
    ours = lines([oracle[column] for column in COLUMNS], **RANGE)
    theirs = np.array(oracle["two_theta"]), np.array(oracle["intensity"])
    assert_same_peaks(pattern(*ours), theirs)


@pytest.mark.usefixtures("form_factors_of_pymatgen")
def test_pymatgen_on_the_database(entries):
    calculator = XRDCalculator(CU_K_ALPHA)
    compared = 0
    for number, row in enumerate(entries):
        # Every other one in its conventional cell.
        cell = cell_of(row, "conventional_" if number % 2 else "")
        if len(cell[1]) > 200:
            continue
        theirs = calculator.get_pattern(pymatgen_structure(cell), False, (5, 90))
        ours = pattern(*lines(cell, **RANGE))
        assert_same_peaks(ours, (theirs.x, theirs.y))
        compared += 1
    assert compared > 200


def test_direct_sums_on_the_database(entries):
    compared = 0
    for row in entries:
        for prefix in ("", "conventional_"):
            cell = cell_of(row, prefix)
            if len(cell[1]) > 40:
                continue
            # Ends that no reflection of a round lattice falls on.
            ours = lines(cell, d_star_min=0.0501, d_star_max=0.6011, b_iso=1.3)
            direct = direct_sum(cell, 0.0501, 0.6011, b_iso=1.3)
            assert merged_difference(ours, direct, 1e-6) < 1e-6
            compared += 1
    assert compared > 200


def test_laue_groups_of_the_database(entries):
    """As many operations, opposites being one, as the space group has; no copies of the cell."""
    for row in entries:
        lattice, numbers, coordinates, occupancies = cell_of(row)
        _, coordinates, _, kinds = merged_scatterers(lattice, numbers, coordinates, occupancies)
        basis, coordinates, kept, copies = primitive_cell(lattice, kinds, coordinates)
        operations, _, _ = laue_group(basis, kinds[kept], coordinates)
        rotations = spglib.get_symmetry_from_database(row["hall_number"])["rotations"]
        proper = {(W * round(np.linalg.det(W))).tobytes() for W in rotations}
        assert (copies, len(operations)) == (1, len(proper))


@pytest.mark.parametrize("radiation", ["xray", "electron"])
@pytest.mark.parametrize("name", ["Ni", "CeO2", "quartz", "MoS2", "TiO2_rutile"])
def test_direct_sums_far_out(name, radiation):
    cell = cell_of(ORACLES[name])
    ours = lines(cell, d_star_min=0.0, d_star_max=1.5123, radiation=radiation)
    direct = direct_sum(cell, 0.0, 1.5123, radiation=radiation)
    assert merged_difference(ours, direct, 1e-6) < 1e-6


@pytest.fixture
def bismuth_telluride():
    """Bi2Te3 in its rhombohedral cell, alpha = 24.2 degrees (R -3 m; Bi and Te at u u u)."""
    lattice = Lattice.rhombohedral(10.473, 24.17).matrix
    coordinates = np.outer([0.4, -0.4, 0.0, 0.2097, -0.2097], [1, 1, 1])
    return lattice, np.array([83, 83, 52, 52, 52]), coordinates, np.ones(5)


def test_no_reflection_of_a_skewed_cell_is_lost(bismuth_telluride):
    """h, k and l reach far where the edges enclose a small angle."""
    ours = lines(bismuth_telluride, d_star_min=0.02, d_star_max=1.0625)
    lattice = bismuth_telluride[0]
    direct = direct_sum(bismuth_telluride, 0.02, 1.0625)
    hexagonal = np.array([[1, -1, 0], [0, 1, -1], [1, 1, 1]])
    centring = np.array([[0, 0, 0], [2, 1, 1], [1, 2, 2]]) / 3
    obverse = (bismuth_telluride[2] @ np.linalg.inv(hexagonal))[:, np.newaxis] + centring
    tripled = (
        hexagonal @ lattice,
        np.repeat(bismuth_telluride[1], 3),
        obverse.reshape(-1, 3),
        np.ones(15),
    )
    other = lines(tripled, d_star_min=0.02, d_star_max=1.0625)
    assert merged_difference(ours, direct, 1e-6) < 1e-7
    assert len(ours[0]) > 100
    np.testing.assert_allclose(other[0], ours[0], rtol=1e-9)
    np.testing.assert_allclose(other[1], 9 * ours[1], rtol=1e-6)


def test_lines_of_simple_lattices():
    """Multiplicities, absences and form factors by hand: fcc and hcp."""
    nickel = lines([ORACLES["Ni"][c] for c in COLUMNS], **RANGE)
    a = ORACLES["Ni"]["lattice"][0][0]
    d_star = np.sqrt([3, 4, 8]) / a  # 111, 200, 220
    np.testing.assert_allclose(nickel[0], d_star, rtol=1e-9)
    f = form_factors([28], d_star)[0]
    np.testing.assert_allclose(nickel[1], np.array([8, 6, 12]) * (4 * f) ** 2, rtol=1e-6)

    lattice = Lattice.hexagonal(3.21, 5.21).matrix
    magnesium = (lattice, [12, 12], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]], [1, 1])
    d_star, intensity = lines(magnesium, d_star_min=0.1, d_star_max=0.45)
    a_star, c_star = 2 / np.sqrt(3) / 3.21, 1 / 5.21
    # 100, 002 and 101; 001 is absent.
    expected = [a_star, 2 * c_star, np.hypot(a_star, c_star)]
    np.testing.assert_allclose(d_star, expected, rtol=1e-9)
    f = form_factors([12], d_star)[0]
    np.testing.assert_allclose(intensity / f**2, [6 * 1, 2 * 4, 12 * 3], rtol=1e-6)


@pytest.mark.parametrize("radiation", ["xray", "electron"])
def test_interpolated_form_factors(radiation):
    nodes = form_factor_nodes(radiation, 1.3)
    d_star = np.sqrt(4 * NODE_STEP * np.linspace(0, 1.3**2 / 4 / NODE_STEP, 5003))
    exact = form_factors(range(1, 99), d_star, radiation)
    for number in range(1, 99):
        found = [
            reflections._interpolated(nodes[number], d**2 / 4 / NODE_STEP) for d in d_star[::7]
        ]
        np.testing.assert_allclose(
            found, exact[number - 1][::7], rtol=0, atol=1e-6 * exact[number - 1, 0]
        )


def test_form_factors_in_the_forward_direction():
    """A neutral atom has Z electrons; the fit of the table is that good where s is zero."""
    numbers = np.arange(1, 99)
    np.testing.assert_allclose(form_factors(numbers, [0.0])[:, 0], numbers, atol=0.1)


def test_form_factors_for_electrons_follow_from_those_for_x_rays():
    """Mott and Bethe: f_e = 0.023934 (Z - f_x) / s^2."""
    numbers, s = np.array([6, 8, 14, 26, 47, 79]), 0.5
    x_rays = form_factors(numbers, [2 * s])[:, 0]
    electrons = form_factors(numbers, [2 * s], "electron")[:, 0]
    np.testing.assert_allclose(electrons, 0.0239337 * (numbers - x_rays) / s**2, rtol=0.01)
