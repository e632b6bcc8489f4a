"""Fixtures that all tests share: real data, fetched or made once a session."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diffsym.structures.sources import amcsd
from diffsym.tables import STRUCTURES, read_table

REPOSITORY = Path(__file__).resolve().parents[1]
TINY = REPOSITORY / "tests" / "workflow" / "tiny.yaml"


@pytest.fixture(scope="session")
def shared_dir():
    """Folder of large reference data that lies beside a development checkout."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the development data beside the checkout are absent")
    return folder


@pytest.fixture(scope="session")
def amcsd_wheel():
    """The default database, fetched into data/downloads as the workflow does."""
    path = REPOSITORY / "data" / "downloads" / amcsd.WHEEL
    amcsd.fetch(path)
    return path


class Study:
    """A checkout of its own in which the workflow runs."""

    def __init__(self, folder: Path):
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "snakemake",
            "--cores",
            "2",
            "--configfile",
            "tests/workflow/tiny.yaml",
            *arguments,
        ]

    @property
    def environment(self) -> dict[str, str]:
        # The code of this checkout, not that of the editable installation.
        return os.environ | {"PYTHONPATH": str(self.folder / "workflow")}

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> str:
        completed = self.attempt(*arguments)
        assert completed.returncode == 0, completed.stdout
        return completed.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """Number of jobs a rule that Snakemake would run, the target rules left out."""
        output = self.run("--dry-run", *arguments)
        jobs = {}
        lines = iter(output.splitlines())
        for line in lines:
            if line.startswith("job ") and line.split() == ["job", "count"]:
                next(lines)
                for row in lines:
                    if not row.strip():
                        return jobs
                    name, count = row.split()
                    if name not in {"total", "all"}:
                        jobs[name] = int(count)
        return jobs

    def copy(self, folder: Path) -> "Study":
        """The study with everything it has computed, times of files included."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Study(folder)


def checkout(folder: Path, wheel: Path) -> Study:
    """A checkout with all files that belong to the repository and the downloaded database."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        source = REPOSITORY / name
        if source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    downloads = folder / "data" / "downloads"
    downloads.mkdir(parents=True)
    shutil.copy2(wheel, downloads)
    return Study(folder)


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory, amcsd_wheel):
    """The whole workflow on some 100 structures, run once."""
    study = checkout(tmp_path_factory.mktemp("tiny") / "study", amcsd_wheel)
    study.log = study.run()
    return study


@pytest.fixture(scope="session")
def amcsd_structures(tiny_study):
    """Unique structures of the tiny study."""
    return read_table(tiny_study.folder / "results" / "structures.parquet", STRUCTURES)
