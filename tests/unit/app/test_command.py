"""`diffsym search` on files, with the structures of the tiny study."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diffsym.app.command import main
from diffsym.app.outcome import ALL_ANSWERED, NONE_ANSWERED, SOME_NOT
from diffsym.errors import DiffsymError
from diffsym.identification.known import read_known
from diffsym.identification.wavelengths import K_ALPHA, radiation_of
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines
from diffsym.study.layout import Layout
from diffsym.tables import REFLECTIONS, read_table


@pytest.fixture
def pattern(tiny_study, tmp_path):
    """A file with the pattern of the study's third structure; the structure's identifier."""
    layout = Layout(str(tiny_study.results))
    lines = read_table(layout.reflections(0), REFLECTIONS)
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
    counts = np.random.default_rng(0).poisson(5000 * curve / curve.max() + 50)
    path = tmp_path / "pattern.xy"
    np.savetxt(path, np.column_stack([angles, counts]))
    return path, lines["structure_id"][2].as_py()


def test_the_structure_comes_first(tiny_study, pattern, capsys):
    path, structure_id = pattern
    study = ["--study", str(tiny_study.results)]
    assert main(["search", str(path), "--wavelength", "CuKa", "--json", *study]) == ALL_ANSWERED
    found = json.loads(capsys.readouterr().out)
    known = read_known(tiny_study.results)
    assert found["nearest"][0]["structure_id"] == structure_id
    assert found["nearest"][0]["score"] > 0.75
    assert (
        found["ranked"][0]["space_group"]
        == known.space_groups[known.structure_ids.index(structure_id)]
    )
    assert sum(group["share"] for group in found["ranked"]) <= 1
    assert found["wavelengths"] == list(K_ALPHA["Cu"])
    assert found["file"] == str(path)
    assert (found["scans"], found["repairs"]) == ([], [])
    assert main(["search", str(path), "--wavelength", "CuKa", "--top", "2", *study]) == ALL_ANSWERED
    text = capsys.readouterr().out
    assert structure_id in text
    assert len(text.splitlines()) == 7


def test_it_is_installed(tiny_study, pattern):
    command = Path(sys.executable).with_name("diffsym")
    finished = subprocess.run(
        [command, "search", pattern[0], "--wavelength", "1.5406", "--study", tiny_study.results],
        capture_output=True,
        text=True,
        check=True,
    )
    assert pattern[1] in finished.stdout
    assert not finished.stderr


def test_one_bad_file_stops_no_other(tiny_study, pattern, tmp_path, capsys):
    bad = tmp_path / "bad.xy"
    bad.write_text("10 1\n20 nothing\n")
    short = tmp_path / "short.xy"
    short.write_text("10 1\n20 2\n")
    study = ["--study", str(tiny_study.results), "--wavelength", "CuKa"]
    files = [str(bad), str(pattern[0]), str(short), str(tmp_path / "absent.xy")]
    assert main(["search", *files, *study]) == SOME_NOT
    printed = capsys.readouterr()
    assert pattern[1] in printed.out
    complaints = printed.err.splitlines()
    assert len(complaints) == 3
    assert all(line.startswith(str(tmp_path)) for line in complaints)
    assert main(["search", str(bad), *study]) == NONE_ANSWERED


def test_a_folder_is_all_its_patterns(tiny_study, pattern, tmp_path, capsys):
    (tmp_path / "deeper").mkdir()
    shutil.copy(pattern[0], tmp_path / "deeper" / "another.XY")
    (tmp_path / "notes.md").write_text("no pattern")
    options = ["--study", str(tiny_study.results), "--wavelength", "CuKa", "--json"]
    assert main(["search", str(tmp_path), *options]) == ALL_ANSWERED
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(one["file"]).name for one in answers] == ["another.XY", "pattern.xy"]


def test_a_file_that_says_another_wavelength_is_told(tiny_study, pattern, capsys):
    text = pattern[0].read_text()
    pattern[0].write_text("# Wavelength: 0.7093 A\n" + text)
    study = ["--study", str(tiny_study.results)]
    assert main(["search", str(pattern[0]), "--wavelength", "CuKa", *study]) == ALL_ANSWERED
    assert "the file says 0.7093 A; 1.54059 A of --wavelength was used" in capsys.readouterr().out
    assert main(["search", str(pattern[0]), *study]) == ALL_ANSWERED
    assert "(0.7093 A)" in capsys.readouterr().out


def test_the_wavelength_is_never_assumed(tiny_study, pattern, capsys):
    assert main(["search", str(pattern[0]), "--study", str(tiny_study.results)]) == NONE_ANSWERED
    assert "give it with --wavelength" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("CuKa", K_ALPHA["Cu"]),
        ("MoKa1", K_ALPHA["Mo"][:1]),
        ("co k-alpha-2", K_ALPHA["Co"][1:]),
        ("0.4133", (0.4133,)),
    ],
)
def test_names_of_wavelengths(text, lengths):
    assert tuple(radiation_of(text).wavelengths) == lengths


@pytest.mark.parametrize("text", ["XxKa", "CuKb", "copper", "nan", "-1", "1541", "1e999", ""])
def test_what_is_no_wavelength_is_refused(text):
    with pytest.raises(DiffsymError, match=r"^wavelength: "):
        radiation_of(text)


def test_without_a_study_it_says_what_to_do(tmp_path, tiny_study):
    with pytest.raises(DiffsymError, match="make report"):
        read_known(tmp_path)
    results = tmp_path / "results"
    shutil.copytree(tiny_study.results / "reflections", results / "reflections")
    shutil.copy(tiny_study.results / "structures.parquet", results)
    (results / "reflections" / "shard-1.parquet").unlink()
    with pytest.raises(DiffsymError, match="not of one study"):
        read_known(results)
