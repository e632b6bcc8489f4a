"""GPUs are shared out among processes, by names that no machine has."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest

from diffsym.gpus import visible_gpus

CLAIM = """
import os, sys
from diffsym.gpus import claim_gpus
claim_gpus(int(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def gpus():
    """Names of three GPUs that only this test knows."""
    return [f"GPU-{uuid4()}" for _ in range(3)]


@pytest.fixture
def start(gpus):
    """Start a job that claims GPUs and holds them until it is ended."""
    jobs = []

    def started(n=1):
        jobs.append(
            subprocess.Popen(
                [sys.executable, "-c", CLAIM, str(n)],
                env=os.environ | {"CUDA_VISIBLE_DEVICES": ",".join(gpus)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return jobs[-1]

    yield started
    for job in jobs:
        job.kill()
        job.communicate()


def claimed(job):
    return job.stdout.readline().strip().split(",")


def test_jobs_that_start_together_get_a_gpu_each(start, gpus):
    jobs = [start() for _ in gpus]
    assert sorted(claimed(job)[0] for job in jobs) == sorted(gpus)


def test_a_killed_job_gives_its_gpu_back(start, gpus):
    jobs = [start() for _ in gpus]
    held = [claimed(job) for job in jobs]
    jobs[1].kill()
    jobs[1].wait()
    assert claimed(start()) == held[1]


def test_more_jobs_than_gpus_share_them_evenly(start, gpus):
    jobs = [start() for _ in range(2 * len(gpus))]
    assert sorted(claimed(job)[0] for job in jobs) == sorted(2 * gpus)


def test_a_job_of_two_gpus_leaves_the_third(start, gpus):
    assert claimed(start(2)) == gpus[:2]
    assert claimed(start()) == gpus[2:]
    # No more than there are.
    assert claimed(start(4)) == gpus


@pytest.mark.parametrize(
    ("listed", "expected"),
    [("2,0", ["2", "0"]), ("0,-1,1", ["0"]), ("", []), ("NoDevFiles", []), ("1,1", ["1"])],
)
def test_gpus_are_those_that_cuda_sees(monkeypatch, listed, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert visible_gpus() == expected
