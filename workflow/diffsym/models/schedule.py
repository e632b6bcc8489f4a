"""When an epoch begins, and in its steps: learning rate, dropout, and whether there is time."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffsym.errors import DiffsymError
from diffsym.keras_backend import keras
from diffsym.models.checkpoints import Progress
from diffsym.settings.training import Training

# Epochs at the beginning that may be longer than others, because something is compiled in them.
COMPILED_EPOCHS = 2
# Share of a training over which a rate with cosine decay first rises.
WARM_UP = 0.1


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


def learning_rate_at(
    epoch: int, *, learning_rate: float, drops: Sequence[int], factor: float
) -> float:
    """Learning rate of an epoch, counted from 1: lowered by the factor from each drop on."""
    return learning_rate * factor ** sum(epoch >= drop for drop in drops)


def cosine_rate(share: float, *, learning_rate: float) -> float:
    """Learning rate when a share of a training is over.

    It rises over the first 10 % and then follows half a cosine down to 0 (Loshchilov & Hutter 2017,
    SGDR: stochastic gradient descent with warm restarts, without the restarts).
    """
    return learning_rate * min(1.0, share / WARM_UP) * (1 + math.cos(math.pi * min(1.0, share))) / 2


class CosineRate(keras.optimizers.schedules.LearningRateSchedule):
    """`cosine_rate` from step to step of a training of known length.

    Parameters
    ----------
    learning_rate
        Greatest rate.
    steps
        Of the whole training.
    """

    def __init__(self, learning_rate: float, steps: int) -> None:
        self.learning_rate = learning_rate
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """Rate of a step, counted from 0: that of its middle."""
        share = (keras.ops.cast(step, "float32") + 0.5) / self.steps
        rising = keras.ops.minimum(1.0, share / WARM_UP)
        falling = (1 + keras.ops.cos(math.pi * keras.ops.minimum(1.0, share))) / 2
        return self.learning_rate * rising * falling

    def get_config(self) -> dict[str, Any]:
        """Arguments to build it with again."""
        return {"learning_rate": self.learning_rate, "steps": self.steps}


def falls_by_step(settings: Training, seconds: float | None) -> bool:
    """Whether the rate changes within epochs: along a cosine, if no clock limits the training."""
    return settings.learning_rate_decay == "cosine" and seconds is None


def optimizer_rate(settings: Training, *, steps: int, seconds: float | None) -> float | CosineRate:
    """Rate that an optimiser starts with, or its schedule.

    Parameters
    ----------
    settings
        Of the training.
    steps
        Of an epoch.
    seconds
        Time limit of the training.
    """
    if falls_by_step(settings, seconds):
        return CosineRate(settings.learning_rate, steps * settings.epochs)
    return settings.learning_rate


class LearningRate(keras.callbacks.Callback):
    """Set the rate of each epoch: lowered in steps, or along a cosine.

    Parameters
    ----------
    settings
        Of the training.
    clock
        Of the call: the share of a training that is over is that of its epochs, or of its time if
        more of this is over.
    progress
        Of the training.
    """

    def __init__(self, settings: Training, clock: Clock, progress: Progress) -> None:
        super().__init__()
        self.settings = settings
        self.clock = clock
        self.progress = progress

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' names
        """Set the rate, unless the optimiser has a schedule; Keras counts epochs from 0."""
        if not falls_by_step(self.settings, self.clock.seconds):
            self.model.optimizer.learning_rate = self.rate(epoch + 1)

    def rate(self, epoch: int) -> float:
        """Rate of an epoch, counted from 1; along a cosine that of its middle."""
        settings = self.settings
        if settings.learning_rate_decay == "cosine":
            share = max((epoch - 0.5) / settings.epochs, self.clock.share(self.progress.seconds))
            return cosine_rate(share, learning_rate=settings.learning_rate)
        return learning_rate_at(
            epoch,
            learning_rate=settings.learning_rate,
            drops=settings.learning_rate_drops,
            factor=settings.learning_rate_factor,
        )


class DropoutSeeds(keras.callbacks.Callback):
    """Give each layer that draws random numbers a state that follows from seed and epoch."""

    def __init__(self, network: keras.Model, seed: int) -> None:
        super().__init__()
        self.network = network
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' names
        """Set the states; Keras counts epochs from 0."""
        for number, layer in enumerate(self.network.layers):
            if hasattr(layer, "seed_generator"):
                state = np.random.SeedSequence([self.seed, epoch + 1, number]).generate_state(2)
                layer.seed_generator.state.assign(state)


class FiniteLoss(keras.callbacks.Callback):
    """DiffsymError if a loss is no longer a finite number."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Check all quantities of an epoch; Keras counts epochs from 0."""
        if not np.isfinite([float(value) for value in logs.values()]).all():
            raise DiffsymError(
                f"the loss is no longer a finite number in epoch {epoch + 1}; lower learning_rate"
            )
