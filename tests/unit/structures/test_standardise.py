"""Standard cells and labels do not depend on how a structure is written down."""

from dataclasses import replace

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from diffsym.structures.entries import Rejection
from diffsym.structures.shards import structure_row
from diffsym.structures.standardise import conventional_cell, list_scatterers, primitive_cell
from diffsym.structures.symmetry import find_symmetry, space_group_at

# Ceria, rhodochrosite, Co2SiO4, a spinel solid solution, galena, marcasite, HoPO4, minium.
ENTRIES = (11686, 100, 401, 4917, 3, 8, 1709, 13354)


@pytest.mark.parametrize("identifier", ENTRIES)
def test_primitive_cell_is_that_of_spglib(read_entry, identifier):
    entry = read_entry(identifier)
    primitive = primitive_cell(find_symmetry(entry, 0.01))
    lattice, positions, numbers = spglib.standardize_cell(
        (entry.lattice, entry.frac_coords, entry.site_mixtures), to_primitive=True, symprec=0.01
    )
    np.testing.assert_allclose(primitive.lattice, lattice, atol=1e-8)
    assert sorted(numbers) == sorted(primitive.site_mixtures)
    for position, number in zip(positions, numbers, strict=True):
        difference = primitive.frac_coords[primitive.site_mixtures == number] - position
        assert np.abs(difference - np.rint(difference)).max(axis=1).min() < 1e-6


def test_primitive_volume_is_that_of_setyawan_and_curtarolo(source):
    """Our cells have other axes than those of Setyawan & Curtarolo (2010), but the same contents.

    pymatgen builds theirs from spglib's conventional cell; 200 entries all over the database.
    """
    identifiers = source.identifiers()
    compared = 0
    for entry in source.read(identifiers[:: len(identifiers) // 200]):
        if isinstance(entry, Rejection):
            continue
        symmetry = find_symmetry(entry, 0.01)
        # An element for each mixture, from potassium on: the volume does not depend on which it is.
        structure = Structure(entry.lattice, entry.site_mixtures + 19, entry.frac_coords)
        # spglib's own tolerance of angles, as ours: 5 degrees make another group of entry 15287.
        analyzer = SpacegroupAnalyzer(structure, symprec=0.01, angle_tolerance=-1)
        theirs = analyzer.get_primitive_standard_structure()
        ours = primitive_cell(symmetry)
        assert ours.volume == pytest.approx(theirs.volume, rel=1e-8)
        assert len(ours.frac_coords) == len(theirs)
        compared += 1
    assert compared > 190


@pytest.mark.parametrize("identifier", ENTRIES)
def test_orbits_are_those_of_the_primitive_cell(read_entry, identifier):
    """spglib finds the same orbits when it is given the primitive cell itself."""
    entry = read_entry(identifier)
    primitive = primitive_cell(find_symmetry(entry, 0.01))
    again = spglib.get_symmetry_dataset(
        (primitive.lattice, primitive.frac_coords, primitive.site_mixtures), symprec=0.01
    )
    assert primitive.site_orbits.tolist() == again.crystallographic_orbits.tolist()
    assert again.number == find_symmetry(entry, 0.01).number


@pytest.mark.parametrize("identifier", ENTRIES)
def test_contents_are_kept(read_entry, identifier):
    entry = read_entry(identifier)
    symmetry = find_symmetry(entry, 0.01)
    conventional = conventional_cell(symmetry)
    density = sum(entry.amounts().values()) / abs(np.linalg.det(entry.lattice))
    for cell in (conventional, primitive_cell(symmetry)):
        scatterers = list_scatterers(cell, entry.mixtures)
        assert scatterers.occupancies.sum() / cell.volume == pytest.approx(density, rel=1e-6)
        assert scatterers.orbits.max() < len(scatterers.orbits)
        assert (scatterers.orbits[scatterers.orbits] == scatterers.orbits).all()
        same = scatterers.atomic_numbers[scatterers.orbits]
        assert (same == scatterers.atomic_numbers).all()


integers = st.integers(-2, 2)


@settings(max_examples=30, deadline=None)
@given(
    identifier=st.sampled_from(ENTRIES),
    shear=st.tuples(integers, integers, integers),
    origin=st.tuples(*[st.floats(0, 1)] * 3),
    seed=st.integers(0, 2**32 - 1),
    doubled=st.booleans(),
)
def test_description_does_not_matter(source, identifier, shear, origin, seed, doubled):
    """Another cell, origin, orientation and order of atoms give the same row."""
    (entry,) = source.read([str(identifier)])
    random = np.random.default_rng(seed)
    # New rows of the lattice: unimodular, then the first axis doubled.
    change = np.array([[1, shear[0], shear[1]], [0, 1, shear[2]], [0, 0, 1]], dtype=float)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    coordinates = (entry.frac_coords + origin) @ np.linalg.inv(change)
    mixtures = entry.site_mixtures
    if doubled:
        translate = coordinates + np.array([1, 0, 0])
        coordinates = np.concatenate([coordinates, translate]) / [2, 1, 1]
        mixtures = np.concatenate([mixtures, mixtures])
        change = np.diag([2, 1, 1]) @ change
    order = random.permutation(len(mixtures))
    other = replace(
        entry,
        lattice=change @ entry.lattice @ (rotation * np.linalg.det(rotation)),
        frac_coords=(coordinates % 1.0)[order],
        site_mixtures=mixtures[order],
    )
    first, second = (
        structure_row(item, source, find_symmetry(item, 0.01), [None]) for item in (entry, other)
    )
    for column in ("formula", "space_group", "structure_type", "crystal_system"):
        assert first[column] == second[column]
    for column in ("primitive_volume", "number_density", "density"):
        assert first[column] == pytest.approx(second[column], rel=1e-6)


def test_partial_occupancies_break_symmetry(read_entry):
    """Sites count as equal only if they hold the same mixture."""
    entry = read_entry(11153)  # nickel, four sites in the cubic cell
    assert find_symmetry(entry, 0.01).number == 225
    ordered = replace(
        entry,
        mixtures=(((28, 1.0),), ((28, 0.5), (29, 0.5))),
        site_mixtures=np.array([1, 0, 0, 0]),
    )
    assert find_symmetry(ordered, 0.01).number == 221


def test_failure_of_spglib_is_no_crash(read_entry):
    entry = read_entry(11153)
    coincident = replace(entry, frac_coords=np.zeros((4, 3)))
    assert find_symmetry(coincident, 0.01) is None


def number_at(entry, tolerance):
    """What a search of its own finds."""
    symmetry = find_symmetry(entry, tolerance)
    return None if symmetry is None else symmetry.number


def test_space_groups_at_other_tolerances_are_those_of_a_search(source):
    identifiers = source.identifiers()
    for entry in source.read(identifiers[:: len(identifiers) // 100]):
        if isinstance(entry, Rejection):
            continue
        found = find_symmetry(entry, 0.01)
        for tolerance in (0.001, 0.01, 0.1):
            assert space_group_at(entry, found, 0.01, tolerance) == number_at(entry, tolerance)


def test_a_tighter_tolerance_sees_a_displacement(read_entry):
    nickel = read_entry(11153)
    coordinates = nickel.frac_coords.copy()
    coordinates[1] += 0.005 / nickel.lattice[0, 0]
    displaced = replace(nickel, frac_coords=coordinates)
    found = find_symmetry(displaced, 0.01)
    assert found.number == 225
    assert space_group_at(displaced, found, 0.01, 0.001) == number_at(displaced, 0.001) != 225


def test_a_looser_tolerance_sees_a_translation(read_entry):
    """Atoms almost, but not quite, at the middles of the edges of cubes of half the size."""
    along_axes = np.vstack([np.eye(3), -np.eye(3)]) * (0.25 + 0.01 / 8)
    centring = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    entry = replace(
        read_entry(11153),
        lattice=8 * np.eye(3),
        frac_coords=(along_axes[:, None] + centring).reshape(-1, 3),
        site_mixtures=np.zeros(24, dtype=int),
    )
    found = find_symmetry(entry, 0.01)
    assert found.number == 225
    assert space_group_at(entry, found, 0.01, 0.1) == number_at(entry, 0.1) == 221


def test_a_looser_tolerance_sees_sites_that_coincide(read_entry):
    nickel = read_entry(11153)
    split = np.vstack([nickel.frac_coords + shift * np.eye(3)[0] for shift in (0.01, -0.01)])
    entry = replace(nickel, frac_coords=split, site_mixtures=np.zeros(8, dtype=int))
    found = find_symmetry(entry, 0.01)
    assert space_group_at(entry, found, 0.01, 0.1) == number_at(entry, 0.1)
