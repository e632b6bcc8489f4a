"""Preferred orientation from the structures table to the pattern, against sums written out.

The references enumerate the reflections of the conventional cell and take angles from its metric,
while the table is made from the primitive cell in Cartesian coordinates.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from powder_references import march_dollase, merged_difference, reflections_one_by_one

from diffsym.descriptors import ideal, powder, reflections
from diffsym.descriptors.lines import lines_of
from diffsym.scattering.powder import Imperfections, PeakShape, powder_pattern, two_theta_grid
from diffsym.scattering.types import Lines
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.reflections import Reflections
from diffsym.tables import REFLECTIONS, conform, read_table, write_table

TABLE = Reflections(d_star_min=0.01, d_star_max=0.6)
PATTERN = Powder(kind="powder", two_theta_max=50.0, two_theta_step=0.02)
AXES = [(0, 0, 1), (1, 0, 0), (1, 1, 0), (2, -1, 3)]
LARGEST_CELL = 60


@pytest.fixture(scope="module")
def structures(amcsd_structures):
    """Structures of all crystal systems that brute force can deal with."""
    chosen, seen = [], {}
    for row, entry in enumerate(amcsd_structures.to_pylist()):
        system = entry["crystal_system"]
        small = len(entry["conventional_atomic_numbers"]) <= LARGEST_CELL
        if small and seen.get(system, 0) < 4:
            seen[system] = seen.get(system, 0) + 1
            chosen.append(row)
    assert len(seen) >= 6
    return amcsd_structures.take(chosen)


def table_of(structures, axis=None):
    return conform(
        reflections.compute(structures, replace(TABLE, preferred_axis=axis)),
        REFLECTIONS,
        "reflections",
    )


def written_out(entry, axis):
    """d*, intensity per primitive cell and cosine of all h, k, l of the conventional cell."""
    lattice = np.reshape(entry["conventional_lattice"], (3, 3))
    cell = (
        lattice,
        np.array(entry["conventional_atomic_numbers"]),
        np.reshape(entry["conventional_frac_coords"], (-1, 3)),
        np.array(entry["conventional_occupancies"]),
    )
    hkl, d_star, intensity = reflections_one_by_one(cell, TABLE.d_star_min, TABLE.d_star_max)
    metric = np.linalg.inv(lattice @ lattice.T)
    cosine = hkl @ metric @ axis / d_star / np.sqrt(axis @ metric @ np.array(axis))
    copies = round(abs(np.linalg.det(lattice)) / entry["primitive_volume"])
    return d_star, intensity / copies**2, cosine


def parts_of(table, row):
    return (
        np.array(table[column][row].as_py()) for column in ("d_star", "intensity", "axis_cosine")
    )


def test_cells_of_the_table_share_their_frame(amcsd_structures):
    """Primitive vectors are halves and thirds of sums of conventional ones, in one Cartesian frame.

    Which, follows from the centring alone.
    """
    centrings = {}
    for entry in amcsd_structures.to_pylist():
        primitive, conventional = (
            np.reshape(entry[name], (3, 3)) for name in ("lattice", "conventional_lattice")
        )
        change = primitive @ np.linalg.inv(conventional)
        np.testing.assert_allclose(6 * change, np.rint(6 * change), atol=1e-6)
        copies = round(1 / abs(np.linalg.det(change)))
        centrings.setdefault(copies, set()).add(np.rint(6 * change).astype(int).tobytes())
    assert len(centrings[1]) == 1
    assert centrings.keys() == {1, 2, 3, 4}
    assert len(centrings[3]) == len(centrings[4]) == 1
    assert len(centrings[2]) <= 3  # A, C and I


@pytest.mark.parametrize("axis", AXES)
def test_table_against_a_sum_over_all_reflections(structures, axis):
    """With a March factor of its own for every h, k, l."""
    table = table_of(structures, axis)
    for row, entry in enumerate(structures.to_pylist()):
        d_star, intensity, cosine = written_out(entry, axis)
        place, height, angle = parts_of(table, row)
        for ratio in (0.6, 1, 1.5):
            difference = merged_difference(
                (place, height * march_dollase(angle, ratio)),
                (d_star, intensity * march_dollase(cosine, ratio)),
                1e-6,
            )
            # Coordinates of the two cells agree to what spglib's projections leave.
            assert difference < 2e-5, entry["structure_id"]


def test_pattern_against_a_sum_over_all_reflections(structures):
    axis = (1, 0, 1)
    table = table_of(structures, axis)
    grid = two_theta_grid(two_theta_min=5, two_theta_max=50, two_theta_step=0.02)
    settings = {"shape": PeakShape.gaussian(0.05), "tolerance": 1e-9}
    for row, entry in list(enumerate(structures.to_pylist()))[::3]:
        expected, found, random = (
            powder_pattern(
                Lines.of_one(*parts),
                grid,
                imperfections=Imperfections(march_ratio=ratio),
                **settings,
            )
            for parts, ratio in (
                (written_out(entry, axis), 0.7),
                (parts_of(table, row), 0.7),
                (parts_of(table, row), 1.0),
            )
        )
        assert found == pytest.approx(expected, abs=1e-4)
        assert np.abs(random - expected).max() > 1e-3


def test_parts_add_up_to_the_table_without_axis(amcsd_structures):
    whole = lines_of(table_of(amcsd_structures))
    for axis in AXES:
        parts = lines_of(table_of(amcsd_structures, axis))
        d_star, intensity, starts = parts.d_star, parts.intensity, parts.offsets
        firsts = np.diff(d_star, prepend=-1) != 0
        firsts[starts[:-1]] = True
        assert np.add.reduceat(firsts, starts[:-1]).tolist() == np.diff(whole.offsets).tolist()
        assert d_star[firsts].tobytes() == whole.d_star.tobytes()
        sums = np.add.reduceat(intensity.astype(np.float64), np.flatnonzero(firsts))
        np.testing.assert_allclose(
            sums, whole.intensity, rtol=2e-7
        )  # rounded to single precision each
        assert len(d_star) > 1.05 * len(whole.d_star)


def test_static_patterns_take_parts_for_lines(amcsd_structures):
    """A line and its parts make the same peak, up to one unit in the last place stored."""
    whole, failed = powder.compute(table_of(amcsd_structures), PATTERN)
    split, failed_too = powder.compute(table_of(amcsd_structures, (1, 1, 1)), PATTERN)
    assert failed == failed_too
    np.testing.assert_allclose(split, whole, rtol=1e-3, atol=1e-6)
    assert (split == whole).mean() > 0.999


def test_ideal_profiles_take_parts_for_lines(amcsd_structures):
    settings = Ideal(kind="ideal", d_star_min=0.02, d_star_max=0.5, bins=2000, b_iso=0.5)
    whole, failed = ideal.compute(table_of(amcsd_structures), settings)
    split, failed_too = ideal.compute(table_of(amcsd_structures, (1, 1, 1)), settings)
    assert failed == failed_too
    assert whole.indices.tolist() == split.indices.tolist()
    np.testing.assert_allclose(split.data, whole.data, rtol=1e-6)


def test_without_axis_there_are_no_angles(structures, tmp_path):
    table = table_of(structures)
    assert table["axis_cosine"].null_count == len(structures)
    write_table(table, tmp_path / "lines.parquet", REFLECTIONS)
    assert read_table(tmp_path / "lines.parquet", REFLECTIONS).equals(table)


def test_a_structure_has_its_lines_in_any_company(structures):
    together = table_of(structures, (0, 0, 1))
    assert table_of(structures.slice(3, 1), (0, 0, 1)).equals(together.slice(3, 1))
    assert table_of(structures.slice(0, 0), (0, 0, 1)).num_rows == 0


@pytest.mark.parametrize(
    ("system", "axis", "equivalent"),
    [
        ("cubic", (0, 0, 1), (1, 0, 0)),
        ("tetragonal", (1, 0, 0), (0, 1, 0)),
        ("hexagonal", (1, 0, 0), (-1, 1, 0)),
        ("trigonal", (1, 0, 0), (0, 1, 0)),
        ("orthorhombic", (1, 2, 3), (-1, 2, 3)),
        ("monoclinic", (1, 2, 3), (1, -2, 3)),
    ],
)
def test_equivalent_planes_are_one(structures, system, axis, equivalent):
    """A powder holds crystallites on all faces of a form."""
    rows = [
        row for row, name in enumerate(structures["crystal_system"].to_pylist()) if name == system
    ]
    assert rows
    some = structures.take(pa.array(rows))
    one, other = table_of(some, axis), table_of(some, equivalent)
    assert one["d_star"].equals(other["d_star"])
    for column in ("intensity", "axis_cosine"):
        values, others = (np.concatenate(table[column].to_pylist()) for table in (one, other))
        np.testing.assert_allclose(values, others, rtol=1e-5, atol=1e-6)
