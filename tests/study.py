"""Checkouts of the repository in which tests run the real workflow."""

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import yaml
from numba.core.caching import UserProvidedCacheLocator

import diffsym.scattering  # noqa: F401, names the folder of compiled kernels

REPOSITORY = Path(__file__).resolve().parents[1]


class Study:
    """A checkout of its own in which the workflow runs."""

    def __init__(self, folder: Path, snakemake: tuple[str, ...] = ("-m", "snakemake")):
        self.folder = folder
        self.snakemake = snakemake

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def _environment(self) -> dict[str, str]:
        # Before the editable installation, which is the code of the repository.
        return os.environ | {"PYTHONPATH": str(self.folder / "workflow")}

    def _options(self, arguments: tuple[str, ...], overlay: dict | None) -> list[str]:
        overlays = ["tests/workflow/tiny.yaml"]
        if overlay is not None:
            (self.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
            overlays.append("overlay.yaml")
        options = ["--cores", "2", "--rerun-incomplete"]
        # The list of overlays would swallow targets that follow it.
        return [*options, "--configfile", *overlays, "--printshellcmds", *arguments]

    def start(
        self, *arguments: str, overlay: dict | None = None, output=subprocess.PIPE
    ) -> subprocess.Popen:
        """Start Snakemake in this checkout, with the code of this checkout."""
        return subprocess.Popen(
            [sys.executable, *self.snakemake, *self._options(arguments, overlay)],
            cwd=self.folder,
            env=self._environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def attempt(self, *arguments: str, overlay: dict | None = None) -> tuple[int, str]:
        """Run Snakemake; its exit status and everything it printed."""
        process = self.start(*arguments, overlay=overlay)
        output, _ = process.communicate()
        return process.returncode, output

    def run(self, *arguments: str, overlay: dict | None = None) -> str:
        """Run Snakemake, which has to succeed; everything it printed."""
        status, output = self.attempt(*arguments, overlay=overlay)
        assert status == 0, output
        return output

    def dry_run(self, *arguments: str, overlay: dict | None = None) -> tuple[int, str]:
        """Let Snakemake plan and run nothing; its exit status and everything it printed."""
        output = self.folder / "dry-run.txt"
        task = {
            "folder": str(self.folder),
            "arguments": self._options(("--dry-run", *arguments), overlay),
            "environment": self._environment,
            "output": str(output),
        }
        server = _imported_snakemake()
        print(json.dumps(task), file=server.stdin, flush=True)
        return int(server.stdout.readline()), output.read_text()

    def planned(self, *arguments: str, overlay: dict | None = None) -> dict[str, int]:
        """Number of jobs of each rule that Snakemake would run, targets left out."""
        status, output = self.dry_run(*arguments, overlay=overlay)
        assert status == 0, output
        lines = iter(output.splitlines())
        jobs: dict[str, int] = {}
        for line in lines:
            if line.split() == ["job", "count"]:
                next(lines)
                for row in lines:
                    if not row.strip():
                        break
                    name, count = row.split()
                    jobs[name] = int(count)
        return {name: count for name, count in jobs.items() if name not in {"total", "all"}}

    def copy(self, folder: Path) -> "Study":
        """A copy with everything that was computed, times of files included."""
        shutil.copytree(self.folder, folder, symlinks=True)
        share_kernels(self.folder, folder)
        return Study(folder)


@functools.cache
def _imported_snakemake() -> subprocess.Popen:
    """The process of `dry_runs`, which ends with this one."""
    command = [sys.executable, Path(__file__).with_name("dry_runs.py")]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


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
    share_kernels(REPOSITORY, folder)
    return Study(folder)


def share_kernels(source: Path, target: Path) -> None:
    """Spare a checkout more than a minute of compiling what another one has compiled.

    Numba names the folder of a package's compiled kernels after the package's path, and takes a
    kernel only if its source file is, byte for byte, the one that it was compiled from.
    """
    library = Path("workflow", "diffsym")
    cache = library / "scattering" / "__pycache__" / Path(numba.config.CACHE_DIR).name
    for room in ("scattering", "descriptors", "experimental"):
        compiled, place = (
            top
            / cache
            / UserProvidedCacheLocator.get_suitable_cache_subpath(top / library / room / "_")
            for top in (source, target)
        )
        place.mkdir(parents=True, exist_ok=True)
        for index in compiled.glob("*.nbi"):
            if not (place / index.name).exists():
                for kernel in [*compiled.glob(f"{index.stem}.*.nbc"), index]:
                    shutil.copy2(kernel, place)
