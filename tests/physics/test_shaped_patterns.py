"""Shaped and spot patterns: real structures, pictures drawn by hand, and what may not matter."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import ndimage

from diffsym.descriptors import electron
from diffsym.descriptors.electron import (
    brightness,
    conventional_cells,
    find_nodes,
    images_of,
    joined_pairs,
    sorted_axes,
)
from diffsym.errors import DiffsymError
from diffsym.scattering.types import Cells
from diffsym.settings.descriptors.electron import Electron

COORDINATES = "conventional_frac_coords"


def replaced(table, name, lists):
    index = table.schema.get_field_index(name)
    return table.set_column(index, name, pa.array(lists, table.schema.field(name).type))


def by_system(table, system, largest=60):
    small = pc.less_equal(pc.list_value_length(table["conventional_atomic_numbers"]), largest)
    return table.filter(pc.and_(small, pc.equal(table["crystal_system"], system)))


def spots(places, radius=2.5, pixels=96):
    """Picture with a round Gaussian spot of a given width at each place."""
    rows, columns = np.mgrid[:pixels, :pixels]
    picture = np.zeros((pixels, pixels))
    for row, column, height in places:
        squares = (rows - row) ** 2 + (columns - column) ** 2
        picture = np.maximum(picture, height * np.exp(-squares / (2 * (radius / 1.8) ** 2)))
    return picture


def square_lattice(spacing, n, pixels=96, height=1.0):
    middle = (pixels - 1) / 2
    steps = spacing * (np.arange(n) - (n - 1) / 2) + middle
    return [(row, column, height) for row in steps for column in steps]


def patterns_of(structures, **changes):
    return electron.compute(structures, Electron(kind="electron", **changes))


def four_atoms(cell):
    """Vectors from the first atom to the three others, A."""
    return np.diff(cell.frac_coords, axis=0).cumsum(axis=0) @ cell.lattices[0]


def drawn(picture, threshold=0.2):
    return electron.shaped(picture, threshold=threshold)


def test_real_structures(amcsd_entries):
    table = amcsd_entries.slice(0, 60)
    spot, failures = patterns_of(table, pattern="spot")
    lines, more = patterns_of(table, pattern="shaped")
    assert not failures
    assert not more
    assert spot.shape == lines.shape == (60, 224, 224, 3)
    assert spot.dtype == lines.dtype == np.uint8
    assert (lines >= spot).all()
    # Every picture has its direct beam in the middle, and most have lines.
    assert (spot[:, 111:113, 111:113] == 255).all()
    assert ((lines > spot).any(axis=(1, 2)).mean(axis=0) > 0.8).all()


def test_the_spot_pattern_is_the_images_themselves(amcsd_entries):
    (values,), _ = patterns_of(amcsd_entries.slice(3, 1), pattern="spot", exponent=1.0)
    (cell,) = conventional_cells(amcsd_entries.slice(3, 1))
    for channel, image in enumerate(images_of(cell, Electron(kind="electron", pattern="spot"))):
        q = (2 * np.arange(224) + 1) / 224 - 1
        outside = np.hypot(*np.meshgrid(q, q)) > 0.06
        expected = 255 * np.minimum(image / image[outside].max(), 1)
        assert np.abs(values[..., channel] - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("pattern", ["spot", "shaped"])
def test_any_origin(amcsd_entries, pattern):
    table = amcsd_entries.slice(100, 40)
    generator = np.random.default_rng(0)
    shifted = [
        (np.reshape(row, (-1, 3)) + generator.uniform(-1, 1, 3)).ravel()
        for row in table[COORDINATES].to_pylist()
    ]
    ours, _ = patterns_of(table, pattern=pattern)
    theirs, _ = patterns_of(replaced(table, COORDINATES, shifted), pattern=pattern)
    # Rounding may decide a value that lies half way between two bytes.
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-5


def test_the_same_bytes_again_and_alone(amcsd_entries):
    table = amcsd_entries.slice(20, 10)
    together, _ = patterns_of(table, pattern="shaped")
    again, _ = patterns_of(table, pattern="shaped")
    alone, _ = patterns_of(table.slice(7, 1), pattern="shaped")
    assert np.array_equal(together, again)
    assert np.array_equal(together[7], alone[0])


def test_cubic_crystals_of_high_symmetry(amcsd_entries):
    cubic = by_system(amcsd_entries, "cubic")
    high = cubic.filter(pc.greater_equal(cubic["space_group"], 207))
    assert high.num_rows > 5
    values, _ = patterns_of(high, pattern="shaped")
    values = values.astype(int)
    for turned in (
        np.rot90(values, axes=(1, 2)),
        values[:, ::-1],
        values.transpose(0, 2, 1, 3),
        np.roll(values, 1, axis=3),
    ):
        assert np.abs(turned - values).max() <= 1


def test_hexagonal_crystals_are_sixfold_along_z(amcsd_entries):
    hexagonal = by_system(amcsd_entries, "hexagonal")
    assert hexagonal.num_rows > 3
    values, _ = patterns_of(hexagonal, pattern="spot", ewald="plane", size=15.0, beam_stop=0.12)
    q = (2 * np.arange(224) + 1) / 224 - 1
    radius = np.hypot(*np.meshgrid(q, q))
    inside = (radius > 0.15) & (radius < 0.95)
    for picture in values[..., 2].astype(float):
        turned = ndimage.rotate(picture, 60, reshape=False, order=3)
        # The error is that of bicubic interpolation, largest where brightness is cut off at 1.
        assert np.abs(turned - picture)[inside].max() < 20
        assert np.corrcoef(turned[inside], picture[inside])[0, 1] > 0.998


def test_orthorhombic_axes_follow_their_lengths(amcsd_entries):
    table = by_system(amcsd_entries, "orthorhombic")
    assert table.num_rows > 10
    for cell in conventional_cells(table):
        a, b, _ = np.diag(cell.lattices[0])
        assert a <= b
    motif = np.array([[0.1, 0.2, 0.3], [0.6, 0.85, 0.15], [0.3, 0.4, 0.9], [0.2, 0.7, 0.5]])
    cell = Cells.of_one(np.diag([9.0, 4.0, 6.0]), [14, 8, 8, 8], motif)
    lengths = {
        centring: np.diag(sorted_axes(cell, centring).lattices[0]).tolist() for centring in "PIFAC"
    }
    assert lengths == {
        "P": [4, 6, 9],
        "I": [4, 6, 9],
        "F": [4, 6, 9],
        "A": [4, 6, 9],
        "C": [4, 9, 6],
    }
    # Neither the distances of the atoms nor the hand of the crystal change.
    hand = np.linalg.det(four_atoms(cell))
    for centring in "PC":
        turned = sorted_axes(cell, centring)
        ours, theirs = (bonds @ bonds.T for bonds in (four_atoms(cell), four_atoms(turned)))
        np.testing.assert_allclose(ours, theirs)
        assert np.linalg.det(four_atoms(turned)) == pytest.approx(hand)


def test_an_impossible_structure_is_reported(amcsd_entries):
    table = amcsd_entries.slice(0, 3)
    broken = table[COORDINATES].to_pylist()
    broken[1][0] = np.nan
    values, failures = patterns_of(replaced(table, COORDINATES, broken), pattern="shaped")
    assert [row for row, _ in failures] == [1]
    assert "not a finite number" in failures[0][1]
    assert values[0].any()
    assert not values[1].any()


def test_an_empty_shard(amcsd_entries):
    values, failures = patterns_of(amcsd_entries.slice(0, 0), pattern="shaped")
    assert values.shape == (0, 224, 224, 3)
    assert not failures


def test_settings_out_of_range(amcsd_entries):
    with pytest.raises(DiffsymError, match="pattern is one of shaped, spot, not 'edges'"):
        patterns_of(amcsd_entries.slice(0, 1), pattern="edges")
    with pytest.raises(DiffsymError, match="one of the shapes"):
        patterns_of(amcsd_entries.slice(0, 1), pattern="spot", shape="sphere")


def test_brightness():
    image = np.array([[4.0, 0, 0, 1], [0, 900, 900, 0], [0, 900, 900, 0], [0, 0, 0, 0]])
    expected = np.array([[1, 0, 0, 0.5], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert np.array_equal(brightness(image, exponent=0.5, covered=0.5), expected)
    assert not brightness(np.zeros((4, 4)), exponent=0.5, covered=0.5).any()


def test_the_direct_beam_alone_stays_a_spot():
    lonely = spots([(47.5, 47.5, 1.0)]) ** 2
    picture = brightness(lonely, exponent=0.5, covered=0.25)
    nodes = find_nodes(picture, threshold=0.2)
    assert len(nodes.sizes) == 1
    assert nodes.sizes[0] < 200
    assert np.array_equal(drawn(picture), picture)


def test_nodes():
    picture = spots([(20, 30, 1.0), (60.3, 30.6, 0.6)])
    nodes = find_nodes(picture, threshold=0.2)
    np.testing.assert_allclose(nodes.centres, [[20, 30], [60.3, 30.6]], atol=0.1)
    np.testing.assert_allclose(nodes.brightness, [1.0, 0.6], atol=0.05)
    assert nodes.sizes.tolist() == [(picture[:40] >= 0.2).sum(), (picture[40:] >= 0.2).sum()]
    # Pixels that touch at a corner only are one node.
    assert len(find_nodes(np.eye(5), threshold=0.2).sizes) == 1


def test_which_nodes_are_joined():
    # Of a square lattice sides and diagonals (1.41), but not two steps (2).
    nodes = find_nodes(spots(square_lattice(14, 3)), threshold=0.2)
    pairs = joined_pairs(nodes)
    assert len(pairs) == 12 + 8
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert (np.diff(pairs[:, 0]) >= 0).all()
    # Of a hexagonal one only sides: second neighbours are 1.73 times as far.
    ring = [(47.5 + 20 * np.sin(t), 47.5 + 20 * np.cos(t), 1.0) for t in np.arange(6) * np.pi / 3]
    assert len(joined_pairs(find_nodes(spots([(47.5, 47.5, 1.0), *ring]), threshold=0.2))) == 12


def test_all_pairs_one_by_one():
    places = np.random.default_rng(1).uniform(0, 224, (400, 2))
    nodes = electron.Nodes(places, np.ones(400, int), np.ones(400))
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    one, other = np.triu_indices(400, 1)
    close = distances[one, other] < 1.7 * distances[one, other].min()
    assert joined_pairs(nodes).tolist() == np.column_stack([one, other])[close].tolist()


def test_a_line_follows_its_nodes():
    picture = spots([(48, 20, 1.0), (48, 70, 0.5)])
    picture += spots([(48, 20, 1.0)], radius=7)  # wide and bright on the left
    picture = np.minimum(picture, 1)
    lines = drawn(picture)
    nodes = find_nodes(picture, threshold=0.2)
    (left, right), along = nodes.centres[:, 1], lines[48]
    middle = round((left + right) / 2)
    assert along[middle] == pytest.approx(nodes.brightness.mean(), abs=0.02)
    assert (np.diff(along[round(left) : round(right)]) <= 1e-12).all()
    # Between the nodes as wide as the mean of their diameters.
    diameters = 2 * np.sqrt(nodes.sizes / np.pi)
    assert (lines[:, middle] / along[middle]).sum() == pytest.approx(diameters.mean(), abs=0.6)
    assert diameters[0] > 2 * diameters[1]


def test_one_spot_and_none():
    one = spots([(30, 40, 0.9)])
    assert np.array_equal(drawn(one), one)
    none = np.zeros((96, 96))
    assert np.array_equal(drawn(none), none)
    assert len(find_nodes(none, threshold=0.2).sizes) == 0


def test_hundreds_of_spots():
    picture = spots(square_lattice(8, 25, pixels=224), radius=1.6, pixels=224)
    nodes = find_nodes(picture, threshold=0.2)
    assert len(nodes.sizes) == 625
    assert len(joined_pairs(nodes)) == 2 * 25 * 24 + 2 * 24 * 24
    lines = drawn(picture)
    assert (lines >= picture).all()
    np.testing.assert_allclose(np.rot90(lines), lines, atol=1e-9)
    np.testing.assert_allclose(lines.T, lines, atol=1e-9)


def test_spots_that_touch_are_one_node():
    picture = spots([(40, 40, 1.0), (40, 43, 1.0), (40, 70, 1.0)])
    nodes = find_nodes(picture, threshold=0.2)
    assert len(nodes.sizes) == 2
    assert nodes.centres[0] == pytest.approx([40, 41.5], abs=0.05)
