"""What a user gets wrong comes back as one clear sentence."""

import os
import re
import socket
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from study import checkout


@pytest.fixture(scope="module")
def study(tmp_path_factory, amcsd_wheel):
    return checkout(tmp_path_factory.mktemp("mistakes") / "study", amcsd_wheel)


def test_misspelt_key(study):
    status, output = study.dry_run(overlay={"structures": {"shard": 3}})
    assert status != 0
    assert "structures: unknown key 'shard'; did you mean 'shards'?" in output
    assert "Traceback" not in output


def test_absent_path_of_a_local_source(study):
    overlay = {
        "sources": {"mine": {"kind": "local", "path": "data/absent"}},
        "structures": {"sources": ["mine"]},
    }
    status, output = study.dry_run(overlay=overlay)
    assert status != 0
    assert "sources.mine.path: 'data/absent' does not exist" in output


def test_truncated_download(study):
    [wheel] = (study.folder / "data" / "downloads").glob("*.whl")
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[: len(whole) // 2])
    try:
        status, output = study.attempt("structures")
    finally:
        wheel.write_bytes(whole)
    assert status != 0
    assert wheel.name in output
    assert "SHA-256" in output


def test_a_server_that_does_not_answer_is_told_before_any_job_starts(study):
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{unused.getsockname()[1]}/cod"
        cod = {"kind": "cod", "search": {"el1": "Ti"}, "server": server}
        overlay = {"sources": {"cod": cod}, "structures": {"sources": ["amcsd", "cod"]}}
        status, output = study.attempt("structures", overlay=overlay)
    assert status != 0
    assert f"cannot be fetched: {server}: no answer" in output
    assert not list((study.results / "logs" / "fetch_source").glob("cod-*"))


def test_a_file_that_was_put_there_is_not_fetched(study):
    cod = {"kind": "cod", "search": {"el1": "Ti"}, "server": "http://127.0.0.1:9/cod"}
    overlay = {"sources": {"cod": cod}, "structures": {"sources": ["cod"]}}
    status, output = study.dry_run("structures", overlay=overlay)
    (name,) = set(re.findall(r"cod-\w+\.zip", output))
    archive = study.folder / "data" / "downloads" / name
    archive.write_bytes(b"no archive")
    os.utime(archive, (0, 0))  # older than all of our code
    try:
        status, output = study.attempt("structures", overlay=overlay)
    finally:
        archive.unlink()
    assert status != 0
    assert "no archive of COD entries" in output


def test_folder_with_two_broken_files(study):
    folder = study.folder / "data" / "mine"
    folder.mkdir(parents=True)
    (folder / "broken.cif").write_text("data_broken\n_cell_length_a five\n")
    (folder / "cut.cif").write_text("data_cut\n_chemical_name_common 'cut\n")
    (folder / "Ni.cif").write_text(
        "data_Ni\n_cell_length_a 3.524\n_cell_length_b 3.524\n_cell_length_c 3.524\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n"
        "_space_group_name_H-M_alt 'F m -3 m'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
        "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nNi1 Ni 0 0 0\n"
    )
    overlay = {
        "sources": {"mine": {"kind": "local", "path": "data/mine"}},
        "structures": {"sources": ["mine"]},
    }
    study.run("structures", overlay=overlay)
    structures = read(study.results / "structures.parquet")
    rejected = read(study.results / "rejected.parquet")
    assert structures["entry_id"] == ["Ni.cif"]
    assert structures["space_group"] == [225]
    codes = dict(zip(rejected["entry_id"], rejected["code"], strict=True))
    assert codes == {"broken.cif": "no_structure", "cut.cif": "unreadable"}


@pytest.mark.parametrize("option", ["--dry-run", "--unlock"])
def test_neither_a_plan_nor_an_unlock_asks_for_cores(study, option):
    subprocess.run(
        [sys.executable, "-m", "snakemake", option, "--quiet", "all"],
        cwd=study.folder,
        env=os.environ | {"PYTHONPATH": str(study.folder / "workflow")},
        check=True,
    )


def read(path):
    return pq.read_table(path).to_pydict()
