"""Processor time until a training reaches the accuracy that an older recipe ends with.

The networks of the default study are trained on its own data twice for each seed: with the recipe
that it had until version 0.1, in as many epochs as it had, and with that of `config.yaml`. The mark
is the validation accuracy of the weights that the older one keeps. Each training has a process of
its own; validation counts as part of an epoch. The test part is not read.
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
import plotly.graph_objects as go
import yaml
from plotly.subplots import make_subplots

from diffsym.datasets.opening import open_described
from diffsym.files import read_json, write_json
from diffsym.keras_backend import keras
from diffsym.models.member import Task, configure_for, train_and_predict
from diffsym.models.training import Run
from diffsym.settings import settings_of
from diffsym.settings.training import Training
from diffsym.study.layout import Layout
from diffsym.study.loading import load_configuration
from diffsym.study.plan import Plan

# Experiments of the default study, and how they were trained until version 0.1.
OLDER = {
    "cnn": Training(epochs=20, learning_rate_drops=(14, 18)),
    "xrd_cnn": Training(
        epochs=8,
        learning_rate_drops=(),
        epsilon=1e-8,
        losses=("binary_cross_entropy", "quadratic"),
        class_weights="none",
    ),
    "ideal_spgvolnet": Training(
        epochs=8, batch_size=32, learning_rate_drops=(7,), class_weights="none"
    ),
}


class ProcessorTime(keras.callbacks.Callback):
    """Processor seconds of this process at the end of each epoch, from the start of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.started: float | None = None
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' names
        """Start counting; what is compiled in the first epoch is part of it."""
        if self.started is None:
            self.started = processor_seconds()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' names
        """Count."""
        self.seconds.append(processor_seconds() - (self.started or 0.0))


def processor_seconds() -> float:
    """Of all threads of this process."""
    return sum(os.times()[:2])


def train(experiment: str, *, older: bool, seed: int, threads: int) -> dict[str, Any]:
    """Train in this process; accuracy and processor seconds after each epoch."""
    plan = Plan(load_configuration(yaml.safe_load(Path("config.yaml").read_text())), Layout())
    recipe = OLDER[experiment] if older else settings_of(plan.training_settings(experiment))
    configure_for(recipe, threads=threads)
    files = plan.network_files(experiment)
    rendered = plan.rendered_patterns(experiment)
    parts = open_described(
        files,
        read_json(files["classes"])["classes"],
        rendered=settings_of(rendered) if rendered else None,
        seed=seed,
    )
    clock = ProcessorTime()
    with tempfile.TemporaryDirectory() as folder:
        member = train_and_predict(
            parts | {"test": parts["validation"]},
            settings_of(plan.model_settings(experiment)),
            recipe,
            task=Task(0, seed, plan.target(experiment)),
            run=Run(Path(folder) / "checkpoint.npz", checkpoint_seconds=1e9, callbacks=[clock]),
        )
    return {
        "validation_accuracy": member.history["val_accuracy"],
        "processor_seconds": clock.seconds,
        "kept_epoch": member.history["kept_epoch"],
        "precision": member.history["precision"],
    }


def in_a_process(experiment: str, **settings: Any) -> dict[str, Any]:
    """Result of `train`, by this script in a process of its own."""
    output = subprocess.run(
        [sys.executable, __file__, "--only", json.dumps(settings | {"experiment": experiment})],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def seconds_until(course: dict[str, Any], mark: float) -> float | None:
    """Processor seconds until the validation accuracy is the mark or more; None if never."""
    reached = np.flatnonzero(np.array(course["validation_accuracy"]) >= mark)
    return course["processor_seconds"][reached[0]] if len(reached) else None


def compare(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """Accuracies, and processor time as shares of that of the whole older training."""
    whole = older["processor_seconds"][-1]
    kept = older["validation_accuracy"][older["kept_epoch"] - 1]
    until = seconds_until(newer, kept)
    return {
        "accuracy": [kept, newer["validation_accuracy"][newer["kept_epoch"] - 1]],
        "seconds": [whole, newer["processor_seconds"][-1]],
        "share_of_whole": newer["processor_seconds"][-1] / whole,
        "share_until_mark": None if until is None else until / whole,
    }


def draw(courses: dict[str, Any], path: Path) -> None:
    """Accuracy over processor time, a panel for each network."""
    figure = make_subplots(1, len(courses), subplot_titles=list(courses))
    for column, pairs in enumerate(courses.values(), start=1):
        for pair in pairs:
            for name, colour in (("older", "#888888"), ("newer", "#0a6ebd")):
                figure.add_trace(
                    go.Scatter(
                        x=pair[name]["processor_seconds"],
                        y=[100 * value for value in pair[name]["validation_accuracy"]],
                        name=f"{name} recipe",
                        line_color=colour,
                        showlegend=column == 1 and pair is pairs[0],
                    ),
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title_text="processor time, s")
    figure.update_yaxes(title_text="validation accuracy, %", col=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(path, include_plotlyjs=True)


def main() -> None:
    """Print a line for each pair of trainings, and write numbers and curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", nargs="+", choices=OLDER, default=list(OLDER))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default="results/benchmarks/time_to_accuracy.json")
    parser.add_argument("--only", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(train(**arguments.only)))
        return

    courses: dict[str, Any] = {}
    print("experiment, seed: validation accuracy, processor seconds, until the older accuracy")
    for experiment in arguments.experiments:
        courses[experiment] = []
        for seed in arguments.seeds:
            same = {"seed": seed, "threads": arguments.threads}
            pair = {
                name: in_a_process(experiment, older=name == "older", **same)
                for name in ("older", "newer")
            }
            compared = compare(pair["older"], pair["newer"])
            courses[experiment].append(pair | {"seed": seed, "compared": compared})
            (a, b), (s, t), until = (
                compared["accuracy"], compared["seconds"], compared["share_until_mark"],
            )  # fmt: skip
            reached = "not reached" if until is None else f"after {until:.2f} of the older time"
            print(
                f"{experiment}, {seed}: {100 * a:.1f} -> {100 * b:.1f} %, {s:.0f} -> {t:.0f} s, "
                f"{reached}",
                flush=True,
            )
    write_json(arguments.output, courses)
    draw(courses, arguments.output.with_suffix(".html"))


if __name__ == "__main__":
    main()
