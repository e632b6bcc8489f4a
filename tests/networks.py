"""A network of a few hundred weights, and what tests of networks share."""

import numpy as np

from diffsym.models.liu2019_cnn import build
from diffsym.models.training import train_member

SETTINGS = {
    "epochs": 4,
    "batch_size": 32,
    "learning_rate": 0.003,
    "learning_rate_drops": [3],
    "learning_rate_factor": 0.1,
    "class_weights": "inverse_frequency",
    "keep": "last",
    "seed": 5,
}


def network():
    return build(40, 3, filters=(8, 4), kernel_size=5, hidden_units=8, seed=5)


def trained(train, validation, checkpoint, **changes):
    model = network()
    history = train_member(
        model, train, validation, checkpoint=checkpoint, **{**SETTINGS, **changes}
    )
    return model, history


def same_weights(first, second):
    return all(map(np.array_equal, first.get_weights(), second.get_weights()))


def length_after(length: int, stride: int, pool_stride: int) -> int:
    """Length behind a padded convolution and a pooling of 3 without padding."""
    return (-(-length // stride) - 3) // pool_stride + 1
