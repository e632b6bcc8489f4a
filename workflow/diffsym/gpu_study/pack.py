"""Pack the luggage of the GPU study: what has to travel to the machine with the GPU.

    python -m diffsym.gpu_study.pack --overlay config/gpu_study.yaml --luggage build/gpu

The workflow makes the structures table, the splits and the class sets of the overlay first, in a
folder of its own, so that the results of another study stay what they are. What travels is checked
against the limit of one call.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, read_json, sha256
from diffsym.gpu_study.lean import lean_structures, write_lean
from diffsym.gpu_study.luggage import (
    LABELS,
    LIMIT,
    PLAN,
    STRUCTURES,
    WHEELS,
    labels_table,
    write_labels,
)
from diffsym.gpu_study.plan import NETWORKS, Experiment, write_plan
from diffsym.provenance import git_revision, software_versions
from diffsym.settings import values_of
from diffsym.study.configuration import Configuration
from diffsym.study.loading import load_configuration
from diffsym.tables import SPLIT, read_table
from diffsym.tables import STRUCTURES as STRUCTURES_SCHEMA

# Packages that the machine with the GPU lacks (docs/gpu.md); their versions are the lock's.
CARRIED = ("annotated-types", "gemmi", "keras", "namex", "optree", "spglib")
# Newest first: pip takes the first platform of which there is a wheel.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")
PYTHON = "3.12"


def targets_of(configuration: Configuration) -> list[str]:
    """Files of the workflow that the luggage is made from."""
    experiments = [configuration.experiments[name] for name in trained(configuration)]
    splits = [f"results/splits/{experiment.split}.parquet" for experiment in experiments]
    classes = [f"results/classes/{experiment.classes}.json" for experiment in experiments]
    return ["results/structures.parquet", *dict.fromkeys(splits), *dict.fromkeys(classes)]


def trained(configuration: Configuration) -> list[str]:
    """Names of the experiments that the study trains networks for."""
    names = list(dict.fromkeys(network.experiment for network in NETWORKS))
    for name in names:
        if name not in configuration.experiments:
            raise DiffsymError(f"experiments.{name}: the study trains it, but there is no such key")
    return names


def run_workflow(
    repository: Path, folder: Path, overlays: Sequence[Path], targets: Sequence[str], cores: str
) -> None:
    """Make files of the workflow in a folder of its own, with the data of the repository."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.yaml", "data"):
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(repository / name)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "Snakefile")]
    command += ["--directory", str(folder), "--cores", cores, "--rerun-incomplete"]
    command += ["--configfile", *(str(path.resolve()) for path in overlays), "--", *targets]
    if subprocess.run(command, check=False).returncode:
        raise DiffsymError("the workflow ended with an error, which is printed above")


def experiments_of(configuration: Configuration, results: Path) -> dict[str, Experiment]:
    """Settings of the experiments that the study trains.

    Parameters
    ----------
    configuration
        With every default filled in.
    results
        Where the workflow has written the class sets.
    """
    experiments = {}
    for name in trained(configuration):
        experiment = configuration.experiments[name]
        classes = read_json(results / "classes" / f"{experiment.classes}.json")["classes"]
        experiments[name] = Experiment(
            descriptor=configuration.descriptors[experiment.descriptor],
            split=experiment.split,
            classes=tuple(sorted(classes)),
            model=configuration.models[experiment.model],
            training=configuration.trainings[str(experiment.training)],
            seed=experiment.seed,
        )
    return experiments


def merged(paths: Iterable[Path]) -> dict[str, Any]:
    """A configuration file and its overlays as one mapping, as Snakemake lays them."""
    configuration: dict[str, Any] = {}
    for path in paths:
        update_config(configuration, yaml.safe_load(path.read_text(encoding="utf-8")))
    return configuration


def pack_tables(luggage: Path, results: Path, experiments: Mapping[str, Experiment]) -> None:
    """Write structures and labels."""
    structures = read_table(results / "structures.parquet", STRUCTURES_SCHEMA)
    splits = {
        name: read_table(results / "splits" / f"{name}.parquet", SPLIT)
        for name in dict.fromkeys(experiment.split for experiment in experiments.values())
    }
    write_lean(lean_structures(structures), luggage / STRUCTURES)
    write_labels(labels_table(structures, splits), luggage / LABELS)


def pinned(lock: str, packages: Sequence[str]) -> str:
    """Lines of a lock file, hashes included, that pin some packages."""
    blocks = re.findall(r"^[^\s#].*(?:\n[ \t].*)*", lock, re.MULTILINE)
    by_name = {re.split(r"[=\s]", block, maxsplit=1)[0]: block for block in blocks}
    missing = [name for name in packages if name not in by_name]
    if missing:
        raise DiffsymError(f"requirements.lock: {missing[0]} is missing; run make lock")
    return "".join(f"{by_name[name]}\n" for name in packages)


def fetch_wheels(folder: Path, lock: Path) -> None:
    """Fetch the wheels of the carried packages for the other machine, checked by their hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / "requirements.txt") as requirements:
        requirements.write_text(pinned(lock.read_text(encoding="utf-8"), CARRIED), encoding="utf-8")
    platforms = [part for name in PLATFORMS for part in ("--platform", name)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"]
    command += [*platforms, "--dest", str(folder), "-r", str(folder / "requirements.txt")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise DiffsymError(
            f"the wheels of {', '.join(CARRIED)} could not be fetched: {finished.stderr.strip()}"
        )


def bytes_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def repository_bytes(repository: Path) -> int:
    """Bytes of the files that belong to the repository."""
    listing = subprocess.run(
        ["git", "-C", str(repository), "ls-files", "-z"], check=True, capture_output=True, text=True
    )
    paths = [repository / name for name in listing.stdout.split("\0") if name]
    return sum(path.stat().st_size for path in paths if path.is_file())


def check_limit(parts: Mapping[str, int], limit: int = LIMIT) -> None:
    """DiffsymError if what travels is larger than one call may carry."""
    total = sum(parts.values())
    if total > limit:
        listed = ", ".join(f"{name} {size / 2**20:.1f}" for name, size in parts.items())
        raise DiffsymError(
            f"the luggage has {total / 2**20:.1f} MiB, and {limit / 2**20:.0f} may travel "
            f"({listed}); take fewer structures (limit of the source)"
        )


def main() -> None:
    """Pack, and print what travels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--overlay", type=Path, nargs="+", required=True)
    parser.add_argument("--luggage", type=Path, required=True)
    parser.add_argument("--workflow", type=Path, default="build/gpu-workflow")
    parser.add_argument("--cores", default="all")
    arguments = parser.parse_args()
    repository = Path(__file__).resolve().parents[3]
    configuration = load_configuration(merged([repository / "config.yaml", *arguments.overlay]))
    run_workflow(
        repository,
        arguments.workflow,
        arguments.overlay,
        targets_of(configuration),
        arguments.cores,
    )
    results = arguments.workflow / "results"
    experiments = experiments_of(configuration, results)
    luggage: Path = arguments.luggage
    pack_tables(luggage, results, experiments)
    write_plan(
        luggage / PLAN,
        experiments,
        {
            "git_revision": git_revision(repository),
            "software": software_versions(),
            "structures_sha256": sha256(results / "structures.parquet"),
            "sources": {
                name: {
                    key: value
                    for key, value in values_of(source).items()
                    if key in {"kind", "licence", "citation"}
                }
                for name, source in configuration.sources.items()
                if name in configuration.structures.sources
            },
        },
    )
    fetch_wheels(luggage / WHEELS, repository / "requirements.lock")
    parts = {"repository": repository_bytes(repository)} | {
        path.name: bytes_of(path) if path.is_dir() else path.stat().st_size
        for path in sorted(luggage.iterdir())
    }
    for name, size in parts.items():
        print(f"{name:20s} {size / 2**20:6.1f} MiB")
    check_limit(parts)
    print(f"{'together':20s} {sum(parts.values()) / 2**20:6.1f} MiB of {LIMIT / 2**20:.0f}")


if __name__ == "__main__":
    try:
        main()
    except DiffsymError as error:
        sys.exit(str(error))
