"""Ideal profiles from the structures table, against sums written out by equation 6 of the paper."""

from dataclasses import replace

import gemmi
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from crystals import crystals, supercell
from hypothesis import given
from hypothesis import strategies as st

from diffsym.descriptors import ideal, reflections
from diffsym.errors import DiffsymError
from diffsym.scattering.ideal import bin_edges, bins_of, ideal_profiles
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import Cells, Lines
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.reflections import Reflections
from diffsym.structures.checks import check_elements
from diffsym.structures.entries import Entry, EntryError
from diffsym.tables import REFLECTIONS, conform

RANGE = {"d_star_min": 0.01, "d_star_max": 1.0625}
TABLE = Reflections(**RANGE)
PROFILE = Ideal(kind="ideal", d_star_min=0.1131, d_star_max=1.0625, bins=10_001, b_iso=2.0)
EDGES = bin_edges(d_star_min=0.1131, d_star_max=1.0625, bins=10_001)
CELL = ("lattice", "atomic_numbers", "frac_coords", "occupancies")


@pytest.fixture(scope="module")
def profiles(amcsd_entries):
    lines = conform(reflections.compute(amcsd_entries, TABLE), REFLECTIONS, "reflections")
    values, failures = ideal.compute(lines, PROFILE)
    assert not failures
    return values


def conventional(structures):
    """The same rows with the conventional cells in place of the primitive ones."""
    for name in CELL:
        index = structures.schema.get_field_index(name)
        structures = structures.set_column(index, name, structures[f"conventional_{name}"])
    orbits = [list(range(len(row))) for row in structures["atomic_numbers"].to_pylist()]
    index = structures.schema.get_field_index("orbits")
    return structures.set_column(index, "orbits", pa.array(orbits, pa.list_(pa.uint16())))


def cell_of(row, prefix=""):
    lattice, numbers, coordinates, occupancies = (row[prefix + name] for name in CELL)
    return (
        np.reshape(lattice, (3, 3)),
        np.array(numbers),
        np.reshape(coordinates, (-1, 3)),
        np.array(occupancies),
    )


def equation_6(cell, b_iso):
    """1/d and |F|^2 of all h, k, l in the paper's box, atom by atom.

    f_j g_j T_j exp[2 pi i (h u + k v + l w)], with f_j and T_j of equation 7 at 1 / (2 d).
    """
    lattice, numbers, coordinates, occupancies = cell
    reach = np.ceil(1.0625 * np.linalg.norm(lattice, axis=1)).astype(int)
    axes = [np.arange(-n, n + 1) for n in reach]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    d_star = np.linalg.norm(hkl @ np.linalg.inv(lattice).T, axis=1)
    hkl, d_star = hkl[d_star < 1.07], d_star[d_star < 1.07]
    squares = (d_star / 2) ** 2
    F = np.zeros(len(hkl), complex)
    for number, position, occupancy in zip(numbers, coordinates, occupancies, strict=True):
        table = gemmi.Element(int(number)).it92
        f = table.c + np.exp(-np.outer(squares, table.b)) @ np.array(table.a)
        F += f * np.exp(-b_iso * squares) * occupancy * np.exp(2j * np.pi * (hkl @ position))
    return d_star, np.abs(F) ** 2


def histogram(d_star, intensity):
    sums, _ = np.histogram(d_star, EDGES, weights=intensity)
    return sums / sums.max()


def differences(ours, theirs):
    """Number of lines that are in the next bin; all else has to agree.

    A line whose reflections are the same within 1e-6 may lie on both sides of an edge.
    """
    moved = ours - theirs
    bins = np.flatnonzero(np.abs(moved) > 1e-6)
    first, second = bins[::2], bins[1::2]
    assert np.array_equal(second, first + 1)
    np.testing.assert_allclose(moved[first], -moved[second], atol=1e-6)
    return len(first)


def test_sum_written_out_over_the_conventional_cell(amcsd_entries, profiles):
    compared, moved = 0, 0
    for row, entry in enumerate(amcsd_entries.to_pylist()):
        cell = cell_of(entry, "conventional_")
        if len(cell[1]) <= 60:
            theirs = histogram(*equation_6(cell, 2.0))
            moved += differences(profiles[[row]].toarray()[0], theirs)
            compared += 1
    assert compared > 200
    assert moved <= 0.01 * compared


def test_profile_of_the_conventional_cell_is_that_of_the_primitive_one(amcsd_entries, profiles):
    table = conventional(amcsd_entries)
    values, failures = ideal.compute(reflections.compute(table, TABLE), PROFILE)
    assert not failures
    larger = pc.greater(
        *(pc.list_value_length(t["atomic_numbers"]) for t in (table, amcsd_entries))
    )
    assert pc.sum(larger).as_py() > 50
    moved = [differences(*pair) for pair in zip(values.toarray(), profiles.toarray(), strict=True)]
    assert sum(moved) <= 0.01 * len(moved)


def test_any_origin_and_any_cell(amcsd_entries, profiles):
    generator = np.random.default_rng(0)
    moved, compared = 0, 0
    for row, entry in enumerate(amcsd_entries.to_pylist()):
        cell = cell_of(entry)
        change = generator.integers(-2, 3, (3, 3))
        copies = round(abs(np.linalg.det(change)))
        if not 1 <= copies <= 3 or len(cell[1]) > 30:
            continue
        lattice, numbers, coordinates, occupancies = supercell(cell, change)
        order = generator.permutation(len(numbers))
        other = (
            lattice,
            numbers[order],
            coordinates[order] + generator.uniform(-1, 1, 3),
            occupancies[order],
        )
        lines = powder_reflections(Cells.of_one(*other), **RANGE)
        profile = ideal_profiles(lines, EDGES, b_iso=2.0)
        moved += differences(profile.toarray()[0], profiles[[row]].toarray()[0])
        compared += 1
    assert compared > 30
    assert moved <= 0.01 * compared


def test_californium_is_the_last_element():
    lattice, place = np.diag([5.1, 5.1, 5.1]), [[0.1, 0.2, 0.3]]
    lines = powder_reflections(Cells.of_one(lattice, [98], place), **RANGE)
    ours = ideal_profiles(lines, EDGES, b_iso=2.0).toarray()[0]
    cell = lattice, np.array([98]), np.array(place), np.ones(1)
    assert differences(ours, histogram(*equation_6(cell, 2.0))) == 0
    with pytest.raises(DiffsymError, match="an atomic number is not between 1 and 98"):
        Cells.of_one(lattice, [99], place)
    einsteinium = Entry(
        entry_id="1",
        lattice=lattice,
        frac_coords=np.array(place),
        site_mixtures=np.zeros(1, int),
        mixtures=[((99, 1.0),)],
    )
    with pytest.raises(EntryError, match="no form factors exist for the atomic number 99"):
        check_elements(einsteinium)


def test_a_bin_owns_its_lower_edge_and_the_last_its_upper_too():
    every = np.arange(10_001)
    assert np.array_equal(bins_of(EDGES, EDGES), [*every, 10_000])
    assert np.array_equal(bins_of(np.nextafter(EDGES, -np.inf), EDGES), [-1, *every])
    assert np.array_equal(bins_of(np.nextafter(EDGES, np.inf), EDGES), [*every, -1])
    assert np.array_equal(bins_of(ideal.axis(PROFILE), EDGES), every)


@crystals
@given(st.integers(1, 65_536), st.floats(0.01, 0.5), st.floats(0.5078125, 2.0), st.randoms())
def test_bins_are_those_of_a_histogram(bins, d_star_min, d_star_max, random):
    edges = bin_edges(d_star_min=d_star_min, d_star_max=d_star_max, bins=bins)
    chosen = edges[[random.randrange(bins + 1) for _ in range(20)]]
    d_star = np.concatenate([chosen, np.nextafter(chosen, 0), np.nextafter(chosen, 9), [0.0, 3.0]])
    found = bins_of(d_star, edges)
    counts = np.bincount(found[found >= 0], minlength=bins)
    assert np.array_equal(counts, np.histogram(d_star, edges)[0])


def test_lines_of_a_bin_add_up_with_their_displacement_factor():
    edges = bin_edges(d_star_min=0.2, d_star_max=0.6, bins=4)
    lines = Lines([0.1, 0.42, 0.48, 0.59, 0.7, 0.05], [9.0, 1, 3, 2, 9, 9], [0, 5, 6, 6])
    profiles = ideal_profiles(lines, edges, b_iso=2)
    third = np.exp(-(0.42**2)) + 3 * np.exp(-(0.48**2))
    expected = np.zeros((3, 4))
    expected[0, 2:] = [1, 2 * np.exp(-(0.59**2)) / third]
    assert profiles.dtype == np.float32
    assert profiles.nnz == 2
    assert profiles.toarray() == pytest.approx(expected, rel=1e-7)


def test_a_profile_does_not_depend_on_its_neighbours(amcsd_entries, profiles):
    alone, _ = ideal.compute(reflections.compute(amcsd_entries.slice(7, 1), TABLE), PROFILE)
    assert np.array_equal(alone.data, profiles[[7]].data)
    assert np.array_equal(alone.indices, profiles[[7]].indices)


def test_a_structure_without_a_line_is_rejected_with_its_reason(amcsd_entries):
    lines = reflections.compute(amcsd_entries.slice(0, 3), TABLE)
    narrow = replace(PROFILE, d_star_min=0.0101, d_star_max=0.0102)
    values, failures = ideal.compute(lines, narrow)
    assert values.nnz == 0
    assert [row for row, _ in failures] == [0, 1, 2]
    assert "between 1/d = 0.0101 and 0.0102 1/A; widen the range" in failures[0][1]


def test_an_empty_shard(amcsd_entries):
    values, failures = ideal.compute(reflections.compute(amcsd_entries.slice(0, 0), TABLE), PROFILE)
    assert values.shape == (0, 10_001)
    assert not failures
