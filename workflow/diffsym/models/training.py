"""Training a network: schedule, class weights, checkpoints, and the final model file.

Everything random in an epoch (order of the structures, dropout) follows from the seed and the
number of the epoch, and a checkpoint after every epoch holds weights and optimiser. A training that
is killed and restarted therefore ends with the weights of an uninterrupted one.
"""

import hashlib
import json
import logging
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from diffsym.datasets.feeding import LabelledStructures
from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.keras_backend import keras, resolve_jit
from diffsym.models.batches import Batches, shuffled
from diffsym.models.losses import LOSSES
from diffsym.models.predictions import Answers
from diffsym.models.snapshots import save_snapshot

log = logging.getLogger(__name__)

PREDICTION_BATCH = 512
# Maps of many channels of each image take much more memory than the images.
IMAGE_PREDICTION_BATCH = 16
# Epochs at the beginning that may be longer than others, because something is compiled in them.
COMPILED_EPOCHS = 2
# Share of a training over which a rate with cosine decay first rises.
WARM_UP = 0.05
# Keras' names of the accuracy of a network with two outputs -> the names used here.
RENAMED = {
    "class_accuracy": "accuracy",
    "val_class_accuracy": "val_accuracy",
}


@dataclass
class Progress:
    """How far a training has come.

    Attributes
    ----------
    history
        Quantity -> one value per epoch: `loss` and `accuracy`, means over the epoch, weighted and
        unweighted, while the weights change and dropout is on; `val_loss` and `val_accuracy` of
        the validation part; `learning_rate` and `seconds`. With two outputs also the cost of
        each, `class_loss` and `ln_volume_loss`, the latter in ln V, and `val_...`.
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


@dataclass(frozen=True)
class Clock:
    """Time limit for one call of a training.

    Attributes
    ----------
    seconds
        From the start of the call; None: no limit.
    spent_before
        Seconds of the epochs that an earlier call has finished.
    started
        When the call began, by `time.perf_counter`.
    """

    seconds: float | None
    spent_before: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def allows_another(self, epochs: Sequence[float]) -> bool:
        """Whether another epoch would end in time, judged by the seconds of those so far.

        The shortest is the one to expect. The first one also compiles; of that alone, half.
        """
        if self.seconds is None:
            return True
        spent = time.perf_counter() - self.started
        expected = min(epochs, default=0.0) / (2 if len(epochs) == 1 else 1)
        return spent + expected <= self.seconds

    def share(self, epochs: Sequence[float]) -> float:
        """Share of the time that is over in the middle of the next epoch, compiling left aside.

        The first epochs of each cost are compiled, which takes long and trains nothing; 0 until
        there are epochs enough to tell.
        """
        if self.seconds is None or len(epochs) <= COMPILED_EPOCHS:
            return 0.0
        typical = float(np.median(epochs[COMPILED_EPOCHS:]))
        compiling = sum(epochs) - typical * len(epochs)
        total = self.spent_before + self.seconds - compiling
        return min(1.0, typical * (len(epochs) + 0.5) / max(total, typical))


def loss_weights(
    labels: NDArray[np.int32], n_classes: int, rule: Literal["inverse_frequency", "none"]
) -> NDArray[np.float32]:
    """Weight of a structure of each class in the loss.

    The paper's weight is N / n_c for a class with n_c of the N training structures. Here it is
    divided by its mean over the structures, so that the loss keeps its scale; with Adam, whose
    steps do not depend on the scale of the loss, this trains the same network.

    Parameters
    ----------
    labels
        Class index of each training structure, (n,).
    n_classes
        Number of classes.
    rule
        "inverse_frequency", or "none": all weights 1.

    Returns
    -------
    ndarray
        (n_classes,); 0 for classes without a training structure.
    """
    if rule == "none":
        return np.ones(n_classes, np.float32)
    counts = np.bincount(labels, minlength=n_classes)
    present = counts > 0
    weights = np.zeros(n_classes, np.float32)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights


def learning_rate_at(
    epoch: int, *, learning_rate: float, drops: Sequence[int], factor: float
) -> float:
    """Learning rate of an epoch, counted from 1: lowered by the factor from each drop on."""
    return learning_rate * factor ** sum(epoch >= drop for drop in drops)


def cosine_rate(share: float, *, learning_rate: float) -> float:
    """Learning rate when a share of a training is over.

    It rises over the first 5 % and then follows half a cosine down to 0 (Loshchilov & Hutter 2017,
    SGDR: stochastic gradient descent with warm restarts, without the restarts).
    """
    return learning_rate * min(1.0, share / WARM_UP) * (1 + math.cos(math.pi * min(1.0, share))) / 2


def train_member(
    model: keras.Model,
    train: LabelledStructures,
    validation: LabelledStructures,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    learning_rate_drops: Sequence[int],
    learning_rate_factor: float,
    learning_rate_decay: Literal["steps", "cosine"] = "steps",
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    losses: Sequence[str] = ("categorical_cross_entropy",),
    class_weights: Literal["inverse_frequency", "none"],
    keep: Literal["best", "last"],
    seed: int,
    checkpoint: str | Path,
    snapshots: str | Path | None = None,
    snapshot_every: int | None = None,
    patience: int | None = None,
    task_weights: tuple[float, float] = (1.0, 1.0),
    jit_compile: bool | None = None,
    seconds: float | None = None,
    checkpoint_seconds: float = 0.0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, Any]:
    """Train a network in place, from its checkpoint if there is one of the same training.

    Parameters
    ----------
    model
        Freshly built network, not compiled: descriptors -> class probabilities, or a dict of
        these (`class`) and ln V (`ln_volume`).
    train, validation
        The training data, and the data that choose the epoch; with volumes if the network predicts
        them.
    epochs
        Passes over the training part.
    batch_size
        Structures per step.
    learning_rate, learning_rate_drops, learning_rate_factor
        Adam's rate, multiplied by the factor from each epoch of `learning_rate_drops` on.
    learning_rate_decay
        "steps", as above, or "cosine": see `cosine_rate`; the share of the training that is over
        is that of its epochs, or of `seconds` if more of these is over.
    epsilon
        Adam's summand in the denominator.
    weight_decay
        Share of each weight, times the rate, that a step subtracts in addition to Adam's own
        change.
    losses
        Losses that the epochs minimise in turn, names in `diffsym.models.losses`.
    class_weights
        Rule of `loss_weights`.
    keep
        End with the weights of the epoch with the best validation accuracy, or of the last one.
    seed
        Seed of the order of structures and of the dropout.
    checkpoint
        File that holds the state after the last finished epoch. A checkpoint of another training
        (other settings, network, data or Keras) is never resumed. The caller removes it when the
        results are safe.
    snapshots, snapshot_every
        Folder for the weights after every `snapshot_every` epochs, see `diffsym.models.snapshots`;
        None: no snapshots.
    patience
        Stop after this many epochs without a better validation accuracy; None: never.
    task_weights
        Of a network that predicts volumes: weights of the cost of the classes and of the mean
        absolute error of ln V, in standard deviations over the training part (Ozaki et al. 2025,
        equations 13 and 14).
    jit_compile
        Compile with XLA; None: where that is faster.
    seconds
        Start no epoch that would end later than this after the call; None: no limit. Weights then
        depend on how fast the machine is.
    checkpoint_seconds
        Least time between two checkpoints. A killed training loses the epochs since the last one.
    callbacks
        Keras callbacks of every epoch.

    Returns
    -------
    dict
        One list for each quantity of `Progress.history`, and `best_epoch` and `kept_epoch`.

    Raises
    ------
    DiffsymError
        If the validation part is empty although it has to choose, or the loss is no longer finite.
    """
    if not len(validation) and (keep == "best" or patience is not None):
        raise DiffsymError(
            "the validation part holds no structure of the chosen classes, so it cannot choose the "
            "best epoch; raise validation_fraction of the split (in a cross-validation lower its "
            "folds), or set keep: last and no patience"
        )
    weights = loss_weights(train.labels, len(train.classes), class_weights)
    settings = {
        "network": model.to_json(),
        "batch_size": batch_size,
        "learning_rate": [learning_rate, list(learning_rate_drops), learning_rate_factor, epsilon],
        "decay": [learning_rate_decay, epochs] if learning_rate_decay == "cosine" else "steps",
        "weight_decay": weight_decay,
        "losses": list(losses),
        "class_weights": class_weights,
        "seed": seed,
        "snapshot_every": snapshot_every,
        "task_weights": list(task_weights),
    }
    digest = _digest(settings, train, validation)
    optimizer = keras.optimizers.Adam(
        learning_rate, epsilon=epsilon, weight_decay=weight_decay or None
    )
    if keras.config.dtype_policy().name == "mixed_float16":
        # Keras would give each view its own scale, which would be missing in the checkpoint.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    views = [
        compiled(model, optimizer, loss, task_weights, resolve_jit(jit_compile)) for loss in losses
    ]
    progress = _resume(model, optimizer, Path(checkpoint), digest)
    if snapshots is not None and not progress.epochs:
        shutil.rmtree(snapshots, ignore_errors=True)  # of another training that was killed
    clock = Clock(seconds, spent_before=sum(progress.history.get("seconds", [])))
    saved = time.perf_counter()
    while (
        progress.epochs < epochs
        and not _exhausted(progress, patience)
        and clock.allows_another(progress.history.get("seconds", []))
    ):
        epoch = progress.epochs + 1
        started = time.perf_counter()
        if learning_rate_decay == "cosine":
            share = max((epoch - 0.5) / epochs, clock.share(progress.history.get("seconds", [])))
            rate = cosine_rate(share, learning_rate=learning_rate)
        else:
            rate = learning_rate_at(
                epoch,
                learning_rate=learning_rate,
                drops=learning_rate_drops,
                factor=learning_rate_factor,
            )
        optimizer.learning_rate = rate
        _seed_dropout(model, seed, epoch)
        order = shuffled(len(train), seed, epoch)
        fitted = views[(epoch - 1) % len(views)].fit(
            Batches(train.at_epoch(epoch), batch_size, order=order, class_weights=weights),
            validation_data=prediction_batches(validation) if len(validation) else None,
            shuffle=False,
            verbose=0,
            callbacks=list(callbacks),
        )
        record = {RENAMED.get(key, key): float(values[0]) for key, values in fitted.history.items()}
        if not np.isfinite(list(record.values())).all():
            raise DiffsymError(
                f"the loss is no longer a finite number in epoch {epoch}; lower learning_rate"
            )
        record |= {"learning_rate": rate, "seconds": time.perf_counter() - started}
        _advance(progress, record, model)
        if snapshots is not None and snapshot_every is not None and epoch % snapshot_every == 0:
            save_snapshot(model, snapshots, epoch)
        if time.perf_counter() - saved >= checkpoint_seconds:
            _save_checkpoint(model, optimizer, progress, Path(checkpoint), digest)
            saved = time.perf_counter()
        log.info(
            "epoch %d of %d: %s",
            epoch,
            epochs,
            ", ".join(f"{key} {value:.4g}" for key, value in record.items()),
        )
    kept_epoch = progress.epochs
    if keep == "best":
        kept_epoch = progress.best_epoch
        model.set_weights(progress.best_weights)
    return progress.history | {"best_epoch": progress.best_epoch, "kept_epoch": kept_epoch}


def predict(model: keras.Model, partition: LabelledStructures) -> Answers:
    """Predictions of a network for each structure."""
    if not len(partition):
        empty = np.empty((0, len(partition.classes)), np.float32)
        return Answers(empty, np.empty(0, np.float32) if predicts_volumes(model) else None)
    outputs = model.predict(prediction_batches(partition), verbose=0)
    n = len(partition)
    if predicts_volumes(model):
        return Answers(outputs["class"][:n], outputs["ln_volume"][:n, 0])
    return Answers(outputs[:n])


def prediction_batches(partition: LabelledStructures) -> Batches:
    """Batches of structures in their order, for anything but training steps."""
    of_images = isinstance(partition.size, tuple)
    return Batches(partition, IMAGE_PREDICTION_BATCH if of_images else PREDICTION_BATCH)


def predicts_volumes(model: keras.Model) -> bool:
    """Whether a network has a second output, ln V."""
    return len(model.outputs) > 1


def volume_scale(model: keras.Model) -> tuple[float, float]:
    """Mean and standard deviation of ln V that a network was built with."""
    layer = model.get_layer("ln_volume")
    return float(layer.offset), float(layer.scale)


def save_model(model: keras.Model, path: str | Path) -> None:
    """Write network and weights as a `.keras` file, without the optimiser's state."""
    bare = keras.models.clone_model(model)
    bare.set_weights(model.get_weights())
    with atomic_path(path) as temporary:
        bare.save(temporary)


def load_model(path: str | Path) -> keras.Model:
    """Read a `.keras` file; code in it is rejected, so files from strangers are safe to open."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, BadZipFile) as error:
        raise DiffsymError(
            f"{path}: not a network that can be loaded ({error}); train it again"
        ) from None


def compiled(
    model: keras.Model,
    optimizer: keras.Optimizer,
    loss: str,
    task_weights: tuple[float, float],
    jit_compile: bool | str,
) -> keras.Model:
    """Return a view of a network, of the same layers and optimiser, that minimises a loss.

    A view for each loss is compiled once; one network whose loss changed would be compiled again
    in each epoch.
    """
    outputs: Any = model.outputs
    tasks: dict[str, Any] = {"loss": LOSSES[loss], "metrics": ["accuracy"]}
    if predicts_volumes(model):
        of_class, of_volume = task_weights
        _, deviation = volume_scale(model)
        outputs = dict(zip(model.output_names, model.outputs, strict=True))
        tasks = {
            "loss": {"class": LOSSES[loss], "ln_volume": "mean_absolute_error"},
            "loss_weights": {"class": of_class, "ln_volume": of_volume / deviation},
            "metrics": {"class": ["accuracy"]},
        }
    view = keras.Model(model.inputs, outputs)
    view.compile(optimizer=optimizer, jit_compile=jit_compile, **tasks)
    return view


def _exhausted(progress: Progress, patience: int | None) -> bool:
    """Whether the validation accuracy has not improved for too long."""
    return patience is not None and progress.epochs - progress.best_epoch >= patience


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Give each layer that draws random numbers a state that follows from seed and epoch."""
    for number, layer in enumerate(model.layers):
        if hasattr(layer, "seed_generator"):
            state = np.random.SeedSequence([seed, epoch, number]).generate_state(2)
            layer.seed_generator.state.assign(state)


def _advance(progress: Progress, record: dict[str, float], model: keras.Model) -> None:
    """Record a finished epoch, and its weights if they are the best so far."""
    best = max(progress.history.get("val_accuracy", []), default=-1.0)
    for key, value in record.items():
        progress.history.setdefault(key, []).append(value)
    if record.get("val_accuracy", -1.0) > best:
        progress.best_epoch = progress.epochs
        progress.best_weights = model.get_weights()


def _digest(settings: dict[str, Any], *partitions: LabelledStructures) -> str:
    """Digest of everything that the state after an epoch depends on."""
    backend = [keras.__version__, keras.backend.backend()]
    digest = hashlib.sha256(json.dumps([settings, backend], sort_keys=True).encode())
    for partition in partitions:
        digest.update(partition.digest().encode())
    return digest.hexdigest()


def _save_checkpoint(
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


def _resume(model: keras.Model, optimizer: keras.Optimizer, path: Path, digest: str) -> Progress:
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
