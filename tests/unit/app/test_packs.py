"""`diffsym packs`, and a search among the structures of a pack."""

import json
from dataclasses import replace

import numpy as np
import pytest
from packs import ensemble, known_of, lines_of, measured, pack_of

from diffsym.app.command import main
from diffsym.app.outcome import ALL_ANSWERED, NONE_ANSWERED, SOME_NOT
from diffsym.identification.calibration import Calibration


@pytest.fixture(scope="module")
def reflections(amcsd_entries):
    return lines_of(amcsd_entries)


@pytest.fixture(scope="module")
def folder(amcsd_entries, reflections, tmp_path_factory):
    """A folder with two packs."""
    folder = tmp_path_factory.mktemp("packs")
    pack_of(folder / "search.zip", known_of(amcsd_entries, reflections))
    pack_of(folder / "networks.zip", ensembles=[ensemble()], calibration=Calibration())
    return folder


def test_a_folder_is_told_of_in_a_few_lines(folder, capsys):
    assert main(["packs", str(folder)]) == ALL_ANSWERED
    networks, kind, source, search, *_ = capsys.readouterr().out.splitlines()
    assert networks.startswith(f"{folder / 'networks.zip'}: networks, made by diffsym ")
    assert kind == (
        "  powder: 2 networks (vecsei2019_dense) for 4 space groups on powder descriptors; test "
        "60.0% [50.0%, 70.0%] of 50, by label frequency 20.0% [10.0%, 30.0%]"
    )
    assert source == "  amcsd: 3 structures, of today; free"
    assert search.startswith(f"{folder / 'search.zip'}: search, made by")


def test_a_file_is_told_of_in_full(folder, capsys):
    assert main(["packs", str(folder / "networks.zip")]) == ALL_ANSWERED
    told = capsys.readouterr().out
    for part in ("2 (10), 14 (30)", "seeds 3, 4", "Nobody (2026)", "calibrated: yes", "sha256"):
        assert part in told
    assert main(["packs", "--json", str(folder)]) == ALL_ANSWERED
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["ensembles"][0]["descriptor"]["two_theta_step"] == 0.5
    assert second["search"]["structures"] > 100
    assert second["file"] == str(folder / "search.zip")


def test_packs_of_the_study_and_the_installation_are_told_of_by_default(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["packs"]) == ALL_ANSWERED
    assert "minerals.zip: minerals" in capsys.readouterr().out
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["packs", str(empty)]) == NONE_ANSWERED
    assert "no packs; run 'snakemake --cores all packs'" in capsys.readouterr().err
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "packs").symlink_to(folder)
    assert main(["packs"]) == ALL_ANSWERED
    assert "results/packs/search.zip" in capsys.readouterr().out


def test_a_broken_pack_does_not_hide_the_others(folder, tmp_path, capsys):
    broken = tmp_path / "broken.zip"
    broken.write_text("nothing")
    assert main(["packs", str(broken), str(folder)]) == SOME_NOT
    told = capsys.readouterr()
    assert told.err.startswith(f"{broken}: not a pack, or a damaged one")
    assert "search.zip" in told.out


def test_a_terminal_is_not_told_what_to_do(tmp_path, capsys):
    card = replace(ensemble(), model="\x1b[2Jclear\x9b1m")
    assert main(["packs", str(pack_of(tmp_path / "p.zip", ensembles=[card]))]) == ALL_ANSWERED
    told = capsys.readouterr().out
    assert "�[2Jclear�1m" in told
    assert "\x1b" not in told


def test_a_search_among_the_structures_of_a_pack(
    amcsd_entries, reflections, folder, tmp_path, capsys
):
    path = tmp_path / "pattern.xy"
    np.savetxt(path, np.column_stack(measured(reflections, 90)))
    search = ["search", "--wavelength", "CuKa", "--json", str(path)]
    assert main([*search, "--pack", str(folder / "search.zip")]) == ALL_ANSWERED
    found = json.loads(capsys.readouterr().out)
    assert found["nearest"][0]["structure_id"] == amcsd_entries["structure_id"][90].as_py()
    assert main([*search, "--pack", str(folder / "networks.zip")]) == NONE_ANSWERED
    assert "holds networks and no structures to be searched" in capsys.readouterr().err
