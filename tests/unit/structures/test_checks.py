"""Each physical check lets a good entry pass and names what is wrong with a bad one."""

from dataclasses import replace

import numpy as np
import pytest

from diffsym.settings.checks import Checks
from diffsym.structures.checks import check_entry
from diffsym.structures.entries import Entry, EntryError, index_mixtures


def make_entry(lattice, sites, **facts):
    """Entry from (mixture, position) pairs."""
    mixtures, site_mixtures = index_mixtures([mixture for mixture, _ in sites])
    positions = np.array([position for _, position in sites], dtype=float).reshape(-1, 3)
    return Entry(
        "test", np.array(lattice, dtype=float), positions, mixtures, site_mixtures, **facts
    )


CAESIUM_CHLORIDE = make_entry(
    np.eye(3) * 4.12,
    [(((55, 1.0),), (0, 0, 0)), (((17, 1.0),), (0.5, 0.5, 0.5))],
    expected_composition={55: 1.0, 17: 1.0},
    expected_density=3.997,
)


def test_good_entry_passes():
    check_entry(CAESIUM_CHLORIDE, Checks())


def with_site(mixture, position):
    sites = [(((55, 1.0),), (0, 0, 0)), (((17, 1.0),), (0.5, 0.5, 0.5)), (mixture, position)]
    return make_entry(np.eye(3) * 4.12, sites)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (replace(CAESIUM_CHLORIDE, lattice=np.eye(3) * np.nan), "not_finite"),
        (replace(CAESIUM_CHLORIDE, frac_coords=np.full((2, 3), np.inf)), "not_finite"),
        (replace(CAESIUM_CHLORIDE, lattice=np.zeros((3, 3))), "cell_volume"),
        (replace(CAESIUM_CHLORIDE, lattice=np.eye(3)), "cell_volume"),
        (make_entry(np.eye(3) * 4, []), "no_atoms"),
        (make_entry(np.eye(3) * 4, [(((104, 1.0),), (0, 0, 0))]), "unknown_element"),
        (make_entry(np.eye(3) * 4, [(((0, 1.0),), (0, 0, 0))]), "unknown_element"),
        (make_entry(np.eye(3) * 4, [(((26, 0.7), (28, 0.5)), (0, 0, 0))]), "occupancy"),
        (make_entry(np.eye(3) * 4, [(((26, -0.1),), (0, 0, 0))]), "occupancy"),
        (with_site(((8, 1.0),), (0.9, 0, 0)), "distance"),
        (replace(CAESIUM_CHLORIDE, expected_composition={55: 1.0, 17: 2.0}), "composition"),
        (replace(CAESIUM_CHLORIDE, expected_composition={55: 1.0, 35: 1.0}), "composition"),
        (replace(CAESIUM_CHLORIDE, expected_density=4.5), "density"),
    ],
)
def test_bad_entries_are_named(entry, code):
    with pytest.raises(EntryError) as caught:
        check_entry(entry, Checks())
    assert caught.value.code == code
    assert caught.value.reason


def test_alternatives_may_be_close():
    check_entry(
        make_entry(np.eye(3) * 4, [(((26, 0.5),), (0, 0, 0)), (((28, 0.5),), (0.1, 0, 0))]),
        Checks(),
    )


def test_distance_to_the_own_translate_counts():
    flat = make_entry(np.diag([0.8, 9, 9]), [(((26, 1.0),), (0, 0, 0))])
    with pytest.raises(EntryError, match=r"0\.800 A"):
        check_entry(flat, Checks())


def test_hydrogen_may_be_close_and_may_be_missing():
    check_entry(with_site(((1, 1.0),), (0.18, 0, 0)), Checks())
    check_entry(
        replace(
            CAESIUM_CHLORIDE,
            expected_composition={55: 1.0, 17: 1.0, 1: 4.0},
            expected_density=4.092,
        ),
        Checks(),
    )
