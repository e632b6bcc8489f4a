"""Numerical libraries take the cores of their job and no more, however many the machine has."""

import os
import subprocess
import sys

import psutil
import pytest
from study import REPOSITORY

from diffsym.files import read_json

SNAKEFILE = """
rule busy:
    output: "{cores}.json"
    log: "{cores}.log"
    threads: lambda wildcards: int(wildcards.cores)
    script: "busy.py"
"""
# Work that each library would spread over all cores. How many threads share it is told by their
# processor times, which do not depend on who else computes.
SCRIPT = """
import time
import numpy as np
import psutil
import pyarrow as pa
from threadpoolctl import threadpool_info
from diffsym.files import write_json
from diffsym.job import job
from diffsym.keras_backend import configure, keras

def thread_times():
    # Processor time of each thread so far, in seconds.
    return {thread.id: thread.user_time for thread in psutil.Process().threads()}

with job(snakemake):
    configure(threads=snakemake.threads)
    matrix = np.random.default_rng(0).random((1500, 1500), dtype=np.float32)
    table = pa.table({"key": np.arange(3_000_000) % 1000, "value": np.ones(3_000_000)})
    model = keras.Sequential([keras.Input((1500,)), keras.layers.Dense(1500)])
    work = {
        "numpy": lambda: matrix @ matrix,
        "pyarrow": lambda: table.group_by("key").aggregate([("value", "sum")]),
        "keras": lambda: model(matrix),
    }
    busy = {}
    for name, compute in work.items():
        compute()
        before, stop = thread_times(), time.process_time() + 1
        while time.process_time() < stop:
            compute()
        spent = [seconds - before.get(key, 0) for key, seconds in thread_times().items()]
        busy[name] = sum(spent) / max(spent)
    pools = [pool["num_threads"] for pool in threadpool_info()] + [pa.cpu_count()]
    write_json(snakemake.output[0], {"busy": busy, "pools": pools})
"""


@pytest.mark.skipif(psutil.cpu_count() < 2, reason="one core cannot be taken twice")
def test_libraries_keep_to_the_threads_of_their_job(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "busy.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "1.json", "2.json"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow")}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    alone = read_json(tmp_path / "1.json")
    assert set(alone["pools"]) == {1}
    assert max(alone["busy"].values()) < 1.2, alone
    together = read_json(tmp_path / "2.json")
    assert set(together["pools"]) == {2}
    assert min(together["busy"].values()) > 1.4, together
