"""The wheel, installed with its base dependencies alone, answers far from the repository."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packs import ensemble, known_of, lines_of, measured, pack_of
from uv import find_uv_bin

from diffsym import __version__
from diffsym.generated import REPOSITORY

UNREACHABLE = ("failed to fetch", "error sending request", "dns error", "timed out")
ROW = 90


def uv(*arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [find_uv_bin(), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"UV_HTTP_TIMEOUT": "20"},
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: setuptools leaves folders beside what it builds."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(REPOSITORY / name, source)
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(REPOSITORY / "workflow", source / "workflow", ignore=unwanted)
    built = uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, source)
    assert built.returncode == 0, built.stderr
    [wheel] = (source / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """Programs of an environment with the wheel and what it requires, in the lock's versions."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    made = uv("venv", "--python", sys.executable, environment)
    assert made.returncode == 0, made.stderr
    lock = REPOSITORY / "requirements.lock"
    into = ("pip", "install", "--python", environment, "--constraint", lock)
    installed = uv(*into, wheel)
    if any(words in installed.stderr.lower() for words in UNREACHABLE):
        pytest.skip(f"no package index can be reached: {installed.stderr.splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    return environment / "bin"


@pytest.fixture(scope="module")
def elsewhere(amcsd_entries, tmp_path_factory):
    """A folder with a measured pattern and a pack."""
    folder = tmp_path_factory.mktemp("elsewhere")
    reflections = lines_of(amcsd_entries)
    np.savetxt(folder / "pattern.xy", np.column_stack(measured(reflections, ROW)))
    pack_of(folder / "pack.zip", known_of(amcsd_entries, reflections), ensembles=[ensemble()])
    return folder


def run(programs, elsewhere, *arguments):
    """What the installed command prints, in an environment without any of ours."""
    done = subprocess.run(
        [programs / "diffsym", *arguments],
        cwd=elsewhere,
        env={"PATH": os.defpath, "HOME": str(elsewhere)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_nothing_is_installed_that_only_studies_need(programs):
    listed = uv("pip", "list", "--python", programs.parent, "--format", "json")
    there = {package["name"] for package in json.loads(listed.stdout)}
    assert {"diffsym", "numba", "onnxruntime"} <= there
    assert there.isdisjoint({"keras", "tensorflow", "snakemake", "pymatgen", "pandas", "pydantic"})


def test_the_wheel_holds_all_files_of_the_library(wheel):
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    library = REPOSITORY / "workflow"
    files = (path for path in (library / "diffsym").rglob("*") if path.is_file())
    wanted = {path.relative_to(library).as_posix() for path in files if path.suffix != ".pyc"}
    assert not {path for path in wanted - there if "__pycache__" not in path}


@pytest.mark.parametrize("command", ["search", "predict"])
def test_the_installed_command_answers(programs, elsewhere, amcsd_entries, command):
    options = ("--wavelength", "CuKa", "--pack", "pack.zip", "--json")
    found = json.loads(run(programs, elsewhere, command, "pattern.xy", *options))
    assert found["nearest"][0]["structure_id"] == amcsd_entries["structure_id"][ROW].as_py()


def test_the_installed_command_tells_what_is_in_a_pack(programs, elsewhere):
    told = run(programs, elsewhere, "packs", "pack.zip").splitlines()
    assert told[0] == f"pack.zip: pack, made by diffsym {__version__}"
