"""Losses that a training may minimise, of class indices (batch,) and probabilities (batch, k)."""

from collections.abc import Callable
from typing import Any

from diffsym.keras_backend import keras

ops = keras.ops

# Well above the smallest normal number of single precision, 1.2e-38.
SMALLEST_PROBABILITY = 1e-30


def categorical_cross_entropy(labels: Any, probabilities: Any) -> Any:
    """Minus the logarithm of the probability of the right class, (batch,).

    Keras' own takes probabilities below 1e-7 as 1e-7 with most backends, where its gradient is 0;
    joint probabilities of several streams (`diffsym.models.streams`) are often smaller.
    """
    right = ops.sum(probabilities * _one_hot(labels, probabilities), axis=-1)
    return -ops.log(ops.maximum(right, SMALLEST_PROBABILITY))


def binary_cross_entropy(labels: Any, probabilities: Any) -> Any:
    """Cross entropy of each class against its complement, summed (Vecsei et al. 2019, eq. 5).

    Unlike the categorical one it also charges for the probability of each wrong class. (batch,).
    """
    epsilon = keras.config.epsilon()
    p = ops.clip(probabilities, epsilon, 1 - epsilon)
    right = _one_hot(labels, probabilities)
    return -ops.sum(right * ops.log(p) + (1 - right) * ops.log(1 - p), axis=-1)


def quadratic(labels: Any, probabilities: Any) -> Any:
    """Squared distance of the probabilities from 0 and 1 (Vecsei et al. 2019, eq. 4), (batch,)."""
    return ops.sum(ops.square(probabilities - _one_hot(labels, probabilities)), axis=-1)


def _one_hot(labels: Any, probabilities: Any) -> Any:
    indices = ops.cast(ops.reshape(labels, (-1,)), "int32")
    return ops.one_hot(indices, probabilities.shape[-1], dtype="float32")


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    function.__name__: function
    for function in (categorical_cross_entropy, binary_cross_entropy, quadratic)
}
