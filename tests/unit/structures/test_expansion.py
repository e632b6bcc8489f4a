"""Expansion of the asymmetric unit, against pymatgen's symmetry operations and spglib."""

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st

from diffsym.structures.operations import SymmetryOperations, wrap
from diffsym.structures.sources.expansion import expand_asymmetric_unit, multiplicity, orbit


def operations_of(hall_number):
    database = spglib.get_symmetry_from_database(hall_number)
    return SymmetryOperations(database["rotations"].astype(float), database["translations"])


FD3M, CUBE = operations_of(525), np.eye(3) * 8.4
coordinates = st.floats(-0.99, 0.99, allow_nan=False)


@pytest.mark.parametrize(
    ("point", "expected"),
    [((0, 0, 0), 8), ((0.625, 0.625, 0.625), 16), ((0.1, 0.1, 0.1), 32), ((0.1, 0.2, 0.35), 192)],
)
def test_multiplicities_of_the_international_tables(point, expected):
    assert multiplicity(np.array(point, dtype=float), FD3M, CUBE) == expected
    assert len(orbit(np.array(point, dtype=float), FD3M)) == expected


@settings(max_examples=50, deadline=None)
@given(st.tuples(coordinates, coordinates, coordinates), st.integers(1, 530))
def test_orbit_is_closed_under_the_group(point, hall_number):
    operations = operations_of(hall_number)
    sites = orbit(np.array(point), operations)
    assert len(operations.rotations) % len(sites) == 0
    assert ((sites >= 0) & (sites < 1)).all()
    again = orbit(sites[-1], operations)
    assert len(again) == len(sites)
    difference = again[:, None] - sites[None]
    nearest = np.abs(difference - np.rint(difference)).max(axis=2).min(axis=1)
    assert nearest.max() < 1e-5


def test_rounded_special_position_is_restored():
    sites, mixtures = expand_asymmetric_unit(
        np.array([[0.1001, 0.1, 0.0999]]), [(8, 1.0)], FD3M, CUBE, tolerance=0.05
    )
    assert len(sites) == 32
    assert mixtures == [((8, 1.0),)] * 32


def test_images_that_are_alternatives_add_up():
    _, mixtures = expand_asymmetric_unit(
        np.array([[0.101, 0.1, 0.1]]), [(8, 0.25)], FD3M, CUBE, tolerance=0.05
    )
    assert mixtures == [((8, 0.75),)] * 32


def test_species_of_one_site_are_joined():
    points = np.array([[0, 0, 0], [0.0005, 0, 0], [0.5, 0.5, 0]])
    species = [(26, 0.4), (25, 0.3), (26, 0.2)]
    sites, mixtures = expand_asymmetric_unit(points, species, FD3M, CUBE, tolerance=0.05)
    assert len(sites) == 8
    assert set(mixtures) == {((25, 0.3), (26, 0.6))}


def test_empty_sites_vanish():
    sites, mixtures = expand_asymmetric_unit(
        np.array([[0.0, 0, 0]]), [(26, 0.0)], FD3M, CUBE, tolerance=0.05
    )
    assert sites.shape == (0, 3)
    assert mixtures == []


def test_wrap_never_gives_one():
    assert wrap(np.array([-1e-20, 1.0, -0.25, 2.5])).tolist() == [0.0, 0.0, 0.75, 0.5]
