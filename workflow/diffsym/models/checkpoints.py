"""How far a training has come, in memory and on the disk."""

import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffsym.datasets.feeding import LabelledStructures
from diffsym.files import atomic_path
from diffsym.keras_backend import keras
from diffsym.settings import values_of
from diffsym.settings.training import Training

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """How far a training has come.

    Attributes
    ----------
    history
        Quantity -> one value per epoch: `loss` and `accuracy`, means over the epoch, weighted and
        unweighted, while the weights change and dropout is on; `val_loss` and `val_accuracy` of
        the validation part; `learning_rate`, `seconds` and `processor_seconds`. With two outputs
        also the cost of each, `class_loss` and `ln_volume_loss`, the latter in ln V, and `val_...`.
    best_epoch
        Epoch with the best validation accuracy, counted from 1; the earliest of equals.
    best_weights
        The network's weights after that epoch.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    best_weights: list[NDArray] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.history.get("loss", []))

    @property
    def seconds(self) -> list[float]:
        """Of each finished epoch."""
        return self.history.get("seconds", [])

    def exhausted(self, patience: int | None) -> bool:
        """Whether the validation accuracy has not improved for too long."""
        return patience is not None and self.epochs - self.best_epoch >= patience

    def advance(self, record: dict[str, float], model: keras.Model) -> None:
        """Record a finished epoch, and its weights if they are the best so far."""
        best = max(self.history.get("val_accuracy", []), default=-1.0)
        for key, value in record.items():
            self.history.setdefault(key, []).append(value)
        if record.get("val_accuracy", -1.0) > best:
            self.best_epoch = self.epochs
            self.best_weights = model.get_weights()


def training_digest(
    model: keras.Model, settings: Training, seed: int, *partitions: LabelledStructures
) -> str:
    """Digest of everything that the state after an epoch depends on.

    All settings count but those that decide only when a training ends and which epoch it keeps.
    """
    of_the_end = {"keep", "patience"}
    if settings.learning_rate_decay == "steps":
        of_the_end.add("epochs")
    state = {
        "network": model.to_json(),
        "seed": seed,
        "backend": [keras.__version__, keras.backend.backend()],
        "settings": {k: v for k, v in values_of(settings).items() if k not in of_the_end},
    }
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
    for partition in partitions:
        digest.update(partition.digest().encode())
    return digest.hexdigest()


def save_checkpoint(
    model: keras.Model,
    optimizer: keras.Optimizer,
    progress: Progress,
    path: Path,
    digest: str,
) -> None:
    """Write the state after an epoch as one file, whole or not at all."""
    arrays = {
        "weights": model.get_weights(),
        "optimizer": [keras.ops.convert_to_numpy(value) for value in optimizer.variables],
        "best": progress.best_weights,
    }
    header = {
        "digest": digest,
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "sizes": {key: len(values) for key, values in arrays.items()},
    }
    named = {
        f"{key}_{i}": value for key, values in arrays.items() for i, value in enumerate(values)
    }
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, header=json.dumps(header), **named)


def resume(model: keras.Model, optimizer: keras.Optimizer, path: Path, digest: str) -> Progress:
    """Put a network into the state of its checkpoint, if that is of the same training."""
    if not path.exists():
        return Progress()
    with np.load(path, allow_pickle=False) as stored:
        header = json.loads(str(stored["header"]))
        if header["digest"] != digest:
            log.info("%s belongs to another training; starting anew", path)
            return Progress()
        arrays = {
            key: [stored[f"{key}_{i}"] for i in range(size)]
            for key, size in header["sizes"].items()
        }
    model.set_weights(arrays["weights"])
    for variable, value in zip(optimizer.variables, arrays["optimizer"], strict=True):
        variable.assign(value)
    progress = Progress(header["history"], header["best_epoch"], arrays["best"])
    log.info("resuming after epoch %d from %s", progress.epochs, path)
    return progress
