"""`diffsym predict`: text, JSON, rows and pages for files; structures are of the tiny study."""

import csv
import io
import json
import shutil
from dataclasses import fields

import numpy as np
import pyarrow.parquet as pq
import pytest

from diffsym.app.answers import ROWS
from diffsym.app.command import main
from diffsym.app.outcome import ALL_ANSWERED, NONE_ANSWERED, SOME_NOT
from diffsym.identification.answer import Answer
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines
from diffsym.study.layout import Layout
from diffsym.tables import REFLECTIONS, read_table


@pytest.fixture(scope="module")
def files(tiny_study, tmp_path_factory):
    """A folder: one pattern of a known structure, one of noise, one that is none."""
    folder = tmp_path_factory.mktemp("patterns")
    lines = read_table(Layout(str(tiny_study.results)).reflections(0), REFLECTIONS)
    angles = np.arange(10.0, 90.0, 0.02)
    curve = powder_pattern(
        Lines.of_one(
            lines["d_star"][2].values.to_numpy(),
            lines["intensity"][2].values.to_numpy().astype(float),
        ),
        angles,
        radiation=CU_K_ALPHA_DOUBLET,
        shape=PeakShape.gaussian(0.05),
    )
    generator = np.random.default_rng(0)
    crystal = generator.poisson(5000 * curve / curve.max() + 50)
    np.savetxt(folder / "<b>crystal.xy", np.column_stack([angles, crystal]))
    noise = generator.poisson(50, len(angles))
    np.savetxt(folder / "noise.xy", np.column_stack([angles, noise]))
    (folder / "text.xy").write_text("10 1\n20 nothing\n")
    return folder


@pytest.fixture
def ask(tiny_study):
    def run(*options):
        study = ["--study", str(tiny_study.results), "--wavelength", "CuKa"]
        return main(["predict", *map(str, options), *study])

    return run


def test_the_names_of_json_are_those_of_the_answer(ask, files, capsys):
    assert ask(files / "<b>crystal.xy", "--json", "--top", 3) == ALL_ANSWERED
    [line] = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert list(found) == [
        "file",
        "wavelength",
        "unit",
        "scan",
        *(field.name for field in fields(Answer)),
    ]
    assert found["file"] == str(files / "<b>crystal.xy")
    assert found["wavelength"] == [1.540593, 1.544427]
    assert (found["unit"], found["scan"]) == ("2theta", 1)
    assert found["certain"]
    assert [set(one) for one in found["ranked"]] == [{"space_group", "symbol", "probability"}] * 3
    assert found["ranked"][0]["space_group"] == found["nearest"][0]["space_group"]
    assert found["set_90"][0] == found["ranked"][0]["space_group"]


def test_people_read_the_verdict_first(ask, files, capsys):
    assert ask(files / "<b>crystal.xy") == ALL_ANSWERED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("(1.54059 and 1.54443 A): certain")
    assert any("crystal system:" in line for line in lines)
    assert ask(files / "noise.xy") == ALL_ANSWERED
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("not certain enough")
    assert "nothing exceeds the noise" in second


def test_one_bad_file_stops_no_other_and_is_a_row(ask, files, capsys):
    assert ask(files, "--csv") == SOME_NOT
    printed = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert list(rows[0]) == ROWS.names
    by_name = {row["file"].rpartition("/")[2]: row for row in rows}
    assert set(by_name) == {"<b>crystal.xy", "noise.xy", "text.xy"}
    assert by_name["<b>crystal.xy"]["certain"] == "True"
    assert by_name["noise.xy"]["certain"] == "False"
    assert by_name["noise.xy"]["space_group"] == ""
    assert "nothing" in by_name["text.xy"]["error"]
    assert "text.xy: " in printed.err
    assert ask(files / "text.xy", "--csv") == NONE_ANSWERED


def test_a_folder_becomes_a_table(ask, files, tmp_path, capsys):
    assert ask(files, "--parquet", tmp_path / "answers.parquet") == SOME_NOT
    assert capsys.readouterr().out == ""
    table = pq.read_table(tmp_path / "answers.parquet")
    assert table.schema.equals(ROWS)
    assert table["certain"].to_pylist() == [True, False, None]
    assert [bool(text) for text in table["error"].to_pylist()] == [False, False, True]


def test_a_page_shows_what_was_done(ask, files, tmp_path):
    assert ask(files, "--html", tmp_path / "answers.html") == SOME_NOT
    page = (tmp_path / "answers.html").read_text()
    # Names of files are texts, not markup.
    assert "<b>" not in page
    assert "&lt;b&gt;crystal.xy" in page
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http-equiv", "")
    assert "2θ, degrees" in page
    assert 'class="background"' in page


def test_elements_are_checked(ask, files, capsys):
    assert ask(files / "<b>crystal.xy", "--elements", "Ca,Qq") == NONE_ANSWERED
    assert "'Qq' is no symbol of an element" in capsys.readouterr().err


def test_wrong_elements_are_not_certain(ask, files, capsys):
    """Nothing of them resembles the pattern, or something else does so more."""
    assert ask(files / "<b>crystal.xy", "--json") == ALL_ANSWERED
    right = json.loads(capsys.readouterr().out)
    for elements in ("Na,Cl", "Mg,O,Si,Al,Ca,H", "Fe,S,Cu,As"):
        if ask(files / "<b>crystal.xy", "--elements", elements, "--json") == NONE_ANSWERED:
            assert "no known structure is of" in capsys.readouterr().err
            continue
        found = json.loads(capsys.readouterr().out)
        if found["nearest"][0]["structure_id"] != right["nearest"][0]["structure_id"]:
            assert not found["certain"]


def test_another_wavelength_than_that_of_the_file_is_not_certain(ask, files, tmp_path, capsys):
    text = (files / "<b>crystal.xy").read_text()
    path = tmp_path / "contradicted.xy"
    path.write_text("# Wavelength: 1.7902 A\n" + text)
    assert ask(path) == ALL_ANSWERED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("not certain enough")
    assert "wavelength is not that of the file" in lines[1]


def test_where_nothing_can_be_written_nothing_is_computed(ask, files, tmp_path, capsys):
    assert ask(files, "--html", tmp_path) == NONE_ANSWERED
    assert "this is a folder" in capsys.readouterr().err
    assert ask(files, "--parquet", tmp_path / "absent" / "x.parquet") == NONE_ANSWERED
    assert "there is no folder" in capsys.readouterr().err


def test_an_empty_folder_is_no_success(ask, tmp_path, capsys):
    assert ask(tmp_path) == NONE_ANSWERED
    assert "no file of a pattern" in capsys.readouterr().err


def test_a_pack_and_a_study_are_not_named_together(ask, files, capsys):
    with pytest.raises(SystemExit):
        ask(files / "noise.xy", "--pack", "x.zip")
    assert "not allowed with argument" in capsys.readouterr().err


def test_without_a_pack_it_says_what_to_do(files, tmp_path, capsys):
    absent = str(tmp_path / "absent.zip")
    pattern = str(files / "noise.xy")
    assert main(["predict", pattern, "--pack", absent, "--wavelength", "CuKa"]) == NONE_ANSWERED
    assert "no pack can be read there" in capsys.readouterr().err
    shutil.copy(pattern, absent)
    assert main(["predict", pattern, "--pack", absent, "--wavelength", "CuKa"]) == NONE_ANSWERED
    assert "not a pack" in capsys.readouterr().err
