"""Does a network wait for its patterns? Epochs with rendered and with stored powder patterns.

Both networks of Vecsei et al. train on the same structures, once from the stored table without
noise and once on patterns that are rendered with new noise while they train. A ratio near 1 says
that rendering, which takes place ahead in threads, holds nothing up. Rendering alone is timed, too.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from diffsym.datasets.augmented import open_augmented_partitions
from diffsym.datasets.feeding import LabelledStructures, open_partitions
from diffsym.datasets.splits import make_split
from diffsym.descriptors import powder, reflections
from diffsym.files import write_json
from diffsym.keras_backend import configure
from diffsym.models import park2017_cnn, vecsei2019_dense
from diffsym.models.training import Run, train_member
from diffsym.settings.augmentation import Augmentation
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.settings.models.vecsei2019_dense import Vecsei2019Dense
from diffsym.settings.reflections import Reflections
from diffsym.settings.splits import DrawnSplit
from diffsym.settings.training import Training
from diffsym.tables import (
    REFLECTIONS,
    SPLIT,
    STRUCTURES,
    descriptor_schema,
    fixed_size_rows,
    read_table,
    write_table,
)

STRUCTURES_USED = 1500
NETWORKS = {
    "park2017_cnn": (park2017_cnn, Park2017Cnn()),
    "vecsei2019_dense": (vecsei2019_dense, Vecsei2019Dense()),
}
PATTERN = Powder(kind="powder", augmentation=Augmentation())


def prepare(structures: pa.Table, folder: Path) -> list[int]:
    """Write reflections, patterns and a split of the structures; return their space groups."""
    lines = reflections.compute(structures, Reflections())
    write_table(lines, folder / "reflections.parquet", REFLECTIONS)
    patterns, _ = powder.compute(lines, PATTERN)
    table = {
        "structure_id": structures["structure_id"],
        "descriptor": fixed_size_rows(patterns),
    }
    schema = descriptor_schema(patterns.shape[1], patterns.dtype)
    write_table(pa.table(table), folder / "patterns.parquet", schema)
    rule = DrawnSplit(kind="stratified", test_fraction=0.05, validation_fraction=0.05, folds=2)
    split, _ = make_split(structures, rule, {})
    write_table(split, folder / "split.parquet", SPLIT)
    return sorted(set(split["space_group"].to_pylist()))


def seconds_an_epoch(name: str, parts: dict[str, LabelledStructures], folder: Path) -> float:
    """Median time of an epoch, the first not counted."""
    train = parts["train"]
    network, settings = NETWORKS[name]
    model = network.build(train.size, len(train.classes), settings, seed=0)
    history = train_member(
        model,
        train,
        parts["validation"],
        Training(epochs=4, learning_rate_drops=(), class_weights="none", keep="last"),
        seed=0,
        run=Run(checkpoint=folder / f"{name}-{type(train).__name__}.npz"),
    )
    return float(np.median(history["seconds"][1:]))


def seconds_to_render(train: LabelledStructures) -> float:
    """Time to take all structures once, in batches, in one thread."""
    train.take(np.arange(64))  # compiles
    started = time.perf_counter()
    for start in range(0, len(train), 64):
        train.take(np.arange(start, min(start + 64, len(train))))
    return time.perf_counter() - started


def main() -> None:
    """Print the times and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--output", type=Path, default="results/benchmarks/feeding.json")
    arguments = parser.parse_args()

    cores = len(os.sched_getaffinity(0))
    configure(threads=cores)
    table = read_table(arguments.structures, STRUCTURES)
    drawn = np.random.default_rng(0).permutation(table.num_rows)[:STRUCTURES_USED]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classes = prepare(table.take(np.sort(drawn)), folder)
        split = folder / "split.parquet"
        stored = open_partitions(folder / "patterns.parquet", split, classes)
        rendered = open_augmented_partitions(
            [folder / "reflections.parquet"],
            split,
            classes,
            PATTERN,
            seed=0,
        )
        n = len(rendered["train"])
        alone = seconds_to_render(rendered["train"])
        print(f"{n} training patterns of 8501 points, {cores} cores")
        print(f"rendering alone, one thread: {n / alone:.0f} patterns/s\n")
        print(f"{'':18s} stored, s an epoch   rendered   ratio   patterns/s")
        report = {"patterns": n, "rendered_per_second": n / alone, "epochs": {}}
        for network in NETWORKS:
            seconds = [seconds_an_epoch(network, parts, folder) for parts in (stored, rendered)]
            ratio = seconds[1] / seconds[0]
            print(
                f"{network:18s} {seconds[0]:18.2f} {seconds[1]:10.2f} {ratio:7.2f} "
                f"{n / seconds[1]:12.0f}"
            )
            report["epochs"][network] = {"stored": seconds[0], "rendered": seconds[1]}
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
