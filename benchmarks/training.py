"""Structures a second that networks train on: TensorFlow, TensorFlow with XLA, and JAX.

Each way trains in a process of its own on random descriptors, because backend and threads are
fixed when they are first used. The first epoch, which compiles, is not counted. A GPU is used if
the backend finds one; settings of trainings that matter there are options.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from diffsym.datasets.feeding import Partition
from diffsym.files import write_json
from diffsym.keras_backend import configure, used_device
from diffsym.models import liu2019_cnn, park2017_cnn
from diffsym.models.training import Run, train_member
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.settings.training import Training

CLASSES = 33
# How a network is built, and the length of its descriptors.
NETWORKS = {
    "Liu et al., small": (liu2019_cnn, Liu2019Cnn(filters=(128, 32), kernel_size=24), 209),
    "Liu et al., final": (liu2019_cnn, Liu2019Cnn(), 209),
    "Park et al.": (park2017_cnn, Park2017Cnn(), 8501),
}
# Keras' backend, and whether XLA compiles.
WAYS = {
    "TensorFlow": ("tensorflow", False),
    "TensorFlow, XLA": ("tensorflow", True),
    "JAX": ("jax", True),
}


def train(
    network: str, *, jit_compile: bool, threads: int, precision: str, structures: int, batch: int
) -> tuple[float, str]:
    """Train in this process; structures a second, the median of three epochs, and the device."""
    # TensorFlow does not compile what has to be deterministic.
    configure(threads=threads, deterministic=not jit_compile, precision=precision)
    module, settings, points = NETWORKS[network]
    generator = np.random.default_rng(0)
    parts = [
        Partition(
            features=generator.random((n, points), np.float32),
            labels=generator.integers(0, CLASSES, n).astype(np.int32),
            folds=np.zeros(n, np.int8),
            structure_ids=pa.array([str(number) for number in range(n)]),
            classes=tuple(range(1, CLASSES + 1)),
        )
        for n in (structures, 64)
    ]
    model = module.build(points, CLASSES, settings, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        history = train_member(
            model,
            *parts,
            Training(
                epochs=4,
                batch_size=batch,
                learning_rate_drops=(),
                class_weights="none",
                keep="last",
                jit_compile=jit_compile,
            ),
            seed=0,
            run=Run(checkpoint=Path(folder) / "checkpoint.npz"),
        )
    return structures / float(np.median(history["seconds"][1:])), used_device()


def in_a_process(network: str, way: str, threads: int, **settings: Any) -> tuple[float, str]:
    """Result of `train`, by this script in a process of its own."""
    backend, jit_compile = WAYS[way]
    task = settings | {"network": network, "jit_compile": jit_compile, "threads": threads}
    # JAX has no setting of its own for the number of threads: it takes the cores it may use.
    cores = sorted(os.sched_getaffinity(0))[:threads]
    output = subprocess.run(
        [sys.executable, __file__, "--only", json.dumps(task)],
        env=os.environ | {"KERAS_BACKEND": backend},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout
    rate, device = json.loads(output.splitlines()[-1])
    return rate, device


def main() -> None:
    """Print the rates and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--structures", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--output", type=Path, default="results/benchmarks/training.json")
    parser.add_argument("--only", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(train(**arguments.only)))
        return

    settings = {key: getattr(arguments, key) for key in ("precision", "structures", "batch")}
    report: dict[str, Any] = dict(settings)
    for network in arguments.networks:
        print(f"\n{network}: structures a second, {settings}")
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            rates = report[f"{network}, {threads} threads"] = {}
            for way in arguments.ways:
                rate, device = in_a_process(network, way, threads, **settings)
                rates[way] = rate
                ratio = rate / rates[arguments.ways[0]]
                print(f"{way:16s}{threads:2d} threads, {device} {rate:9.0f}  ratio {ratio:5.2f}")
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
