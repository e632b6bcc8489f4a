"""Features and maps of networks whose weights are set by hand."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.feeding import ImagePartition
from diffsym.keras_backend import keras
from diffsym.models.feature_maps import (
    as_bytes,
    first_block_maps,
    mean_correlation,
    recognised_examples,
)
from diffsym.models.image_blocks import image_input, scaled
from diffsym.models.networks import load_model, save_model
from diffsym.models.recognition import features_of, images_of
from diffsym.models.streams import joint_probabilities, one_image_each
from diffsym.tables import fixed_size_rows, predictions_schema

SIDE = 32
KERNEL = [2.0, -1.0, 0.0, 0.5]
BIAS = [0.0, 1.0, 0.25, 0.0]


@pytest.fixture(scope="module")
def network():
    """Features of a stream: means of four maps, each a multiple of the image and a constant."""
    images = image_input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 1, name="block_1")(one_image_each(scaled(images)))
    features = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(images, joint_probabilities(features, 3, 5, seed=0))
    model.get_layer("block_1").set_weights([np.array(KERNEL).reshape(1, 1, 1, 4), np.array(BIAS)])
    return model


def partition(n, seed):
    images = np.random.default_rng(seed).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)
    return ImagePartition(
        features=images,
        labels=np.zeros(n, np.int32),
        folds=np.full(n, -1, np.int8),
        structure_ids=pa.array([f"x:{i}" for i in range(n)], pa.string()),
        classes=(1, 2),
    )


def test_features_are_those_before_the_output_layer(network):
    parts = [partition(20, 0), partition(0, 1), partition(3, 2)]
    images = np.concatenate([part.features for part in parts])
    means = images.mean(axis=(1, 2)) / 255
    expected = means[..., None] * KERNEL + BIAS
    assert features_of(network, parts) == pytest.approx(expected, abs=1e-5)


def test_a_network_read_from_its_file_has_the_same_features(network, tmp_path):
    part = partition(5, 3)
    expected = features_of(network, [part])
    save_model(network, tmp_path / "model.keras")
    # As in a process that has built no network, where names are given from the beginning.
    keras.utils.clear_session()
    assert np.array_equal(features_of(load_model(tmp_path / "model.keras"), [part]), expected)


def test_images_of_streams_are_means_of_blocks():
    parts = [partition(4, 0), partition(2, 1)]
    small = images_of(parts)
    images = np.concatenate([part.features for part in parts])
    assert small.shape == (6, 3, 32 * 32)
    # With as many blocks as pixels each is a pixel.
    assert small[5, 2].reshape(32, 32) == pytest.approx(images[5, :, :, 2] / 255, abs=1e-6)


def test_maps_of_the_first_stream(network):
    images = partition(2, 0).features
    arrays = first_block_maps(network, images, channels=3)
    assert arrays["blocks"].tolist() == ["block_1"]
    assert np.array_equal(arrays["images"], images[..., 0])
    # The third map is flat; contrast follows the factor before the image.
    assert arrays["block_1_channels"].tolist() == [0, 1, 3]
    assert arrays["block_1_count"] == 4
    assert arrays["block_1_flat"] == 1
    assert arrays["block_1_correlations"] == pytest.approx([1.0, 1.0])
    x = images[:, :, :, 0].astype(float)
    least, greatest = x.min(axis=(1, 2), keepdims=True), x.max(axis=(1, 2), keepdims=True)
    rising = 255 * (x - least) / (greatest - least)
    maps = arrays["block_1_maps"].astype(float)
    assert maps.shape == (2, 3, SIDE, SIDE)
    assert np.abs(maps[:, 0] - rising).max() <= 1
    assert np.abs(maps[:, 1] - (255 - rising)).max() <= 1
    assert np.abs(maps[:, 2] - rising).max() <= 1


def test_without_a_structure_there_are_no_maps(network):
    arrays = first_block_maps(network, np.empty((0, SIDE, SIDE, 3), np.uint8), channels=3)
    assert arrays["blocks"].tolist() == []
    assert set(arrays) == {"images", "blocks"}


def test_bytes_span_each_map():
    maps = np.array([[[-1.0, 0.0], [1.0, 3.0]], [[7.0, 7.0], [7.0, 7.0]]])
    assert as_bytes(maps).tolist() == [[[0, 64], [128, 255]], [[0, 0], [0, 0]]]


def test_correlations_of_maps():
    wave = np.sin(2 * np.pi * np.arange(64) / 64)
    shifted = np.cos(2 * np.pi * np.arange(64) / 64)
    flat = np.full(64, 0.1)

    def correlation(*maps):
        return mean_correlation(np.array(maps).reshape(-1, 8, 8))

    assert correlation(wave, 3 - 2 * wave) == pytest.approx(1.0)
    assert correlation(wave, shifted) == pytest.approx(0.0, abs=1e-12)
    # Of the three pairs one has 1 and two have 0.
    assert correlation(wave, shifted, -wave, flat) == pytest.approx(1 / 3)
    assert np.isnan(correlation(wave, flat))


def test_examples_are_the_first_recognised_of_the_highest_systems():
    classes = [2, 62, 194, 225, 227]
    rows = [  # identifier, role, true group, answer
        ("s:6", "test", 225, 225),
        ("s:5", "test", 227, 227),
        ("s:1", "validation", 227, 227),
        ("s:2", "test", 225, 227),
        ("s:3", "test", 194, 225),
        ("s:8", "test", 62, 62),
        ("s:9", "test", 2, 2),
    ]
    identifiers, roles, numbers, answers = zip(*rows, strict=True)
    probabilities = np.eye(5, dtype=np.float32)[[classes.index(answer) for answer in answers]]
    table = pa.table(
        {
            "structure_id": list(identifiers),
            "role": list(roles),
            "member": pa.array([0] * len(rows), pa.int16()),
            "space_group": pa.array(numbers, pa.uint8()),
            "probabilities": fixed_size_rows(probabilities),
        },
        schema=predictions_schema(classes),
    )
    assert list(recognised_examples(table, classes, most=4).items()) == [
        ("s:5", 227), ("s:8", 62), ("s:9", 2)
    ]  # fmt: skip
    assert recognised_examples(table, classes, most=1) == {"s:5": 227}
