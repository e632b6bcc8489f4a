"""What networks cost: parameters, and operations of one prediction."""

import math
from typing import NamedTuple

from diffsym.keras_backend import keras

layers = keras.layers

MULTIPLYING = (layers.Dense, layers.Conv1D, layers.Conv2D)


class Complexity(NamedTuple):
    """What a network costs.

    Attributes
    ----------
    parameters
        Numbers that a training changes; shared ones count once.
    flops
        Floating-point operations of the prediction for one structure.
    """

    parameters: int
    flops: int


def complexity(model: keras.Model) -> Complexity:
    """Count a network's parameters and operations.

    A multiplication and the addition that follows are two operations. Those of convolutions and
    fully connected layers are counted, in each stream, and no others: biases, normalisations,
    poolings and activations have less than one in a hundred of them in the networks here. Papers
    that count "multiply-adds" give half of this number.

    Parameters
    ----------
    model
        Network on single structures; with streams, its longer batches are seen from its shapes.

    Returns
    -------
    Complexity
        Of the network.

    Raises
    ------
    TypeError
        If a layer multiplies by weights in an unknown way.
    """
    parameters = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    (images,) = model.inputs
    single = keras.Input(batch_size=1, shape=images.shape[1:], dtype=images.dtype)
    like_its_own = keras.tree.map_structure(lambda _: single, model.input)
    of_one = keras.models.clone_model(model, input_tensors=like_its_own)
    return Complexity(parameters, 2 * sum(map(_multiply_adds, of_one.layers)))


def _multiply_adds(layer: keras.Layer) -> int:
    """Multiply-adds of a layer: for each of its results one for each weight that leads to it."""
    if not hasattr(layer, "kernel"):
        return 0
    if type(layer) not in MULTIPLYING:
        raise TypeError(f"operations of {type(layer).__name__} layers are not counted")
    return math.prod(layer.output.shape) * math.prod(layer.kernel.shape[:-1])
