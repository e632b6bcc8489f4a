"""Networks of few weights, and what tests of networks share."""

from contextlib import contextmanager
from dataclasses import fields
from functools import partial

import numpy as np

from diffsym.keras_backend import keras
from diffsym.models import (
    alexnet,
    applications,
    liu2019_cnn,
    tiong2020_msdn,
    tiong2020_msvgg,
    ziletti2018,
)
from diffsym.models.training import Run, train_member
from diffsym.settings.models.alexnet import AlexNet
from diffsym.settings.models.applications import Applications
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn
from diffsym.settings.models.tiong2020_msdn import Tiong2020Msdn
from diffsym.settings.models.tiong2020_msvgg import Tiong2020Msvgg
from diffsym.settings.models.ziletti2018 import Ziletti2018
from diffsym.settings.training import Training

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
        tiong2020_msdn.build,
        settings=Tiong2020Msdn(stem_filters=6, block_layers=(2, 3), growth=6, bottleneck=6),
    ),
    "tiong2020_msvgg": partial(
        tiong2020_msvgg.build,
        settings=Tiong2020Msvgg(block_filters=((4,), (8, 8)), hidden_units=(16,)),
    ),
}
SMALL = MULTI_STREAM | {
    "ziletti2018": partial(
        ziletti2018.build,
        settings=Ziletti2018(
            side=24, block_filters=((8, 8), (8, 8)), kernel_size=3, hidden_units=16
        ),
    ),
    "alexnet": partial(
        alexnet.build,
        settings=AlexNet(filters=(16, 16, 16, 16, 16), hidden_units=(32,), hidden_dropout=0.2),
    ),
}


def keras_network(architecture):
    """Builds a network of Keras' own."""
    return partial(applications.build, settings=Applications(architecture=architecture))


def network():
    settings = Liu2019Cnn(filters=(8, 4), kernel_size=5, hidden_units=8)
    return liu2019_cnn.build(40, 3, settings, seed=5)


def run_training(model, training_part, validation, *, seed, **settings):
    """Train with settings of `Training` and of `Run`, each where it belongs."""
    names = {field.name for field in fields(Run)}
    run = Run(**{key: value for key, value in settings.items() if key in names})
    training = Training(**{key: value for key, value in settings.items() if key not in names})
    return train_member(model, training_part, validation, training, seed=seed, run=run)


def trained(training_part, validation, checkpoint, **changes):
    model = network()
    history = run_training(
        model, training_part, validation, checkpoint=checkpoint, **{**SETTINGS, **changes}
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
