"""Lean structures are small, and descriptors do not see that they are."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import spglib

from diffsym.descriptors import electron, pdf, reflections
from diffsym.descriptors.cells import cells_of
from diffsym.errors import DiffsymError
from diffsym.gpu_study.lean import (
    DENOMINATOR,
    FULL,
    full_structures,
    lean_structures,
    read_lean,
    write_lean,
)
from diffsym.settings.descriptors.electron import Electron
from diffsym.settings.descriptors.pdf import Pdf
from diffsym.settings.reflections import Reflections
from diffsym.structures.entries import Entry
from diffsym.structures.shards import structure_row
from diffsym.structures.symmetry import find_symmetry


class Nowhere:
    name, licence = "synthetic", ""


def row_of(name, lattice, numbers, frac_coords):
    """A structure made up here, as a row of the structures table."""
    kinds, site_mixtures = np.unique(numbers, return_inverse=True)
    entry = Entry(
        entry_id=name,
        lattice=np.array(lattice, dtype=float),
        frac_coords=np.array(frac_coords, dtype=float),
        mixtures=tuple(((int(number), 1.0),) for number in kinds),
        site_mixtures=site_mixtures,
    )
    symmetry = find_symmetry(entry, 0.01)
    return structure_row(entry, Nowhere, symmetry, [symmetry.number])


@pytest.fixture(scope="module")
def corner_cases():
    """The smallest cell, a long one without symmetry, and sites that no step of 1/65520 hits."""
    rng = np.random.default_rng(1)
    hexagonal = [[5.1, 0, 0], [-2.55, 5.1 * np.sqrt(0.75), 0], [0, 0, 7.3]]
    x = 0.1234567
    kagome = [[x, 2 * x, 0.25], [-2 * x, -x, 0.25], [x, -x, 0.25]]
    rows = [
        row_of("one-atom", 1.7 * (1 - np.eye(3)), [29], [[0, 0, 0]]),
        row_of(
            "long",
            [[4, 0, 0], [-1.1, 5, 0], [7, 3, 75]],
            rng.permuted(np.repeat([6, 8, 26], 20)),
            np.column_stack([rng.random((60, 2)), (np.arange(60) + rng.random(60) / 4) / 60]),
        ),
        row_of("kagome", hexagonal, [14] * 3, kagome),
    ]
    return pa.Table.from_pylist(
        [{name: row[name] for name in FULL.names} for row in rows], schema=FULL
    )


@pytest.fixture(scope="module")
def structures(amcsd_entries, corner_cases):
    structures = pa.concat_tables([amcsd_entries.select(FULL.names), corner_cases])
    # As they come from a file, for which kernels are compiled already.
    return structures.combine_chunks()


@pytest.fixture(scope="module")
def path(structures, tmp_path_factory):
    path = tmp_path_factory.mktemp("lean") / "lean.parquet"
    write_lean(lean_structures(structures), path)
    return path


@pytest.fixture(scope="module")
def restored(path):
    return full_structures(read_lean(path))


def flat(table, name):
    return pc.list_flatten(table[name]).to_numpy()


def worst_distance(lattice, one, other):
    """Largest distance of a scatterer of one list from the nearest of the other, A."""
    gaps = one[:, np.newaxis] - other
    return np.linalg.norm((gaps - np.rint(gaps)) @ lattice, axis=2).min(axis=1).max()


def bound(lattice):
    """Largest error that a step in each coordinate of the conventional cell can be, A."""
    return 1.001 / DENOMINATOR * np.linalg.norm(lattice, axis=1).sum()


def test_other_columns_stay(structures, restored):
    for name in ("structure_id", "space_group", "hall_number", "crystal_system"):
        assert restored[name].to_pylist() == structures[name].to_pylist()
    assert restored.schema == FULL
    np.testing.assert_allclose(
        restored["primitive_volume"].to_numpy(),
        structures["primitive_volume"].to_numpy(),
        rtol=1e-6,
    )


@pytest.mark.parametrize("name", ["lattice", "conventional_lattice"])
def test_lattices_stay(structures, restored, name):
    np.testing.assert_allclose(flat(restored, name), flat(structures, name), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("prefix", ["", "conventional_"])
def test_scatterers_stay(structures, restored, prefix):
    names = [f"{prefix}{name}" for name in ("lattice", "frac_coords", "atomic_numbers")]
    names += [f"{prefix}occupancies", "conventional_lattice"]
    pairs = zip(*(table.select(names).to_pylist() for table in (structures, restored)), strict=True)
    errors = []
    for rows in pairs:
        lattice = np.array(rows[0][names[0]]).reshape(3, 3)
        largest = bound(np.array(rows[0]["conventional_lattice"]).reshape(3, 3))
        kinds = [list(zip(row[names[2]], row[names[3]], strict=True)) for row in rows]
        assert sorted(kinds[0]) == sorted(kinds[1])
        for kind in set(kinds[0]):
            places = [
                np.array(row[names[1]]).reshape(-1, 3)[[other == kind for other in others]]
                for row, others in zip(rows, kinds, strict=True)
            ]
            error = max(worst_distance(lattice, *places), worst_distance(lattice, *places[::-1]))
            assert error < largest
            errors.append(error)
    # Far below the 0.01 A within which symmetry was searched for, in cells of up to 75 A.
    assert max(errors) < 1e-3
    assert np.median(errors) < 1e-4


def test_orbits_stay(structures, restored):
    columns = ["atomic_numbers", "orbits"]
    both = (table.select(columns).to_pylist() for table in (structures, restored))
    for rows in zip(*both, strict=True):
        sizes = [Counter(zip(row["orbits"], row["atomic_numbers"], strict=True)) for row in rows]
        one, other = (sorted((z, n) for (_, z), n in counter.items()) for counter in sizes)
        assert one == other
        assert all(row["orbits"][orbit] == orbit for row in rows for orbit in row["orbits"])


def test_symmetry_holds_to_rounding(restored):
    """Also where two scatterers share a site."""
    cells = cells_of(restored)
    for row, number in enumerate(restored["space_group"].to_pylist()):
        here = slice(cells.offsets[row], cells.offsets[row + 1])
        species = np.column_stack([cells.atomic_numbers[here], cells.occupancies[here]])
        places, sites = np.unique(cells.frac_coords[here].round(6) % 1, axis=0, return_inverse=True)
        mixtures = [str(sorted(species[sites == site].tolist())) for site in range(len(places))]
        kinds = np.unique(mixtures, return_inverse=True)[1]
        first = [int(np.argmax(sites == site)) for site in range(len(places))]
        cell = (cells.lattices[row], cells.frac_coords[here][first], kinds)
        found = spglib.get_symmetry_dataset(cell, symprec=1e-5)
        assert found is not None
        assert found.number == number


def test_pair_distribution_functions_stay(structures, restored):
    settings = Pdf(kind="pdf")
    values, others = (pdf.compute(table, settings).values for table in (structures, restored))
    assert np.abs(others - values).max() < 1e-3


def strong_lines(structures):
    """d* and intensity, in parts of the strongest, of each structure's lines that can be seen."""
    lines = reflections.compute(structures, Reflections(d_star_min=0.05, d_star_max=0.9))
    for row in lines.to_pylist():
        intensity = np.array(row["intensity"], dtype=float) / max(row["intensity"])
        seen = intensity > 1e-3
        yield np.array(row["d_star"])[seen], intensity[seen]


def test_powder_lines_stay(structures, restored):
    unequal = 0
    for one, other in zip(strong_lines(structures), strong_lines(restored), strict=True):
        if len(one[0]) == len(other[0]):
            np.testing.assert_allclose(other[0], one[0], rtol=1e-6)
            np.testing.assert_allclose(other[1], one[1], atol=1e-3)
        else:  # a line at the threshold, or two lines on either side of becoming one
            unequal += 1
            assert abs(len(one[0]) - len(other[0])) == 1
    assert unequal <= 0.01 * structures.num_rows


@pytest.mark.parametrize("pattern", electron.PATTERNS)
def test_electron_patterns_stay(structures, restored, pattern):
    settings = Electron(kind="electron", pattern=pattern, pixels=64)
    images, others = (
        electron.compute(table.take(np.arange(0, table.num_rows, 6)), settings).values
        for table in (structures, restored)
    )
    gaps = np.abs(images.astype(int) - others)
    assert (gaps > 2).mean() < 1e-4


def test_files_are_small(structures, path):
    n_sites = sum(len(set(orbits)) for orbits in structures["orbits"].to_pylist())
    assert path.stat().st_size < 50 * structures.num_rows
    assert path.stat().st_size < 7 * n_sites + 20 * structures.num_rows


def test_lean_structures_stay_lean(restored):
    again = full_structures(lean_structures(restored))
    for name in ("lattice", "frac_coords", "occupancies", "orbits"):
        np.testing.assert_allclose(flat(again, name), flat(restored, name), atol=1e-12)


def test_rows_can_be_restored_alone(restored, path):
    lean = read_lean(path)
    assert full_structures(lean.slice(7, 5)).equals(restored.slice(7, 5).combine_chunks())
    assert full_structures(lean.slice(0, 0)).equals(restored.slice(0, 0))
    assert lean_structures(restored.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize("column", ["lattice", "conventional_lattice", "frac_coords"])
def test_structures_that_do_not_follow_from_their_group_are_named(structures, column):
    rows = structures.to_pylist()
    rows[-1][column] = [*rows[-1][column][:-1], rows[-1][column][-1] + 0.01]
    with pytest.raises(DiffsymError, match="synthetic:kagome"):
        lean_structures(pa.Table.from_pylist(rows, schema=FULL))


def test_orbits_that_lack_a_scatterer_are_named(structures):
    row = structures.to_pylist()[-1]
    for name, n in (("atomic_numbers", 1), ("occupancies", 1), ("orbits", 1), ("frac_coords", 3)):
        row[name] = row[name][:-n]
    with pytest.raises(DiffsymError, match="synthetic:kagome"):
        lean_structures(pa.Table.from_pylist([row], schema=FULL))


def test_other_files_are_refused(structures, tmp_path):
    path = tmp_path / "lean.parquet"
    path.write_bytes(b"no table")
    with pytest.raises(DiffsymError, match="not a readable Parquet file"):
        read_lean(path)
    pq.write_table(structures, path)
    with pytest.raises(DiffsymError, match="no lean structures"):
        read_lean(path)


def test_pymatgen_is_not_needed():
    program = "import sys; import diffsym.gpu_study.lean; print('pymatgen' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
