"""Networks of few weights, and what tests of networks share."""

from contextlib import contextmanager
from functools import partial

import numpy as np

from diffsym.keras_backend import keras
from diffsym.models import alexnet, liu2019_cnn, tiong2020_msdn, tiong2020_msvgg, ziletti2018
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

MULTI_STREAM = {
    "tiong2020_msdn": partial(
        tiong2020_msdn.build, stem_filters=6, block_layers=(2, 3), growth=6, bottleneck=6
    ),
    "tiong2020_msvgg": partial(
        tiong2020_msvgg.build, block_filters=((4,), (8, 8)), hidden_units=(16,)
    ),
}
SMALL = MULTI_STREAM | {
    "ziletti2018": partial(
        ziletti2018.build, side=24, block_filters=((8, 8), (8, 8)), kernel_size=3, hidden_units=16
    ),
    "alexnet": partial(
        alexnet.build, filters=(16, 16, 16, 16, 16), hidden_units=(32,), hidden_dropout=0.2
    ),
}


def network():
    return liu2019_cnn.build(40, 3, filters=(8, 4), kernel_size=5, hidden_units=8, seed=5)


def trained(train, validation, checkpoint, **changes):
    model = network()
    history = train_member(
        model, train, validation, checkpoint=checkpoint, **{**SETTINGS, **changes}
    )
    return model, history


@contextmanager
def without_values():
    """Where networks of full size are built only to be counted: weights have shapes, no values."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    # Or Keras draws the values when it next leaves a scope of this kind.
    keras.utils.clear_session()


def same_weights(first, second):
    return all(map(np.array_equal, first.get_weights(), second.get_weights()))


def length_after(length: int, stride: int, pool_stride: int) -> int:
    """Length behind a padded convolution and a pooling of 3 without padding."""
    return (-(-length // stride) - 3) // pool_stride + 1
