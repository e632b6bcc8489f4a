"""What theory says of pair distribution functions, whatever the crystal."""

import json
from dataclasses import replace

import numpy as np
import pytest
import spglib
from crystals import cell_changes, crystals, lattices, moved, supercell
from hypothesis import given
from hypothesis import strategies as st
from study import REPOSITORY

from diffsym.errors import DiffsymError
from diffsym.scattering.pdf import pair_distribution_functions
from diffsym.scattering.symmetry import symmetry_orbits
from diffsym.scattering.types import Cells

ORACLES = json.loads((REPOSITORY / "tests" / "data" / "oracles" / "pdf_srreal.json").read_text())
# A shorter range than Liu et al.'s keeps hundreds of examples fast.
R_GRID = np.pi / 23 * np.arange(11, 90)
SETTINGS = {"q_min": 0.5, "q_max": 23.0, "u_iso": 0.008, "q_damp": 0.04, "q_broad": 0.01}
CELL = ("lattice", "atomic_numbers", "frac_coords", "occupancies")


@st.composite
def cells(draw):
    """A lattice of any shape with one to four scatterers anywhere in it."""
    lattice = draw(lattices())
    n = draw(st.integers(1, 4))
    numbers = np.array([draw(st.integers(1, 92)) for _ in range(n)])
    # On a grid of tenths, shifted: no two scatterers closer than numbers can tell.
    places = draw(st.lists(st.integers(0, 999), min_size=n, max_size=n, unique=True))
    coordinates = np.array([[p // 100, p // 10 % 10, p % 10] for p in places]) / 10 + 0.013
    occupancies = np.array([draw(st.floats(0.1, 1)) for _ in range(n)])
    return lattice, numbers, coordinates, occupancies


def function(cell, r=R_GRID, **changes):
    return pair_distribution_functions(Cells.of_one(*cell), r, **(SETTINGS | changes))[0]


def assert_same(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-7 * np.abs(other).max())


def oracle(name):
    return tuple(np.array(ORACLES[name][column]) for column in CELL)


@crystals
@given(cells(), cell_changes)
def test_any_cell_of_the_same_lattice(cell, change):
    assert_same(function(supercell(cell, change)), function(cell))


@pytest.mark.parametrize("name", ORACLES)
def test_primitive_and_conventional_cell(name):
    cell = oracle(name)
    lattice, coordinates, numbers = spglib.find_primitive((cell[0], cell[2], cell[1]), symprec=1e-5)
    primitive = (lattice, numbers, coordinates, np.ones(len(numbers)))
    # The coordinates are rounded to eight decimals.
    np.testing.assert_allclose(function(primitive), function(cell), rtol=0, atol=1e-4)


@crystals
@given(moved(cells()))
def test_origin_order_and_orientation(pair):
    cell, other = pair
    assert_same(function(other), function(cell))


@crystals
@given(cells(), st.floats(0.1, 1))
def test_linear_in_a_common_occupancy(cell, share):
    """Weights b b / (N <b>^2) and the density N / V are both proportional to it."""
    lattice, numbers, coordinates, occupancies = cell
    thinned = (lattice, numbers, coordinates, share * occupancies)
    assert_same(function(thinned), share * function(cell))


@crystals
@given(cells(), st.floats(0.1, 0.9))
def test_a_site_may_be_shared(cell, share):
    """Two parts of one scatterer at one place are the scatterer: they are no pair."""
    lattice, numbers, coordinates, occupancies = cell
    split = (
        lattice,
        np.append(numbers, numbers[0]),
        np.vstack([coordinates, coordinates[0]]),
        np.append(occupancies, (1 - share) * occupancies[0]),
    )
    split[3][0] *= share
    assert_same(function(split), function(cell))


def test_elements_alone_do_not_matter():
    """In a crystal of one element its weight cancels."""
    lattice, numbers, coordinates, occupancies = oracle("Ni")
    silver = (lattice, np.full_like(numbers, 47), coordinates, occupancies)
    assert_same(function(silver), function(oracle("Ni")))


@pytest.mark.parametrize("name", ORACLES)
def test_line_of_the_density_below_the_first_peak(name):
    """G = -4 pi rho_0 r, sharply, where q_max is so high that it cuts nothing off."""
    lattice, numbers, coordinates, occupancies = oracle(name)
    r = np.arange(0.01, 20, 0.01)  # long, so that the ripples of its end are far away
    ours = function(
        (lattice, numbers, coordinates, occupancies),
        r,
        q_min=0,
        q_max=60,
        q_damp=0,
        q_broad=0,
        u_iso=0.004,
    )
    gaps = coordinates[:, np.newaxis] - coordinates
    images = gaps - np.round(gaps)
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3)
    distances = np.linalg.norm((images[..., np.newaxis, :] + steps) @ lattice, axis=-1)
    shortest = distances[distances > 0.01].min()
    below = r < shortest - 6 * np.sqrt(2 * 0.004)
    line = -4 * np.pi * occupancies.sum() / abs(np.linalg.det(lattice)) * r
    assert below.sum() > 10
    np.testing.assert_allclose(ours[below], line[below], atol=0.02)
    # and the peaks above it are there
    assert np.abs(ours - line).max() > 1


def test_batch_and_neighbours_do_not_matter():
    """Bit for bit: alone, together, in another order, with orbits handed or found."""
    names = list(ORACLES)

    def together(order, *, orbits_handed):
        members = [oracle(name) for name in order]
        orbits = [symmetry_orbits(m[0], m[1] * m[3], m[2]) for m in members]
        cells = Cells(
            np.array([m[0] for m in members]),
            np.concatenate([[0], np.cumsum([len(m[1]) for m in members])]),
            *(np.concatenate([m[column] for m in members]) for column in (1, 2, 3)),
            orbits=np.concatenate(orbits) if orbits_handed else None,
        )
        return pair_distribution_functions(cells, R_GRID, **SETTINGS)

    alone = np.array([function(oracle(name)) for name in names])
    assert (together(names, orbits_handed=False) == alone).all()
    assert (together(names, orbits_handed=True) == alone).all()
    assert (together(names[::-1], orbits_handed=True)[::-1] == alone).all()


@pytest.mark.parametrize("name", ORACLES)
def test_orbits_are_those_of_spglib(name):
    lattice, numbers, coordinates, occupancies = oracle(name)
    found = symmetry_orbits(lattice, numbers * occupancies, coordinates)
    dataset = spglib.get_symmetry_dataset((lattice, coordinates, numbers), symprec=1e-4)
    expected = dataset.equivalent_atoms
    assert (found == [list(expected).index(orbit) for orbit in expected]).all()


def test_sum_over_orbits_is_the_sum_over_all_pairs():
    cell = Cells.of_one(*oracle("quartz"))
    every = replace(cell, orbits=np.arange(len(cell.atomic_numbers)))
    all_pairs = pair_distribution_functions(every, R_GRID, **SETTINGS)[0]
    np.testing.assert_allclose(function(oracle("quartz")), all_pairs, rtol=0, atol=1e-4)


def test_grid_is_a_part_of_a_finer_one():
    """Any uniform grid: the values do not depend on the step (in powers of two)."""
    fine = R_GRID[0] + (R_GRID[1] - R_GRID[0]) / 4 * np.arange(4 * (len(R_GRID) - 1) + 1)
    assert_same(function(oracle("CeO2"), fine)[::4], function(oracle("CeO2")))


@pytest.mark.parametrize(
    "r", [[1.0], [1.0, 2.0, 4.0], [3.0, 2.0, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, np.nan]]
)
def test_other_grids_are_refused(r):
    with pytest.raises(DiffsymError, match=r"^r must"):
        function(oracle("Ni"), r)


@pytest.mark.parametrize(
    "change", [{"q_min": 23.0}, {"q_min": -1.0}, {"u_iso": 0.0}, {"q_damp": -0.1}]
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(DiffsymError, match="q_min < q_max"):
        function(oracle("Ni"), **change)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (0, np.zeros((3, 3)), "volume"),
        (0, np.full((3, 3), np.nan), "finite"),
        (2, np.full((4, 3), np.inf), "finite"),
        (3, np.zeros(4), "occupancy"),
        (1, np.zeros(4, dtype=int), "atomic number"),
    ],
)
def test_impossible_structures_are_refused(column, value, reason):
    cell = list(oracle("Ni"))
    cell[column] = value
    with pytest.raises(DiffsymError, match=reason):
        function(cell)


def test_a_structure_without_scatterers_is_refused():
    empty = (np.eye(3), np.empty(0, dtype=int), np.empty((0, 3)), np.empty(0))
    with pytest.raises(DiffsymError, match="no scatterer"):
        function(empty)
