"""The profile for SLURM on a real SLURM: partitions, limits of memory and time, lost jobs.

Each test goes on with the study where the one before it stopped, and would start from nothing, too.
"""

import os
import subprocess
import sys
import time
from signal import SIGKILL

import psutil
import pytest
from slurm import impatient
from slurm.cluster import slurm, wait_until, why_not
from slurm.guard import Guard
from slurm.site import SITE, processes, profile
from study import REPOSITORY, checkout

from diffsym.files import sha256

PATIENCE = 600  # seconds until a job has to have started, or a study to be complete
OVERLAY = {"report": {"experiments": ["cnn"]}}
DESCRIPTOR = "results/descriptors/pdf_liu2019"
MEMBER = "results/experiments/cnn/members/0"
LEAKAGE = "results/leakage/pdf_liu2019/stratified.json"
OUTAGE = 60  # seconds; by default the plugin gives up after six questions of nine seconds each
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
def study(tmp_path_factory, amcsd_wheel):
    """A study before its first job."""
    fresh = checkout(tmp_path_factory.mktemp("cluster") / "study", amcsd_wheel)
    fresh.snakemake = (impatient.__file__,)
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

    # Some jobs are over in a second.
    return wait_until(found, "a job starts", PATIENCE, pause=0.02)


def the_process(study, rule, snakemake):
    """The process of the only running job of a rule."""
    (process,) = wait_for(lambda: processes(study, rule), snakemake)
    return process


def hold(study, rules, snakemake):
    """The processes of one job of each rule, which stop as if their nodes hung.

    Jobs are held in whatever order they start: one may be over before the next one begins.
    """
    held = {}

    def all_held():
        for rule in rules:
            for process in processes(study, rule) if rule not in held else ():
                process.suspend()
                held[rule] = process
        return len(held) == len(rules)

    wait_for(all_held, snakemake)
    return [held[rule] for rule in rules]


def hold_one(study, rule, snakemake):
    """The process of the only running job of a rule, which stops as if its node hung."""
    (process,) = hold(study, [rule], snakemake)
    return process


def at_work(study):
    """All processes of a study, on whatever node, those of Snakemake included."""
    folder = str(study.folder)
    return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == folder]


def running(cluster, rule):
    """The only running job of a rule."""
    (job,) = [job for job in cluster.jobs(rule) if job.state == "RUNNING"]
    return job


def finish(snakemake):
    """What Snakemake printed, which has to succeed."""
    output, _ = snakemake.communicate(timeout=PATIENCE)
    assert snakemake.returncode == 0, output
    return output


def test_jobs_that_exceed_their_memory_or_are_killed_are_retried_with_more(cluster, study):
    # Snakemake's two Pythons alone are more than 150 MB; with the script they are less than 1200.
    snakemake = study.start(
        profile(study, parse_structures={"mem_mb": "150 * attempt ** 3"}),
        "results/structures.parquet",
        overlay=OVERLAY,
    )
    the_process(study, "unique_structures", snakemake).kill()
    assert "Trying to restart" in finish(snakemake)
    jobs = cluster.jobs("parse_structures")
    killed = [job for job in jobs if job.state in {"FAILED", "OUT_OF_MEMORY"}]
    completed = [job for job in jobs if job.state == "COMPLETED"]
    assert {job.memory for job in killed} == {"150M"}
    assert {job.memory for job in completed} == {"1200M"}
    # An hour, and a minute for each of the 3.8 MB of the database; twice that the second time.
    assert {job.limit for job in killed} == {"1:03:00"}
    assert {job.limit for job in completed} == {"2:07:00"}
    assert len(killed) == len(completed) == 2
    states = [job.state for job in cluster.jobs("unique_structures")]
    assert sorted(states) == ["COMPLETED", "FAILED"]


def test_a_killed_snakemake_leaves_a_lock_and_goes_on_with_what_is_missing(cluster, study):
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
    assert "Directory cannot be locked" in output
    cluster.ask("scancel", "--user=root")
    wait_until(cluster.idle, "the orphan ends")
    study.run("--unlock", *target, overlay=OVERLAY)
    assert study.planned(*target, overlay=OVERLAY)["compute_descriptor"] == 1
    assert finished.stat().st_mtime_ns == kept


def test_a_job_that_is_cancelled_and_then_loses_its_node_is_retried_on_another(cluster, study):
    before = len(cluster.jobs("compute_descriptor"))
    snakemake = study.start(profile(study), "--jobs=1", f"{DESCRIPTOR}.parquet", overlay=OVERLAY)
    process = hold_one(study, "compute_descriptor", snakemake)
    assert "CUDA_VISIBLE_DEVICES" not in process.environ()
    cluster.ask("scancel", running(cluster, "compute_descriptor").number)
    psutil.wait_procs([process])

    hold_one(study, "compute_descriptor", snakemake)
    lost = running(cluster, "compute_descriptor").node
    cluster.stop(lost, SIGKILL)
    cluster.ask("scontrol", "update", f"nodename={lost}", "state=down", "reason=test")
    output = finish(snakemake)
    shards = sorted((study.folder / DESCRIPTOR).iterdir())
    # A node that SLURM gave up may live on, and ends its job when it is back.
    cluster.start(lost)
    wait_until(cluster.nodes_answer, "the node is back")
    wait_until(lambda: not at_work(study), "the orphan ends", patience=180)
    assert sorted((study.folder / DESCRIPTOR).iterdir()) == shards
    assert "NODE_FAIL" in output
    jobs = cluster.jobs("compute_descriptor")
    states = [job.state for job in sorted(jobs, key=lambda job: int(job.number))]
    assert states[before : before + 3] == ["CANCELLED", "NODE_FAIL", "COMPLETED"]
    assert {job.partition for job in jobs} == {"cpu"}


def test_a_training_that_hangs_is_ended_by_its_limit_and_a_lost_controller_forgets_nothing(
    cluster, study
):
    snakemake = study.start(
        profile(study, train_network={"runtime": "attempt"}),
        f"{MEMBER}/predictions.parquet",
        LEAKAGE,
        overlay=OVERLAY,
    )
    leakage, training = hold(study, ["measure_leakage", "train_network"], snakemake)
    assert training.environ()["CUDA_VISIBLE_DEVICES"] == "0"

    cluster.stop("slurmctld", SIGKILL)
    leakage.resume()
    time.sleep(OUTAGE)
    cluster.start("slurmctld")
    output = finish(snakemake)

    assert "Trying to restart" in output
    # Nobody writes a file twice: what ended during the outage has ended, what went on goes on.
    assert [job.state for job in cluster.jobs("measure_leakage")] == ["COMPLETED"]
    jobs = cluster.jobs("train_network")
    assert {job.partition for job in jobs} == {"gpu"}
    assert sorted((job.state, job.limit) for job in jobs) == [
        ("COMPLETED", "2:00"),
        ("TIMEOUT", "1:00"),
    ]


WAITING = """
from diffsym.progress import follow, handler, queue

handler.IN_FILE = queue.BEFORE_THE_FIRST = queue.BETWEEN_QUESTIONS = 1

onstart:
    follow(workflow, lambda rule, wildcards: 1.0)

rule wait:
    output: "done"
    resources: slurm_partition="gpu", mem_mb=500, runtime=5
    shell: "touch {output}"
"""


def test_a_drained_node_is_named_and_the_guard_of_the_campaign_returns_it(cluster, tmp_path):
    cluster.ask("scontrol", "update", "nodename=gpu1", "state=drain", "reason=Duplicate jobid")
    (tmp_path / "Snakefile").write_text(WAITING)
    output = tmp_path / "output.txt"
    options = [f"--{key}={value}" for key, value in SITE.items()]
    with output.open("w") as handle:
        snakemake = subprocess.Popen(
            [sys.executable, impatient.__file__, "--executor=slurm", "--jobs=1", *options],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow")},
            stdout=handle,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "1 wait (" in output.read_text(), "the line says that a job waits")
        with Guard(patience=60, limit=120, pause=1) as guard:
            guard.cluster = cluster
            snakemake.wait()
    finally:
        snakemake.kill()
        snakemake.wait()
    written = output.read_text()
    assert snakemake.returncode == 0, written
    assert guard.returned == [{"node": "gpu1", "reason": "Duplicate jobid"}]
    # Named once, with what to do.
    assert written.count("gpu1 is drained (Duplicate jobid)") == 1
    assert "scontrol update nodename=gpu1 state=resume" in written
    assert "1 of 1 jobs  in " in written


def test_files_are_those_of_one_machine(tiny_study, study):
    study.run(profile(study), f"{MEMBER}/predictions.parquet", LEAKAGE, overlay=OVERLAY)
    tables = sorted(study.results.rglob("*.parquet"))
    names = [LEAKAGE, *(str(path.relative_to(study.folder)) for path in tables)]
    assert {f"{DESCRIPTOR}.parquet", f"{MEMBER}/predictions.parquet"} < set(names)
    for name in names:
        assert sha256(study.folder / name) == sha256(tiny_study.folder / name), name
    assert not [path for path in study.results.rglob(".*") if path.is_dir()]
