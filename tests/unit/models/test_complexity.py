"""Operations are those of published counts and of TensorFlow's own profiler."""

from functools import partial

import pytest
import tensorflow as tf
from networks import keras_network, without_values
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from diffsym.keras_backend import keras
from diffsym.models import alexnet, liu2019_cnn, tiong2020_msdn, ziletti2018
from diffsym.models.complexity import complexity
from diffsym.settings.models.alexnet import AlexNet
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn
from diffsym.settings.models.tiong2020_msdn import Tiong2020Msdn
from diffsym.settings.models.ziletti2018 import Ziletti2018

PAPER = 224, 224, 3


@pytest.mark.parametrize(
    ("build", "multiply_adds", "trained", "weights"),
    [
        # Published: 15.5, 3.86 (He et al. 2016 round to 3.8), 2.83 and 0.72 thousand millions.
        (
            keras_network("VGG16"),
            15.47e9,
            138_357_544,
            138_357_544,
        ),
        (
            keras_network("ResNet50"),
            3.86e9,
            25_583_592,
            25_636_712,
        ),
        (
            keras_network("DenseNet121"),
            2.83e9,
            7_978_856,
            8_062_504,
        ),
        (partial(alexnet.build, settings=AlexNet()), 0.72e9, 60_965_224, 60_965_224),
    ],
)
def test_known_networks_have_the_published_size(build, multiply_adds, trained, weights):
    with without_values():
        network = build(PAPER, 1000, seed=0)
        counted = complexity(network)
    assert counted.flops / 2 == pytest.approx(multiply_adds, rel=0.01)
    assert counted.parameters == trained
    assert network.count_params() == weights


def profiled(network):
    """Operations that TensorFlow counts in the graph of one prediction."""
    (images,) = network.inputs
    signature = tf.TensorSpec((1, *images.shape[1:]), images.dtype)
    frozen = convert_variables_to_constants_v2(
        tf.function(lambda x: network(x, training=False)).get_concrete_function(signature)
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profile = tf.compat.v1.profiler.profile(frozen.graph, cmd="op", options=options)
    return profile.total_float_ops


@pytest.mark.parametrize(
    "build",
    [
        partial(tiong2020_msdn.build, PAPER, 72, Tiong2020Msdn()),
        partial(ziletti2018.build, PAPER, 72, Ziletti2018()),
        partial(liu2019_cnn.build, 209, 45, Liu2019Cnn()),
    ],
)
def test_tensorflow_counts_the_same_operations(build):
    network = build(seed=0)
    counted = complexity(network).flops
    assert counted < profiled(network) < 1.01 * counted


def test_streams_multiply_operations_and_not_parameters():
    build = partial(
        tiong2020_msdn.build, n_classes=8, settings=Tiong2020Msdn(block_layers=(2, 2)), seed=0
    )
    one, three = (complexity(build((64, 64, streams))) for streams in (1, 3))
    assert three.parameters == one.parameters
    assert three.flops == 3 * one.flops


def test_a_layer_that_is_not_known_is_not_counted_as_nothing():
    images = keras.Input((8, 8, 3))
    network = keras.Model(images, keras.layers.Conv2DTranspose(4, 3)(images))
    with pytest.raises(TypeError, match="Conv2DTranspose"):
        complexity(network)
