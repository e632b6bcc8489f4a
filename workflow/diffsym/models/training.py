"""Training a network: one epoch after another, from a checkpoint if there is one.

Everything random in an epoch (order of the structures, dropout) follows from the seed and the
number of the epoch, and a checkpoint after every epoch holds weights and optimiser. A training that
is killed and restarted therefore ends with the weights of an uninterrupted one.
"""

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diffsym.datasets.feeding import LabelledStructures
from diffsym.errors import DiffsymError
from diffsym.keras_backend import keras, resolve_jit
from diffsym.models.adam import Adam
from diffsym.models.batches import Batches, shuffled
from diffsym.models.checkpoints import Progress, resume, save_checkpoint, training_digest
from diffsym.models.losses import LOSSES
from diffsym.models.networks import prediction_batches, predicts_volumes, volume_scale
from diffsym.models.schedule import (
    Clock,
    CosineRate,
    DropoutSeeds,
    FiniteLoss,
    LearningRate,
    optimizer_rate,
)
from diffsym.models.snapshots import save_snapshot
from diffsym.settings.training import Training

log = logging.getLogger(__name__)

# Keras' names of the accuracy of a network with two outputs -> the names used here.
RENAMED = {
    "class_accuracy": "accuracy",
    "val_class_accuracy": "val_accuracy",
}


@dataclass(frozen=True)
class Run:
    """One call of a training: where its state lies, and how long it may take.

    Attributes
    ----------
    checkpoint
        File that holds the state after the last finished epoch. A checkpoint of another training
        (other settings, network, data or Keras) is never resumed. The caller removes it when the
        results are safe.
    snapshots
        Folder for the weights after every `snapshot_every` epochs, see `diffsym.models.snapshots`;
        None: no snapshots.
    seconds
        Start no epoch that would end later than this after the call; None: no limit. Weights then
        depend on how fast the machine is.
    checkpoint_seconds
        Least time between two checkpoints. A killed training loses the epochs since the last one.
    callbacks
        Keras callbacks of every epoch.
    """

    checkpoint: str | Path
    snapshots: str | Path | None = None
    seconds: float | None = None
    checkpoint_seconds: float = 0.0
    callbacks: Sequence[keras.callbacks.Callback] = ()


def train_member(
    model: keras.Model,
    train: LabelledStructures,
    validation: LabelledStructures,
    settings: Training,
    *,
    seed: int,
    run: Run,
) -> dict[str, Any]:
    """Train a network in place, from its checkpoint if there is one of the same training.

    Parameters
    ----------
    model
        Freshly built, not compiled: descriptors -> class probabilities, or a dict of these
        (`class`) and ln V (`ln_volume`).
    train, validation
        The data to learn, and those that choose the epoch; with volumes if the network has them.
    settings, seed, run
        How to train; seed of order and dropout; files and time limit of this call.

    Returns
    -------
    dict
        One list for each quantity of `Progress.history`, and `best_epoch` and `kept_epoch`.
    """
    _check_validation(validation, settings)
    weights = loss_weights(train.labels, len(train.classes), settings.class_weights)
    digest = training_digest(model, settings, seed, train, validation)
    steps = len(Batches(train, settings.batch_size))
    rate = optimizer_rate(settings, steps=steps, seconds=run.seconds)
    optimizer = make_optimizer(model, settings, rate)
    views = [compiled(model, optimizer, loss, settings) for loss in settings.losses]
    progress = resume(model, optimizer, Path(run.checkpoint), digest)
    if run.snapshots is not None and not progress.epochs:
        shutil.rmtree(run.snapshots, ignore_errors=True)  # of another training that was killed
    clock = Clock(run.seconds, spent_before=sum(progress.seconds))
    rates = LearningRate(settings, clock, progress)
    callbacks = [rates, DropoutSeeds(model, seed), FiniteLoss(), *run.callbacks]
    saved = time.perf_counter()
    while _goes_on(progress, settings, clock):
        epoch = progress.epochs + 1
        started, processor = time.perf_counter(), time.process_time()
        of_epoch = {"learning_rate": rates.rate(epoch)}
        batches = Batches(
            train.at_epoch(epoch),
            settings.batch_size,
            order=shuffled(len(train), seed, epoch),
            class_weights=weights,
        )
        fitted = views[(epoch - 1) % len(views)].fit(
            batches.fed(),
            validation_data=prediction_batches(validation).fed() if len(validation) else None,
            initial_epoch=epoch - 1,
            epochs=epoch,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
        record = {RENAMED.get(key, key): float(values[0]) for key, values in fitted.history.items()}
        record |= of_epoch | {
            "seconds": time.perf_counter() - started,
            "processor_seconds": time.process_time() - processor,
        }
        progress.advance(record, model)
        if run.snapshots and settings.snapshot_every and epoch % settings.snapshot_every == 0:
            save_snapshot(model, run.snapshots, epoch)
        if time.perf_counter() - saved >= run.checkpoint_seconds:
            save_checkpoint(model, optimizer, progress, Path(run.checkpoint), digest)
            saved = time.perf_counter()
        _report(record, epoch, settings.epochs)
    return _finish(model, progress, settings)


def _check_validation(validation: LabelledStructures, settings: Training) -> None:
    """DiffsymError if an empty validation part would have to choose the epoch."""
    if not len(validation) and (settings.keep == "best" or settings.patience is not None):
        raise DiffsymError(
            "the validation part holds no structure of the chosen classes, so it cannot choose the "
            "best epoch; raise validation_fraction of the split (in a cross-validation lower its "
            "folds), or set keep: last and no patience"
        )


def _goes_on(progress: Progress, settings: Training, clock: Clock) -> bool:
    """Whether another epoch is wanted and fits into the time."""
    return (
        progress.epochs < settings.epochs
        and not progress.exhausted(settings.patience)
        and clock.allows_another(progress.seconds)
    )


def _report(record: dict[str, float], epoch: int, epochs: int) -> None:
    """Write what an epoch gave to the log."""
    values = ", ".join(f"{key} {value:.4g}" for key, value in record.items())
    log.info("epoch %d of %d: %s", epoch, epochs, values)


def _finish(model: keras.Model, progress: Progress, settings: Training) -> dict[str, Any]:
    """Give a network the weights that are kept, and return the history."""
    kept_epoch = progress.epochs
    if settings.keep == "best":
        kept_epoch = progress.best_epoch
        model.set_weights(progress.best_weights)
    return progress.history | {"best_epoch": progress.best_epoch, "kept_epoch": kept_epoch}


def make_optimizer(
    model: keras.Model, settings: Training, rate: float | CosineRate | None = None
) -> keras.Optimizer:
    """Adam with the state of a network's weights, and a scale of the loss in half precision.

    Its rate, or schedule of rates, is by default the first one of the settings.
    """
    optimizer = Adam(
        settings.learning_rate if rate is None else rate,
        epsilon=settings.epsilon,
        weight_decay=settings.weight_decay or None,
    )
    if keras.config.dtype_policy().name == "mixed_float16":
        # Keras would give each view its own scale, which would be missing in the checkpoint.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


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


def compiled(
    model: keras.Model,
    optimizer: keras.Optimizer,
    loss: str,
    settings: Training,
) -> keras.Model:
    """Return a view of a network, of the same layers and optimiser, that minimises a loss.

    A view for each loss is compiled once; one network whose loss changed would be compiled again
    in each epoch.
    """
    outputs: Any = model.outputs
    tasks: dict[str, Any] = {"loss": LOSSES[loss], "metrics": ["accuracy"]}
    if predicts_volumes(model):
        of_class, of_volume = settings.task_weights
        _, deviation = volume_scale(model)
        outputs = dict(zip(model.output_names, model.outputs, strict=True))
        tasks = {
            "loss": {"class": LOSSES[loss], "ln_volume": "mean_absolute_error"},
            "loss_weights": {"class": of_class, "ln_volume": of_volume / deviation},
            "metrics": {"class": ["accuracy"]},
        }
    view = keras.Model(model.inputs, outputs)
    view.compile(optimizer=optimizer, jit_compile=resolve_jit(settings.jit_compile), **tasks)
    return view
