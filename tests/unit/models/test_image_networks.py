"""The networks for images have the layers that are described, share weights, and learn."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from networks import MULTI_STREAM, SETTINGS, SMALL, keras_network, run_training, without_values

from diffsym.datasets.feeding import Partition
from diffsym.keras_backend import keras
from diffsym.models import tiong2020_msdn, tiong2020_msvgg, ziletti2018
from diffsym.models.networks import predict
from diffsym.models.streams import stream_features, stream_maps
from diffsym.settings.models.tiong2020_msdn import Tiong2020Msdn
from diffsym.settings.models.tiong2020_msvgg import Tiong2020Msvgg
from diffsym.settings.models.ziletti2018 import Ziletti2018

SHAPE = 64, 64, 3
PAPER = 224, 224, 3
ALL = SMALL | {"densenet121": keras_network("DenseNet121")}


def patterns(n, seed, *, shape=SHAPE):
    """Images of three groups: waves along rows, columns or diagonals, under noise."""
    generator = np.random.default_rng(seed)
    height, width, channels = shape
    labels = generator.choice(3, n).astype(np.int32)
    y, x = np.mgrid[:height, :width]
    coordinate = np.stack([y, x, x + y])[labels][..., None]
    phase = generator.uniform(0, 2 * np.pi, (n, 1, 1, channels))
    waves = 128 + 60 * np.sin(0.8 * coordinate + phase)
    return Partition(
        features=(waves + generator.normal(0, 20, waves.shape)).clip(0, 255).astype(np.uint8),
        labels=labels,
        folds=np.full(n, -1, np.int8),
        structure_ids=pa.array([f"x:{number:04d}" for number in range(n)], pa.string()),
        classes=(2, 14, 225),
    )


def msdn_parameters(stem, growth, compression, n_classes):
    """Weights and biases of the network, with as many channels in a bottleneck as a layer adds."""
    total = (3 * 3 * 1 + 1) * stem
    channels = stem
    for block, n_layers in enumerate((3, 6, 8, 6)):
        if block:
            kept = int(compression * channels)
            total += (channels + 1) * kept
            channels = kept
        for _ in range(n_layers):
            total += (channels + 1) * growth + (3 * 3 * growth + 1) * growth
            channels += growth
    assert channels == 960
    return total + (channels + 1) * n_classes


def test_msdn_has_the_parameters_counted_by_hand_and_the_nearer_reading_is_the_default():
    readings = {"growth 40": (40, 40, 1.0), "growth 80": (80, 80, 0.5)}
    by_hand = {name: msdn_parameters(*reading, 72) for name, reading in readings.items()}
    assert by_hand == {"growth 40": 1_549_512, "growth 80": 3_037_832}
    with without_values():
        default = tiong2020_msdn.build(PAPER, 72, Tiong2020Msdn(), seed=0)
        other = tiong2020_msdn.build(
            PAPER,
            72,
            Tiong2020Msdn(stem_filters=80, growth=80, bottleneck=80, compression=0.5),
            seed=0,
        )
    assert default.count_params() == by_hand["growth 40"]
    assert other.count_params() == by_hand["growth 80"]
    assert min(by_hand, key=lambda name: abs(by_hand[name] - 1.54e6)) == "growth 40"


def test_msdn_has_the_layers_of_the_table():
    with without_values():
        network = tiong2020_msdn.build(PAPER, 72, Tiong2020Msdn(), seed=0)
    shapes = [network.get_layer(f"block_{block}").output.shape for block in (1, 2, 3, 4)]
    assert shapes == [
        (None, 112, 112, 160), (None, 56, 56, 400), (None, 28, 28, 720), (None, 14, 14, 960)
    ]  # fmt: skip
    assert network.get_layer("features").output.shape == (None, 960)


def test_msdn_with_normalisation_has_three_more_parameters_a_channel():
    settings = MULTI_STREAM["tiong2020_msdn"].keywords["settings"]
    plain, normalised = (
        tiong2020_msdn.build(SHAPE, 5, replace(settings, batch_normalisation=flag), seed=0)
        for flag in (False, True)
    )
    channels = 6 + 2 * 5 * 6 + 18  # stem, two convolutions of each of five layers, transition
    assert normalised.count_params() == plain.count_params() + 3 * channels


def test_msvgg_has_the_parameters_of_the_paper_with_20_groups():
    vgg11 = 132_863_336  # Simonyan & Zisserman: 1000 classes, three channels
    by_hand = vgg11 - 980 * (4096 + 1) - 2 * 9 * 64
    with without_values():
        network = tiong2020_msvgg.build(PAPER, 20, Tiong2020Msvgg(), seed=0)
    assert network.count_params() == by_hand
    assert round(by_hand / 1e6, 2) == 128.85


def test_ziletti2018_has_the_parameters_counted_by_hand():
    convolutions = [(3, 32), (32, 32), (32, 16), (16, 16), (16, 8), (8, 8)]
    by_hand = sum((49 * before + 1) * after for before, after in convolutions)
    by_hand += (16 * 16 * 8 + 1) * 128 + 129 * 72
    assert ziletti2018.build(PAPER, 72, Ziletti2018(), seed=0).count_params() == by_hand


@pytest.mark.parametrize("name", ALL)
def test_weights_follow_from_the_seed(name):
    first, same, other = (ALL[name](SHAPE, 5, seed=seed) for seed in (1, 1, 2))
    assert all(map(np.array_equal, first.get_weights(), same.get_weights()))
    kernels, others = (
        [layer.get_weights()[0] for layer in network.layers if hasattr(layer, "kernel")]
        for network in (first, other)
    )
    assert not any(map(np.array_equal, kernels, others))
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels), "layers begin alike"


@pytest.mark.parametrize("name", ALL)
def test_probabilities_are_float32_and_sum_to_one_whatever_the_precision(name):
    images = patterns(4, 0).features
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = ALL[name](SHAPE, 5, seed=0)
    finally:
        keras.config.set_dtype_policy("float32")
    first_kernel = next(layer for layer in network.layers if hasattr(layer, "kernel"))
    assert first_kernel.compute_dtype == "bfloat16"
    probabilities = network.predict(images, verbose=0)
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def stream_logits(network, images):
    """Logits of each stream, (n, streams, classes), from its features and the output layer."""
    kernel, bias = network.get_layer("logits").get_weights()
    return stream_features(network).predict(images, verbose=0) @ kernel + bias


def cross_entropies(logits, labels):
    """Cross entropy of each structure and stream, (n, streams)."""
    logits = logits.astype(np.float64)
    logits -= logits.max(axis=-1, keepdims=True)
    of_right = np.take_along_axis(logits, labels[:, None, None], axis=-1)[..., 0]
    return np.log(np.exp(logits).sum(axis=-1)) - of_right


@pytest.mark.parametrize("name", MULTI_STREAM)
class TestStreams:
    def test_groups_are_predicted_from_the_sum_of_the_logits(self, name):
        network, images = MULTI_STREAM[name](SHAPE, 3, seed=1), patterns(5, 1).features
        summed = stream_logits(network, images).sum(axis=1)
        expected = np.exp(summed) / np.exp(summed).sum(axis=1, keepdims=True)
        assert np.allclose(network.predict(images, verbose=0), expected, atol=1e-5)

    @pytest.mark.parametrize("certainty", [1, 30])
    def test_the_cost_is_the_sum_of_the_cross_entropies_of_the_streams(self, name, certainty):
        network, part = MULTI_STREAM[name](SHAPE, 3, seed=1), patterns(5, 1)
        output_layer = network.get_layer("logits")
        kernel, bias = output_layer.get_weights()
        output_layer.set_weights([certainty * kernel, bias])
        network.compile(loss="sparse_categorical_crossentropy")
        cost = network.evaluate(part.features, part.labels, batch_size=5, verbose=0)
        terms = cross_entropies(stream_logits(network, part.features), part.labels)
        assert cost == pytest.approx(terms.sum(axis=1).mean(), rel=1e-5)

    def test_streams_share_their_weights(self, name):
        """What one stream sees another sees the same, so exchanged images change nothing."""
        network, part = MULTI_STREAM[name](SHAPE, 3, seed=1), patterns(5, 1)
        exchanged = part.features[..., [2, 0, 1]]
        assert np.allclose(
            network.predict(part.features, verbose=0),
            network.predict(exchanged, verbose=0),
            atol=1e-6,
        )
        features = stream_features(network).predict(part.features, verbose=0)
        moved = stream_features(network).predict(exchanged, verbose=0)
        assert np.allclose(features[:, [2, 0, 1]], moved, atol=1e-6)
        assert not np.allclose(features, moved, atol=1e-3)

    def test_gradients_of_exchanged_images_are_the_same(self, name):
        part, steps = patterns(5, 1), []
        for images in (part.features, part.features[..., [2, 0, 1]]):
            network = MULTI_STREAM[name](SHAPE, 3, seed=1)
            for layer in network.layers:
                if isinstance(layer, keras.layers.Dropout):
                    layer.rate = 0
            before = network.get_weights()
            network.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
            network.train_on_batch(images, part.labels)
            steps.append([b - a for a, b in zip(before, network.get_weights(), strict=True)])
        assert max(abs(step).max() for step in steps[0]) > 1e-2
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(*steps, strict=True))

    def test_equal_images_give_three_times_the_logits_of_one_stream(self, name):
        build = MULTI_STREAM[name]
        single, triple = build((64, 64, 1), 3, seed=1), build(SHAPE, 3, seed=1)
        images = patterns(5, 1, shape=(64, 64, 1)).features
        alone = single.predict(images, verbose=0)
        together = triple.predict(np.repeat(images, 3, axis=-1), verbose=0)
        cubed = alone**3
        assert np.allclose(together, cubed / cubed.sum(axis=1, keepdims=True), atol=1e-5)

    def test_maps_of_a_block_are_those_of_each_image(self, name):
        network, images = MULTI_STREAM[name](SHAPE, 3, seed=1), patterns(2, 1).features
        maps = stream_maps(network, "block_2").predict(images, verbose=0)
        n_maps = network.get_layer("block_2").output.shape[-1]
        assert maps.shape == (2, 3, 16, 16, n_maps)
        blue = stream_maps(MULTI_STREAM[name]((64, 64, 1), 3, seed=1), "block_2")
        assert np.allclose(maps[:, 2], blue.predict(images[..., 2:], verbose=0)[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "learning_rate", "side"),
    [
        ("tiong2020_msdn", 3e-3, 32),
        ("tiong2020_msvgg", 1e-3, 32),
        ("ziletti2018", 1e-3, 32),
        ("alexnet", 5e-4, 64),
    ],
)
def test_a_network_learns_three_kinds_of_images(name, learning_rate, side, tmp_path):
    shape = side, side, 3
    train, validation, test = (
        patterns(n, seed, shape=shape) for n, seed in ((240, 1), (60, 2), (60, 3))
    )
    network = SMALL[name](shape, 3, seed=4)
    settings = SETTINGS | {
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": learning_rate,
        "learning_rate_drops": [],
        "keep": "best",
    }
    run_training(network, train, validation, checkpoint=tmp_path / "c.npz", **settings)
    answers = predict(network, test).probabilities.argmax(axis=1)
    assert (answers == test.labels).mean() > 0.9
