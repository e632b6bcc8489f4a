"""The profile for SLURM on a real SLURM: partitions, limits of memory and time, lost jobs.

Each test goes on with the study where the one before it stopped, and would start from nothing, too.
"""

import psutil
import pytest
from slurm.cluster import slurm, wait_until, why_not
from slurm.site import processes, profile
from study import checkout, share_kernels

from diffsym.files import sha256

PATIENCE = 300  # seconds until a job has to have started
OVERLAY = {"report": {"experiments": ["cnn"]}}
DESCRIPTOR = "results/descriptors/pdf_liu2019"
MEMBER = "results/experiments/cnn/members/0"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=f"no SLURM: {why_not()}"),
    pytest.mark.usefixtures("cluster"),
]


@pytest.fixture(scope="module")
def cluster():
    with slurm() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
def study(tiny_study, tmp_path_factory, amcsd_wheel):
    """A study before its first job, with the kernels that another one has compiled."""
    fresh = checkout(tmp_path_factory.mktemp("cluster") / "study", amcsd_wheel)
    share_kernels(tiny_study.folder, fresh.folder)
    yield fresh
    for process in psutil.Process().children():
        if process.cwd() == str(fresh.folder):  # a failed test has left its Snakemake behind
            process.kill()
            process.wait()


def wait_for(condition, snakemake):
    """What a condition on the jobs of a running Snakemake gives."""

    def found():
        assert snakemake.poll() is None, snakemake.communicate()[0]
        return condition()

    return wait_until(found, "a job starts", PATIENCE)


def hold_one(study, rule, snakemake):
    """The process of the only running job of a rule, which stops as if its node hung."""
    (process,) = wait_for(lambda: processes(study, rule), snakemake)
    process.suspend()
    return process


def finish(snakemake):
    """What Snakemake printed, which has to succeed."""
    output, _ = snakemake.communicate()
    assert snakemake.returncode == 0, output
    return output


def test_a_job_that_exceeds_its_memory_is_retried_with_more(cluster, study):
    # Three Pythons, Snakemake's two and the script, are more than 300 MB and less than 2400.
    output = study.run(
        profile(study, parse_structures={"mem_mb": "300 * attempt ** 3"}),
        "results/structures.parquet",
        overlay=OVERLAY,
    )
    assert "Trying to restart" in output
    jobs = cluster.jobs("parse_structures")
    killed = [job for job in jobs if job.state in {"FAILED", "OUT_OF_MEMORY"}]
    completed = [job for job in jobs if job.state == "COMPLETED"]
    assert {job.memory for job in killed} == {"300M"}
    assert {job.memory for job in completed} == {"2400M"}
    assert len(killed) == len(completed) == 2


def test_a_killed_snakemake_goes_on_and_a_cancelled_job_is_retried(cluster, study):
    target = [profile(study), f"{DESCRIPTOR}.parquet"]
    # One job at a time: the second shard is submitted when the first one is finished.
    snakemake = study.start("--jobs=1", *target, overlay=OVERLAY)
    wait_for(lambda: len(cluster.jobs("compute_descriptor")) == 2, snakemake)
    hold_one(study, "compute_descriptor", snakemake)
    (finished,) = (study.folder / DESCRIPTOR).glob("shard-*.parquet")
    kept = finished.stat().st_mtime_ns
    snakemake.kill()
    snakemake.communicate()

    # Its job is still in the queue: nobody may start a second writer of the same file.
    status, output = study.attempt(*target, overlay=OVERLAY)
    assert status != 0
    assert "--unlock" in output
    cluster.ask("scancel", "--user=root")
    wait_until(cluster.idle, "the orphan ends")
    study.run("--unlock", *target, overlay=OVERLAY)

    snakemake = study.start(*target, overlay=OVERLAY)
    process = hold_one(study, "compute_descriptor", snakemake)
    assert "CUDA_VISIBLE_DEVICES" not in process.environ()
    (running,) = [job for job in cluster.jobs("compute_descriptor") if job.state == "RUNNING"]
    cluster.ask("scancel", running.number)
    assert "Trying to restart" in finish(snakemake)
    assert finished.stat().st_mtime_ns == kept
    jobs = cluster.jobs("compute_descriptor")
    assert sorted(job.state for job in jobs) == ["CANCELLED"] * 2 + ["COMPLETED"] * 2
    assert {job.partition for job in jobs} == {"cpu"}


def test_a_training_that_hangs_is_ended_by_its_limit_and_retried_on_the_gpu(cluster, study):
    snakemake = study.start(
        profile(study, train_network={"runtime": "attempt"}),
        f"{MEMBER}/predictions.parquet",
        overlay=OVERLAY,
    )
    process = hold_one(study, "train_network", snakemake)
    assert process.environ()["CUDA_VISIBLE_DEVICES"] == "0"
    assert "Trying to restart" in finish(snakemake)
    jobs = cluster.jobs("train_network")
    assert {job.partition for job in jobs} == {"gpu"}
    assert {(job.state, job.limit) for job in jobs} == {("TIMEOUT", "1:00"), ("COMPLETED", "2:00")}


def test_tables_are_those_of_one_machine(tiny_study, study):
    study.run(profile(study), f"{MEMBER}/predictions.parquet", overlay=OVERLAY)
    tables = sorted(study.results.rglob("*.parquet"))
    names = [str(path.relative_to(study.folder)) for path in tables]
    assert {f"{DESCRIPTOR}.parquet", f"{MEMBER}/predictions.parquet"} < set(names)
    for name in names:
        assert sha256(study.folder / name) == sha256(tiny_study.folder / name), name
    assert not [path for path in study.results.rglob(".*") if path.is_dir()]
