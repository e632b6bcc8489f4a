"""Descriptors on the device: what is gathered, what is rendered, and trainings on both."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from networks import run_training

from diffsym.datasets.on_device import DevicePartition, DevicePatterns, to_device
from diffsym.descriptors.powder_noise import pattern_keys
from diffsym.errors import DiffsymError
from diffsym.keras_backend import keras
from diffsym.models import park2017_cnn
from diffsym.models.batches import Batches
from diffsym.models.networks import predict
from diffsym.scattering.line_grids import spread_lines
from diffsym.scattering.powder import CU_K_ALPHA, two_theta_grid
from diffsym.scattering.types import Lines
from diffsym.settings.augmentation import Augmentation
from diffsym.settings.models.park2017_cnn import Park2017Cnn

CLASSES = (2, 14, 225)
GRID = two_theta_grid(two_theta_min=10.0, two_theta_max=25.0, two_theta_step=0.05)
MARGIN = 30
AUGMENTATION = Augmentation(sigma=(0.1, 0.2))
N = 90


def labelled(rows):
    """Labels and names of some of all structures; row k belongs to class k modulo 3."""
    return {
        "labels": (np.asarray(rows) % 3).astype(np.int32),
        "folds": np.zeros(len(rows), np.int8),
        "structure_ids": pa.array([f"x:{row:03d}" for row in rows], pa.string()),
        "classes": CLASSES,
    }


def stored(features, rows, *, source="a table"):
    rows = np.asarray(rows)
    return DevicePartition(features=to_device(features), rows=rows, source=source, **labelled(rows))


def line_grids():
    """Lines of each structure: a strong one at an angle of its class, and weak ones anywhere."""
    generator = np.random.default_rng(0)
    angles = generator.uniform(9.5, 25.5, (N, 4))
    angles[:, 0] = 13 + 4 * (np.arange(N) % 3) + generator.uniform(-0.5, 0.5, N)
    intensity = np.tile([5.0, 1.0, 1.0, 1.0], N)
    return spread_lines(
        Lines(
            2 * np.sin(np.radians(angles.ravel()) / 2) / CU_K_ALPHA.mean,
            intensity,
            4 * np.arange(N + 1),
        ),
        GRID,
        margin=MARGIN,
        radiation=CU_K_ALPHA,
        b_iso=0.0,
    ).astype(np.float16)


def rendered(rows, *, augmentation=AUGMENTATION, seed=3, margin=MARGIN, features=None):
    rows, labels = np.asarray(rows), labelled(rows)
    names = labels["structure_ids"].to_pylist()
    return DevicePatterns(
        features=to_device(line_grids() if features is None else features),
        rows=rows,
        source="lines",
        two_theta=GRID,
        margin=margin,
        augmentation=augmentation,
        keys=pattern_keys(names, seed=seed, epoch=0),
        seed=seed,
        **labels,
    )


def taken(part, rows):
    return keras.ops.convert_to_numpy(part.take(np.asarray(rows)))


def trained(folder):
    """Probabilities, after two epochs of a small network on rendered patterns, and its history."""
    train, validation = rendered(np.arange(0, 60)), rendered(np.arange(60, N), seed=0)
    network = park2017_cnn.build(
        len(GRID),
        3,
        Park2017Cnn(
            input_points=len(GRID),
            filters=4,
            kernel_sizes=(20, 10, 5),
            strides=(2, 2, 1),
            pool_strides=(2, 1, 1),
            hidden_units=(16,),
            convolution_dropout=0.0,
            hidden_dropout=0.0,
        ),
        seed=1,
    )
    history = run_training(
        network,
        train,
        validation,
        epochs=2,
        batch_size=20,
        learning_rate=0.01,
        learning_rate_drops=(),
        learning_rate_factor=1.0,
        class_weights="none",
        keep="last",
        seed=1,
        checkpoint=folder / "checkpoint.npz",
    )
    return predict(network, validation).probabilities, history


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_descriptors_are_gathered_on_the_device(dtype):
    features = np.random.default_rng(0).uniform(size=(10, 7)).astype(dtype)
    part = stored(features, [8, 1, 5])
    assert part.size == 7
    assert part.workers == 1
    assert keras.ops.is_tensor(part.take(np.array([0])))
    values = taken(part, [2, 0])
    assert values.dtype == np.float32
    assert np.array_equal(values, features[[5, 8]].astype(np.float32))
    assert part.at_epoch(4) is part


def test_images_stay_bytes():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3)).astype(np.uint8)
    part = stored(images, [4, 2, 0])
    assert part.size == (4, 6, 3)
    assert type(part.size) is tuple
    values = taken(part, [1, 1, 2])
    assert values.dtype == np.uint8
    assert np.array_equal(values, images[[2, 2, 0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_maps_of_files_keep_their_type(tmp_path, dtype):
    values = np.arange(12).reshape(3, 4).astype(dtype)
    np.save(tmp_path / "values.npy", values)
    tensor = to_device(np.load(tmp_path / "values.npy", mmap_mode="r"))
    assert keras.backend.standardize_dtype(tensor.dtype) == np.dtype(dtype).name
    assert np.array_equal(keras.ops.convert_to_numpy(tensor), values)


def test_batches_have_the_labels_of_their_rows():
    part = stored(np.arange(N, dtype=np.float32)[:, np.newaxis], [7, 3, 80, 41])
    values, labels, weights = Batches(part, 3, order=np.array([3, 1, 0, 2]))[0]
    values = keras.ops.convert_to_numpy(values)[:, 0]
    assert values.tolist() == [41, 3, 7]
    assert labels.tolist() == (values % 3).tolist()
    assert weights.tolist() == [1, 1, 1]
    assert part.space_groups().tolist() == [14, 2, 225, 225]


def test_a_pattern_is_the_same_in_any_batch():
    part = rendered([5, 9, 60, 33])
    together = taken(part, [0, 1, 2, 3])
    assert together.shape == (4, len(GRID)) == (4, part.size)
    assert together.dtype == np.float32
    np.testing.assert_allclose(taken(part, [3, 1]), together[[3, 1]], rtol=0, atol=1e-6)
    # Nor do other structures of the partition matter, nor where a structure is in it.
    np.testing.assert_allclose(
        taken(rendered([33, 5]), [0, 1]), together[[3, 0]], rtol=0, atol=1e-6
    )
    assert np.array_equal(taken(part, [0, 1, 2, 3]), together)


def test_noise_is_new_each_epoch_and_for_each_seed():
    part, other = rendered(np.arange(4)), rendered(np.arange(4), seed=4)
    one, two = (taken(part.at_epoch(epoch), range(4)) for epoch in (1, 2))
    assert np.array_equal(taken(part.at_epoch(2).at_epoch(1), range(4)), one)
    assert not np.isclose(one, two).all(axis=1).any()
    assert not np.isclose(one, taken(other.at_epoch(1), range(4))).all(axis=1).any()


def test_a_structure_without_lines_spoils_no_other():
    features = line_grids()
    expected = taken(rendered([0, 1, 2], features=features), [0, 1, 2])
    features[1] = np.nan
    patterns = taken(rendered([0, 1, 2], features=features), [0, 1, 2])
    assert np.isnan(patterns[1]).all()
    assert np.array_equal(patterns[[0, 2]], expected[[0, 2]])


def test_a_digest_knows_what_a_training_sees():
    features = np.zeros((10, 3), np.float32)
    part = stored(features, [1, 2])
    assert part.digest() == stored(features, [1, 2]).digest()
    assert part.digest() != stored(features, [1, 5]).digest()
    assert part.digest() != stored(features, [1, 2], source="another").digest()
    assert part.digest() != replace(part, labels=part.labels + 1).digest()
    patterns = rendered([1, 2])
    digests = {
        patterns.digest(),
        rendered([1, 2], seed=5).digest(),
        rendered([1, 2], augmentation=Augmentation(sigma=(0.1, 0.15))).digest(),
        replace(patterns, source="others").digest(),
        replace(patterns, two_theta=GRID + 1).digest(),
    }
    assert len(digests) == 5
    assert patterns.digest() == rendered([1, 2]).digest()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eta", (0.0, 0.5)),
        ("crystallite_size", (100.0, 900.0)),
        ("zero_shift", (-0.05, 0.05)),
        ("displacement", (0.0, 0.1)),
        ("march_ratio", (0.6, 1.0)),
        ("impurity_lines", (0, 2)),
    ],
)
def test_what_is_not_rendered_is_refused(name, value):
    with pytest.raises(DiffsymError, match=rf"{name}: .*{value[1]}.*render on processors"):
        rendered([0], augmentation=Augmentation(sigma=(0.1, 0.2), **{name: value}))


def test_peaks_that_the_grid_cannot_hold_are_refused():
    with pytest.raises(DiffsymError, match=r"sigma.*0\.09 degrees are narrower than 2 steps"):
        rendered([0], augmentation=Augmentation(sigma=(0.09, 0.2)))
    with pytest.raises(DiffsymError, match=r"sigma.*0\.3 degrees need a margin of 36 .*not 30"):
        rendered([0], augmentation=Augmentation(sigma=(0.1, 0.3)))
    with pytest.raises(DiffsymError, match="361 points, not on the 301 of two_theta and 25"):
        rendered([0], margin=25)


def test_a_network_learns_from_rendered_patterns(tmp_path):
    probabilities, history = trained(tmp_path)
    assert len(history["loss"]) == 2
    assert history["loss"][1] < history["loss"][0]
    assert probabilities.shape == (30, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_jax_renders_the_same_and_trains(tmp_path):
    program = (
        "import sys; from pathlib import Path; import numpy as np; import test_on_device as test\n"
        "folder = Path(sys.argv[1])\n"
        "assert test.keras.backend.backend() == 'jax'\n"
        "part = test.rendered([4, 70, 11]).at_epoch(2)\n"
        "np.save(folder / 'patterns.npy', test.taken(part, [2, 0, 1]))\n"
        "images = np.arange(48).reshape(2, 2, 4, 3).astype(np.uint8)\n"
        "assert np.array_equal(test.taken(test.stored(images, [1, 0]), [0]), images[[1]])\n"
        "np.save(folder / 'losses.npy', test.trained(folder)[1]['loss'])\n"
    )
    path = [str(Path(__file__).parent), *sys.path]
    subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        check=True,
        env=os.environ
        | {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(path)}
        # What XLA compiles once and runs for a second it need not optimise.
        | {"XLA_FLAGS": "--xla_backend_optimization_level=0"},
    )
    expected = taken(rendered([4, 70, 11]).at_epoch(2), [2, 0, 1])
    np.testing.assert_allclose(np.load(tmp_path / "patterns.npy"), expected, rtol=0, atol=1e-5)
    losses = np.load(tmp_path / "losses.npy")
    assert losses[1] < losses[0]
