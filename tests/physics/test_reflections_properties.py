"""What theory says of powder reflections, whatever the crystal."""

import json

import numpy as np
import pytest
import spglib
from crystals import cell_changes, crystals, lattices, moved, supercell
from hypothesis import given
from hypothesis import strategies as st
from powder_references import (
    direct_sum,
    march_dollase,
    merged_difference,
    reflections_one_by_one,
)
from study import REPOSITORY

from diffsym.errors import DiffsymError
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.symmetry import laue_group, merged_scatterers, primitive_cell, reduced_basis
from diffsym.scattering.types import Cells

ORACLES = json.loads((REPOSITORY / "tests" / "data" / "oracles" / "xrd_pymatgen.json").read_text())
COLUMNS = ("lattice", "atomic_numbers", "frac_coords", "occupancies")
# Ends that no line of a lattice in round numbers falls on.
RANGE = {"d_star_min": 0.0503, "d_star_max": 0.7013}


@st.composite
def cells(draw):
    """A lattice of any shape with one to four scatterers anywhere in it."""
    lattice = draw(lattices())
    n = draw(st.integers(1, 4))
    numbers = np.array([draw(st.integers(1, 98)) for _ in range(n)])
    # Few different places and occupancies, so that symmetry is common.
    coordinates = np.array([[draw(st.integers(0, 7)) for _ in range(3)] for _ in range(n)]) / 8
    occupancies = np.array([draw(st.sampled_from([0.25, 0.5, 1.0])) for _ in range(n)])
    return lattice, numbers, coordinates + 0.013, occupancies


def lines(cell, **changes):
    found = powder_reflections(Cells.of_one(*cell), **(RANGE | changes))
    return found.d_star, found.intensity


def oriented(cell, axis):
    """d*, intensity and |cos| of the lines of one structure, split by the angle to an axis."""
    found = powder_reflections(Cells.of_one(*cell), axes=[axis], **RANGE)
    return found.d_star, found.intensity, found.axis_cosine


def textured(parts, ratio):
    """d* and intensity of the parts of lines, or of reflections, under preferred orientation."""
    d_star, intensity, cosine = parts
    return d_star, intensity * march_dollase(cosine, ratio)


def assert_same(one, other):
    assert merged_difference(one, other, 1e-6) < 1e-6


def oracle(name):
    return tuple(np.array(ORACLES[name][column]) for column in COLUMNS)


@crystals
@given(cells(), st.sampled_from(["xray", "electron"]), st.floats(0, 3))
def test_sum_written_out(cell, radiation, b_iso):
    assert_same(
        lines(cell, radiation=radiation, b_iso=b_iso),
        direct_sum(cell, *RANGE.values(), radiation=radiation, b_iso=b_iso),
    )


@crystals
@given(cells(), cell_changes)
def test_any_cell_of_the_same_lattice(cell, change):
    """Intensities are per cell, so they grow with the square of its volume."""
    copies = round(abs(np.linalg.det(change)))
    d_star, intensity = lines(cell)
    assert_same(lines(supercell(cell, change)), (d_star, copies**2 * intensity))


@pytest.mark.parametrize("name", ORACLES)
def test_primitive_and_conventional_cell(name):
    cell = oracle(name)
    lattice, coordinates, numbers = spglib.find_primitive((cell[0], cell[2], cell[1]), symprec=1e-5)
    d_star, intensity = lines((lattice, numbers, coordinates, np.ones(len(numbers))))
    copies = len(cell[1]) / len(numbers)
    # The coordinates are rounded to eight decimals.
    assert merged_difference(lines(cell), (d_star, copies**2 * intensity), 1e-5) < 1e-6


@crystals
@given(moved(cells()))
def test_origin_order_and_orientation(pair):
    cell, other = pair
    assert_same(lines(other), lines(cell))


@crystals
@given(cells())
def test_friedel(cell):
    """A crystal and its mirror image have the same lines."""
    lattice, numbers, coordinates, occupancies = cell
    assert_same(lines((lattice, numbers, -coordinates, occupancies)), lines(cell))


@crystals
@given(cells(), st.floats(0.1, 0.9))
def test_a_site_may_be_shared(cell, share):
    """Two parts of one scatterer at one place are the scatterer."""
    lattice, numbers, coordinates, occupancies = cell
    split = (
        lattice,
        np.append(numbers, numbers[0]),
        np.vstack([coordinates, coordinates[0] + [1, 0, -1]]),
        np.append(occupancies, (1 - share) * occupancies[0]),
    )
    split[3][0] *= share
    assert_same(lines(split), lines(cell))


@crystals
@given(cells(), st.floats(0.1, 1), st.floats(0.1, 4))
def test_occupancy_and_displacement_common_to_all(cell, share, b_iso):
    lattice, numbers, coordinates, occupancies = cell
    d_star, intensity = lines(cell)
    thinned = lines((lattice, numbers, coordinates, share * occupancies), b_iso=b_iso)
    assert_same(thinned, (d_star, share**2 * intensity * np.exp(-b_iso / 2 * d_star**2)))


@crystals
@given(cells(), st.floats(0.2, 0.6))
def test_a_range_is_part_of_a_wider_one(cell, middle):
    d_star, intensity = lines(cell)
    gap = np.abs(d_star - middle).min(initial=1)
    below = lines(cell, d_star_max=middle)
    above = lines(cell, d_star_min=middle)
    if gap > 1e-5:
        joined = (np.concatenate([below[i], above[i]]) for i in range(2))
        for part, whole in zip(joined, (d_star, intensity), strict=True):
            np.testing.assert_allclose(part, whole, rtol=1e-12)


# Directions that are an axis of the lattice or of its reciprocal, and any others.
directions = st.sampled_from([(1, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1), (0.3, -0.5, 0.8)])


@crystals
@given(cells(), directions)
def test_parts_of_a_line_add_up_to_it(cell, axis):
    d_star, intensity, cosine = oriented(cell, axis)
    whole = lines(cell)
    places, starts = np.unique(d_star, return_index=True)
    assert places.tobytes() == whole[0].tobytes()
    np.testing.assert_allclose(np.add.reduceat(intensity, starts), whole[1], rtol=1e-7)
    assert (intensity > 0).all()
    assert (cosine <= 1).all()
    rises = np.diff(cosine)[np.diff(d_star) == 0]
    assert (rises > 1e-5).all()


@crystals
@given(cells(), directions, st.floats(0.5, 2))
def test_preferred_orientation_written_out(cell, axis, ratio):
    """Each reflection with its own factor of March."""
    hkl, d_star, intensity = reflections_one_by_one(cell, *RANGE.values())
    vectors = hkl @ np.linalg.inv(cell[0]).T
    cosine = vectors @ axis / np.linalg.norm(axis) / np.linalg.norm(vectors, axis=1)
    expected = textured((d_star, intensity, cosine), ratio)
    # Cosines within 1e-5 are one, see AXIS_COSINE_TOLERANCE.
    found = textured(oriented(cell, axis), ratio)
    assert merged_difference(found, expected, 1e-6) < 2e-4


@crystals
@given(moved(cells()), directions, cell_changes)
def test_orientation_in_another_description(pair, axis, change):
    """The axis turns with the crystal; cell, origin and order of atoms do not matter."""
    cell, other = pair
    turn = np.linalg.inv(cell[0]) @ other[0]
    copies = round(abs(np.linalg.det(change)))
    expected = oriented(cell, axis)
    for found, factor in (
        (oriented(other, axis @ turn), 1),
        (oriented(cell, -2.5 * np.array(axis)), 1),
        (oriented(supercell(cell, change), axis), copies**2),
    ):
        for weight in (lambda parts: textured(parts, 0.6), lambda parts: textured(parts, 1.7)):
            d_star, intensity = weight(expected)
            assert merged_difference(weight(found), (d_star, factor * intensity), 1e-6) < 2e-4


def test_faces_of_a_cube_stand_at_two_angles():
    """Of the six {100} two lie on the axis; of the twelve {110} four are normal to it."""
    simple_cubic = (np.diag([4.0, 4.0, 4.0]), [84], np.zeros((1, 3)), [1])
    d_star, intensity, cosine = oriented(simple_cubic, (0, 0, 3))
    np.testing.assert_allclose(d_star[:5] * 4, np.sqrt([1, 1, 2, 2, 3]))
    np.testing.assert_allclose(cosine[:5], np.sqrt([0, 1, 0, 1 / 2, 1 / 3]), atol=1e-12)
    assert intensity[0] == pytest.approx(2 * intensity[1])
    assert intensity[3] == pytest.approx(2 * intensity[2])
    # All axes of a form are one for a powder.
    for part, other in zip(
        oriented(simple_cubic, (1, 0, 0)), (d_star, intensity, cosine), strict=True
    ):
        np.testing.assert_allclose(part, other, atol=1e-12)


@pytest.mark.parametrize("axis", [(0, 0, 0), (np.nan, 0, 1), (0, 1)])
def test_an_axis_without_direction_is_refused(axis):
    with pytest.raises(DiffsymError, match="axis of three finite numbers"):
        oriented(oracle("Ni"), axis)


def test_both_ends_belong_to_the_range():
    simple_cubic = (np.diag([4.0, 4.0, 4.0]), [84], [[0, 0, 0]], [1])
    d_star, _ = lines(simple_cubic, d_star_min=0.25, d_star_max=0.5)
    np.testing.assert_allclose(d_star, np.sqrt([1, 2, 3, 4]) / 4)


def test_lines_rise_and_are_apart():
    for name in ORACLES:
        d_star, intensity = lines(oracle(name))
        assert (np.diff(d_star) > 1e-6 * d_star[1:]).all()
        assert (intensity > 0).all()


@pytest.mark.parametrize("name", ORACLES)
def test_symmetry_found_is_that_of_spglib(name):
    lattice, numbers, coordinates, occupancies = oracle(name)
    _, coordinates_, _, kinds = merged_scatterers(lattice, numbers, coordinates, occupancies)
    basis, primitive, kept, copies = primitive_cell(lattice, kinds, coordinates_)
    operations, centrosymmetric, _ = laue_group(basis, kinds[kept], primitive)
    dataset = spglib.get_symmetry_dataset((lattice, coordinates, numbers), symprec=1e-5)
    n_translations = (dataset.rotations == np.eye(3, dtype=int)).all(axis=(1, 2)).sum()
    proper = {(W * round(np.linalg.det(W))).tobytes() for W in dataset.rotations}
    assert copies == n_translations
    assert len(operations) == len(proper)
    assert centrosymmetric == (dataset.rotations == -np.eye(3, dtype=int)).all(axis=(1, 2)).any()


@crystals
@given(cells(), cell_changes)
def test_reduced_basis(cell, change):
    lattice = change @ cell[0]
    matrix = reduced_basis(lattice)
    a, b, c = matrix @ lattice
    assert abs(np.linalg.det(matrix)) == pytest.approx(1)
    assert (matrix == np.rint(matrix)).all()
    lengths = [np.linalg.norm(v) for v in (a, b, c)]
    assert np.diff(lengths).min() > -1e-9
    others = [b + s * a for s in (1, -1)]
    assert min(np.linalg.norm(v) for v in others) >= lengths[1] * (1 - 1e-8)
    others = [c + s * a + t * b for s in (-1, 0, 1) for t in (-1, 0, 1)]
    assert min(np.linalg.norm(v) for v in others) >= lengths[2] * (1 - 1e-8)


def test_batch_and_neighbours_do_not_matter():
    """Bit for bit: alone, together, in another order; an impossible structure has no line."""
    names = list(ORACLES)
    members = [oracle(name) for name in names]
    members.insert(3, (np.zeros((3, 3)), *oracle("Ni")[1:]))

    def together(cells):
        joined = Cells(
            np.array([cell[0] for cell in cells]),
            np.concatenate([[0], np.cumsum([len(cell[1]) for cell in cells])]),
            *(np.concatenate([cell[column] for cell in cells]) for column in (1, 2, 3)),
        )
        found = powder_reflections(joined, **RANGE)
        return [np.stack([found[k].d_star, found[k].intensity]) for k in range(len(found))]

    found = together(members)
    backwards = together(members[::-1])[::-1]
    assert found[3].shape == (2, 0)
    for cell, one, other in zip(members, found, backwards, strict=True):
        assert one.tobytes() == other.tobytes()
        if cell[0].any():
            assert one.tobytes() == np.stack(lines(cell)).tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"d_star_min": 0.8},
        {"d_star_min": -0.1},
        {"d_star_max": 4.1},
        {"d_star_max": np.nan},
        {"b_iso": -1.0},
    ],
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(DiffsymError, match="d_star_min < d_star_max <= 4 and b_iso >= 0"):
        lines(oracle("Ni"), **change)


def test_unknown_radiation_is_refused():
    with pytest.raises(DiffsymError, match="xray, electron"):
        lines(oracle("Ni"), radiation="neutron")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (0, np.zeros((3, 3)), "volume"),
        (0, np.full((3, 3), np.nan), "finite"),
        (2, np.full((4, 3), np.inf), "finite"),
        (3, np.zeros(4), "occupancy"),
        (1, np.zeros(4, dtype=int), "atomic number"),
        (1, np.full(4, 99), "between 1 and 98"),
    ],
)
def test_impossible_structures_are_refused(column, value, reason):
    cell = list(oracle("Ni"))
    cell[column] = value
    with pytest.raises(DiffsymError, match=reason):
        lines(cell)


def test_arrays_that_do_not_fit_are_refused():
    lattice, numbers, coordinates, occupancies = oracle("Ni")
    with pytest.raises(ValueError, match="4 scatterers need"):
        Cells.of_one(lattice, numbers, coordinates[1:], occupancies)


def test_a_structure_without_scatterers_is_refused():
    empty = (np.eye(3), np.empty(0, dtype=int), np.empty((0, 3)), np.empty(0))
    with pytest.raises(DiffsymError, match="no scatterer"):
        lines(empty)
