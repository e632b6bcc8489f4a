"""One member of an ensemble: built, trained, and its predictions."""

import importlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from diffsym.datasets.feeding import LabelledStructures
from diffsym.files import write_json
from diffsym.keras_backend import configure, keras, used_device
from diffsym.models.complexity import complexity
from diffsym.models.crystal_systems import label_by_system
from diffsym.models.efficiency import matmul_rate, training_rate
from diffsym.models.networks import in_single_precision, predict, save_model
from diffsym.models.predictions import Answers, predictions_table
from diffsym.models.snapshots import pack_snapshots
from diffsym.models.training import Run, train_member
from diffsym.settings.models.base import Model
from diffsym.settings.training import Training
from diffsym.structures.space_groups import spread_over_groups
from diffsym.tables import write_table


@dataclass(frozen=True)
class Member:
    """A trained network and what it gave.

    Attributes
    ----------
    model
        With the weights that were kept.
    history
        That of `diffsym.models.training.train_member`, and how the network was trained: backend,
        device, precision, training structures of each class, size of the network, and on a
        processor how much of its speed the training used (`diffsym.models.efficiency`).
    predictions
        Of the validation and test parts.
    run
        Files that are no longer needed once the results are safe.
    """

    model: keras.Model
    history: Mapping[str, Any]
    predictions: pa.Table
    run: Run

    def write(self, files: Any) -> None:
        """Write model, snapshots, history and predictions, and remove the state of the training.

        Parameters
        ----------
        files
            Attributes `model`, `snapshots`, `history` and `predictions`: paths.
        """
        save_model(self.model, files.model)
        # Another writer, left over from a lost node, packs the same files and removes the folder.
        if not Path(files.snapshots).exists():
            pack_snapshots(str(self.run.snapshots), files.snapshots)
        write_json(files.history, self.history)
        write_table(self.predictions, files.predictions, self.predictions.schema)
        Path(self.run.checkpoint).unlink(missing_ok=True)
        shutil.rmtree(str(self.run.snapshots), ignore_errors=True)


@dataclass(frozen=True)
class Task:
    """Which member is trained, and on what.

    Attributes
    ----------
    member, seed
        Number and seed of the member.
    target
        "space_group", or "crystal_system": train on crystal systems and spread their probabilities
        over the space groups.
    """

    member: int
    seed: int
    target: str


def configure_for(training: Training, *, threads: int) -> None:
    """Set Keras up for a training, see `diffsym.keras_backend.configure`."""
    configure(
        threads=threads,
        devices=training.devices,
        deterministic=training.deterministic,
        precision=training.precision,
    )


def train_and_predict(
    parts: Mapping[str, LabelledStructures],
    settings: Model,
    training: Training,
    *,
    task: Task,
    run: Run,
) -> Member:
    """Build a network, train it and let it predict.

    Parameters
    ----------
    parts
        Structures by role; with volumes if the network predicts them.
    settings, training
        Sections of the model and of the training.
    task
        Which member, and on what.
    run
        Files of the training.
    """
    by_system = task.target == "crystal_system"
    classes = parts["train"].classes
    train, validation = (
        label_by_system(parts[role]) if by_system else parts[role]
        for role in ("train", "validation")
    )
    ln_volume = ln_volume_scale(parts["train"])
    volume = {"ln_volume": ln_volume} if settings.has_volume else {}
    build = importlib.import_module(settings.module).build
    model = build(train.size, len(train.classes), settings, seed=task.seed, **volume)
    history = train_member(model, train, validation, training, seed=task.seed, run=run)
    precision = keras.config.dtype_policy().name
    model = in_single_precision(model)
    counts = np.bincount(parts["train"].labels, minlength=len(classes))

    def answers(part: LabelledStructures) -> Answers:
        own = predict(model, part)
        return Answers(spread_over_groups(own.probabilities, classes, counts)) if by_system else own

    predictions = predictions_table(answers, parts, member=task.member, ln_volume=ln_volume)
    made_with = {
        "backend": keras.backend.backend(),
        "device": used_device(),
        "precision": precision,
        "training_counts": counts.tolist(),
    }
    cost = complexity(model)
    history = history | made_with | cost._asdict()
    if used_device() == "cpu":
        history["matmul_rate"] = matmul_rate()
        history["training_rate"] = training_rate(
            cost.flops,
            trained=len(train) * len(history["loss"]),
            validated=len(validation) * len(history["loss"]),
            processor_seconds=sum(history["processor_seconds"]),
        )
    return Member(model, history, predictions, run)


def ln_volume_scale(train: LabelledStructures) -> tuple[float, float] | None:
    """Mean and standard deviation of ln(V / A^3) over the training part; None without volumes."""
    if train.ln_volumes is None:
        return None
    values = train.ln_volumes
    return float(np.mean(values, dtype=float)), float(np.std(values, dtype=float))
