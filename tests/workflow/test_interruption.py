"""Killing anything at any moment loses at most the job that ran."""

import time

import psutil
import pytest
from study import checkout

from diffsym.files import sha256

PATIENCE = 300  # seconds until a job has to have started
# One experiment of each kind of model and descriptor.
PART = {"report": {"experiments": ["lr_x", "cnn", "xrd_dense", "ideal_spgvolnet", "spot_ziletti"]}}


def jobs_of(snakemake, rule):
    """Processes that run the script of a rule below a Snakemake process."""
    found = []
    for process in psutil.Process(snakemake.pid).children(recursive=True):
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if f".{rule}.py" in command and "bash" not in process.name():
            found.append(process)
    return found


def wait_for(condition, snakemake):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        assert snakemake.poll() is None, snakemake.communicate()[0]
        time.sleep(0.05)
    pytest.fail("the job did not start in time")


def digests(study):
    return {
        str(path.relative_to(study.results)): sha256(path)
        for path in sorted(study.results.rglob("*.parquet"))
    }


def test_a_study_killed_again_and_again_ends_with_the_same_bytes(tiny_study, tmp_path, amcsd_wheel):
    study = checkout(tmp_path / "study", amcsd_wheel)

    # A job is killed: Snakemake reports it and stops.
    snakemake = study.start(overlay=PART)
    for process in wait_for(lambda: jobs_of(snakemake, "parse_structures"), snakemake):
        process.kill()
    output, _ = snakemake.communicate()
    assert snakemake.returncode != 0
    assert "parse_structures" in output
    assert not (study.results / "structures.parquet").exists()

    # Snakemake itself is killed, while its job lives on for a moment.
    snakemake = study.start(overlay=PART)
    orphans = wait_for(lambda: jobs_of(snakemake, "compute_descriptor"), snakemake)
    snakemake.kill()
    snakemake.communicate()
    status, output = study.attempt(overlay=PART)
    assert status != 0
    assert "--unlock" in output
    psutil.wait_procs(orphans, timeout=PATIENCE)
    study.run("--unlock", overlay=PART)

    # A training is killed after its first epoch.
    snakemake = study.start(overlay=PART)
    members = study.results / "experiments" / "cnn" / "members"
    wait_for(lambda: list(members.glob("*/checkpoint.npz")), snakemake)
    trainings = jobs_of(snakemake, "train_network")
    for process in trainings:
        process.kill()
    snakemake.communicate()

    study.run(overlay=PART)
    found = digests(study)
    assert found.items() <= digests(tiny_study).items()
    for experiment in PART["report"]["experiments"]:
        assert f"experiments/{experiment}/members/0/predictions.parquet" in found
    leftovers = [path for path in study.results.rglob(".*") if path.is_dir()]
    assert not leftovers
