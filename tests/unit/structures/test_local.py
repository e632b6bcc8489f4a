"""Local files: what is read, and one clear sentence for each thing that can be wrong."""

import gzip
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from diffsym.errors import DiffsymError
from diffsym.settings.checks import Checks
from diffsym.settings.sources.local import Local
from diffsym.settings.sources.selection import Selection
from diffsym.settings.symmetry import Symmetry
from diffsym.structures import readers, shards
from diffsym.structures.entries import Rejection
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import open_source

HALITE = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
ALLOY = Structure(Lattice.cubic(2.9), [{"Fe": 0.6, "Ni": 0.3}], [[0, 0, 0]])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    CifWriter(HALITE, symprec=0.01).write_file(tmp_path / "halite.cif")
    CifWriter(ALLOY).write_file(tmp_path / "deep" / "alloy.CIF")
    Poscar(HALITE).write_file(tmp_path / "POSCAR_halite")
    (tmp_path / "notes.txt").write_text("not a structure")
    return tmp_path


def open_local(path, **settings):
    return open_source("mine", Local(kind="local", path=str(path), **settings), path)


def test_folder(folder):
    source = open_local(folder, licence="CC0", citation="Me (2020)")
    assert source.identifiers() == ["POSCAR_halite", "deep/alloy.CIF", "halite.cif"]
    structures, rejected = process_shard(source, 0, 1, Symmetry(), Checks())
    assert rejected.num_rows == 0
    rows = {row["entry_id"]: row for row in structures.to_pylist()}
    assert rows["halite.cif"]["space_group"] == rows["POSCAR_halite"]["space_group"] == 225
    assert rows["halite.cif"]["declared_space_group"] == 225
    assert rows["halite.cif"]["declared_symbol"] == "Fm-3m"
    assert rows["POSCAR_halite"]["declared_symbol"] is None
    assert rows["deep/alloy.CIF"]["occupancies"] == [0.6, 0.3]
    assert {row["licence"] for row in rows.values()} == {"CC0"}
    assert {row["reference"] for row in rows.values()} == {"Me (2020)"}


@pytest.mark.parametrize(
    ("symbol", "number", "lattice", "species", "positions"),
    [
        (
            *("I4/mmm", 139, Lattice.tetragonal(4.72, 16.54), ["Ca", "Ca", "Bi"]),
            [[0, 0.5, 0], [0, 0, 0.334], [0, 0, 0.14]],  # 0.666 is no 2/3
        ),
        (
            *("I4_1/a", 88, Lattice.tetragonal(5.08, 11.23), ["Ge", "U", "O"]),
            [[0, 0, 0], [0, 0, 0.5], [0.27, 0.11, 0.08]],  # 0.33 is no 1/3
        ),
    ],
)
def test_a_cell_in_full_keeps_the_label(tmp_path, symbol, number, lattice, species, positions):
    structure = Structure.from_spacegroup(symbol, lattice, species, positions)
    CifWriter(structure).write_file(tmp_path / "full.cif")
    structures, _ = process_shard(open_local(tmp_path), 0, 1, Symmetry(), Checks())
    assert structures["space_group"].to_pylist() == [number]


def test_limit_and_provenance(folder):
    source = open_local(folder, limit=2)
    assert source.identifiers() == ["POSCAR_halite", "deep/alloy.CIF"]
    before = source.provenance()["files"]
    (folder / "POSCAR_halite").write_text("changed")
    assert source.provenance()["files"] != before


def test_broken_files_do_not_stop_the_others(folder):
    halite = (folder / "halite.cif").read_text()
    (folder / "empty.cif").write_text("")
    (folder / "cut.cif").write_text(halite[: len(halite) // 3])
    (folder / "two.cif").write_text(halite + halite.replace("data_", "data_second_", 1))
    (folder / "gone.cif").symlink_to(folder / "nowhere.cif")
    (folder / "packed.cif.gz").write_bytes(gzip.compress(halite.encode()))
    (folder / "torn.cif.gz").write_bytes(gzip.compress(halite.encode())[:100])
    (folder / "magnetic.mcif").write_text(halite)
    odd = os.fsencode(folder) + b"/caf\xe9#1.cif"
    with open(odd, "w") as handle:  # noqa: PTH123  (pathlib writes it as well, but reads worse)
        handle.write(halite)
    (folder / "POSCAR_bad").write_text("one\ntwo\nthree\n")
    (folder / "binary.cif").write_bytes(bytes(range(256)))
    structures, rejected = process_shard(open_local(folder), 0, 1, Symmetry(), Checks())
    assert set(structures["entry_id"].to_pylist()) == {
        "POSCAR_halite",
        "caf\\xe9#1.cif",
        "deep/alloy.CIF",
        "halite.cif",
        "magnetic.mcif",
        "packed.cif.gz",
        "two.cif#NaCl",
        "two.cif#second_NaCl",
    }
    codes = {row["entry_id"]: row["code"] for row in rejected.to_pylist()}
    assert codes == {
        "POSCAR_bad": "unreadable",
        "binary.cif": "unreadable",
        "cut.cif": "unreadable",
        "empty.cif": "no_structure",
        "gone.cif": "unreadable",
        "torn.cif.gz": "unreadable",
    }
    for row in rejected.to_pylist():
        assert row["reason"].startswith(row["entry_id"])
        assert "\n" not in row["reason"]
    record = open_local(folder).provenance()
    assert (record["structure_files"], record["passed_over"]) == (13, 1)


def test_what_no_reader_expects_is_a_rejection(folder, monkeypatch):
    source = open_local(folder)
    monkeypatch.setattr(readers, "read_cif", lambda *_: {}["x"])
    _, rejected = process_shard(source, 0, 1, Symmetry(), Checks())
    assert rejected["code"].to_pylist() == ["unexpected"] * 2
    assert "KeyError" in rejected["reason"][0].as_py()
    monkeypatch.setattr(shards, "check_entry", lambda *_: {}["x"])
    structures, rejected = process_shard(source, 0, 1, Symmetry(), Checks())
    assert structures.num_rows == 0
    assert set(rejected["code"].to_pylist()) == {"unexpected"}


def test_formula_of_the_cif_is_checked(folder):
    text = (folder / "halite.cif").read_text()
    (folder / "halite.cif").write_text(text.replace("'Na4 Cl4'", "'Na4 Br4'"))
    _, rejected = process_shard(open_local(folder), 0, 1, Symmetry(), Checks())
    assert rejected["code"].to_pylist() == ["composition"]


def test_overfull_site_is_named(folder):
    text = (folder / "deep" / "alloy.CIF").read_text()
    (folder / "deep" / "alloy.CIF").write_text(text.replace("0.6", "0.9"))
    _, rejected = process_shard(open_local(folder), 0, 1, Symmetry(), Checks())
    assert rejected["code"].to_pylist() == ["occupancy"]


def test_years_of_files_and_tables(folder, tmp_path):
    text = (folder / "halite.cif").read_text()
    (folder / "halite.cif").write_text(text + "_journal_year 1968\n")
    (entry,) = open_local(folder).read(["halite.cif"])
    assert entry.year == 1968
    (entry,) = open_local(folder).read(["POSCAR_halite"])
    assert entry.year is None
    loop = "loop_ _citation_id _citation_year\nprimary 2003\n2 1950\n"
    (folder / "halite.cif").write_text(text + loop)
    (entry,) = open_local(folder).read(["halite.cif"])
    assert entry.year == 2003
    with pytest.raises(DiffsymError, match=r"select.years: the Parquet file .* has no years"):
        open_local(write_parquet(tmp_path / "s.parquet"), select=Selection(years=(1990, 2000)))


def write_parquet(path, **changes):
    columns = {
        "material_id": pa.array(["mp-1", "mp-2", "mp-3"]),
        "lattice": pa.array([(np.eye(3) * 3.6).ravel()] * 3, pa.list_(pa.float64())),
        "atomic_numbers": pa.array([[29], [28], [26]], pa.list_(pa.uint8())),
        "frac_coords": pa.array([[0.0, 0, 0]] * 3, pa.list_(pa.float32())),
    } | changes
    columns = {name: column for name, column in columns.items() if column is not None}
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path):
    source = open_local(write_parquet(tmp_path / "s.parquet"), limit=2)
    assert source.identifiers() == ["mp-1", "mp-2"]
    structures, rejected = process_shard(source, 0, 1, Symmetry(), Checks())
    assert structures["formula"].to_pylist() == ["Cu", "Ni"]
    assert structures["space_group"].to_pylist() == [221, 221]
    assert rejected.num_rows == 0


def test_parquet_with_bad_rows(tmp_path):
    bad = [[0.0, 0, 0], [0.0, 0], [np.nan, 0, 0]]
    path = write_parquet(tmp_path / "s.parquet", frac_coords=pa.array(bad, pa.list_(pa.float32())))
    structures, rejected = process_shard(open_local(path), 0, 1, Symmetry(), Checks())
    assert structures["entry_id"].to_pylist() == ["mp-1"]
    assert rejected["code"].to_pylist() == ["unreadable", "not_finite"]
    path = write_parquet(
        tmp_path / "t.parquet", lattice=pa.array([None] * 3, pa.list_(pa.float64()))
    )
    assert all(isinstance(item, Rejection) for item in open_local(path).read(["mp-1", "mp-3"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lattice": None}, "the columns lattice are missing"),
        ({"material_id": pa.array(["a", "a", "b"])}, "repeated"),
        ({"material_id": pa.array(["a", None, "b"])}, "empty or repeated"),
    ],
)
def test_unusable_parquet(tmp_path, changes, words):
    path = write_parquet(tmp_path / "s.parquet", **changes)
    with pytest.raises(DiffsymError, match=words) as caught:
        open_local(path).identifiers()
    assert str(path) in str(caught.value)


def test_paths_that_are_wrong(tmp_path):
    with pytest.raises(DiffsymError, match="does not exist"):
        open_local(tmp_path / "nowhere")
    with pytest.raises(DiffsymError, match="holds no structures"):
        open_local(tmp_path).identifiers()
    text = tmp_path / "table.csv"
    text.write_text("a,b")
    with pytest.raises(DiffsymError, match=r"no folder, no archive .* and no readable Parquet"):
        open_local(text)


def test_materials_project(shared_dir):
    path = shared_dir / "data" / "materials_project" / "structures.parquet"
    source = open_local(path, limit=400)
    structures, rejected = process_shard(source, 0, 8, Symmetry(), Checks())
    assert structures.num_rows > 20
    assert rejected.num_rows == 0
