"""Time of an epoch of the Liu et al. network: TensorFlow with oneDNN, with XLA, and JAX.

Each way trains in a process of its own on random descriptors, because backend and threads are
fixed when they are first used. The first epoch, which compiles, is not counted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from diffsym.datasets.feeding import Partition
from diffsym.files import write_json
from diffsym.keras_backend import configure
from diffsym.models.liu2019_cnn import build
from diffsym.models.training import train_member

STRUCTURES, POINTS, CLASSES = 2048, 209, 33
NETWORKS = {"small": ([128, 32], 24), "final": ([256, 64], 32)}
# Keras' backend, and whether XLA compiles.
WAYS = {
    "TensorFlow, oneDNN": ("tensorflow", False),
    "TensorFlow, XLA": ("tensorflow", True),
    "JAX": ("jax", True),
}


def train(network: str, *, jit_compile: bool, threads: int) -> float:
    """Train in this process; seconds of an epoch, the median of three."""
    # TensorFlow does not compile what has to be deterministic.
    configure(threads=threads, deterministic=not jit_compile)
    generator = np.random.default_rng(0)
    parts = [
        Partition(
            features=generator.random((n, POINTS), np.float32),
            labels=generator.integers(0, CLASSES, n).astype(np.int32),
            folds=np.zeros(n, np.int8),
            structure_ids=pa.array([str(number) for number in range(n)]),
            classes=tuple(range(1, CLASSES + 1)),
        )
        for n in (STRUCTURES, 64)
    ]
    filters, kernel_size = NETWORKS[network]
    model = build(POINTS, CLASSES, filters=filters, kernel_size=kernel_size, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        history = train_member(
            model,
            *parts,
            epochs=4,
            batch_size=64,
            learning_rate=0.001,
            learning_rate_drops=[],
            learning_rate_factor=0.1,
            class_weights="none",
            keep="last",
            seed=0,
            checkpoint=Path(folder) / "checkpoint.npz",
            jit_compile=jit_compile,
        )
    return float(np.median(history["seconds"][1:]))


def in_a_process(network: str, way: str, threads: int) -> float:
    """Milliseconds of a structure and epoch, measured by this script in a process of its own."""
    backend, _ = WAYS[way]
    command = [sys.executable, __file__, "--only", json.dumps([network, way, threads])]
    # JAX has no setting of its own for the number of threads: it takes the cores it may use.
    cores = sorted(os.sched_getaffinity(0))[:threads]
    output = subprocess.run(
        command,
        env=os.environ | {"KERAS_BACKEND": backend},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout
    return 1e3 * float(output.split()[-1]) / STRUCTURES


def main() -> None:
    """Print the times and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default="results/benchmarks/training.json")
    parser.add_argument("--only", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        network, way, threads = arguments.only
        print(train(network, jit_compile=WAYS[way][1], threads=threads))
        return

    report: dict[str, dict[str, float]] = {}
    for network in NETWORKS:
        print(f"\n{network} network of Liu et al., ms per structure and epoch")
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            times = {way: in_a_process(network, way, threads) for way in WAYS}
            report[f"{network}, {threads} threads"] = times
            peer = times["TensorFlow, oneDNN"]
            for way, time in times.items():
                print(f"{way:20s} {threads:2d} threads {time:7.2f}  ratio {time / peer:5.2f}")
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
