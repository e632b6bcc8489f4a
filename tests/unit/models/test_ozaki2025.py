"""SpgNet and SpgVolNet have the layers that are described, and learn both tasks."""

from dataclasses import replace

import numpy as np
import pytest
from networks import SETTINGS, length_after, run_training

from diffsym.models import park2017_cnn, spgnet, spgvolnet
from diffsym.models.networks import load_model, predict, save_model, volume_scale
from diffsym.models.predictions import predictions_table
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.settings.models.spgnet import SpgNet
from diffsym.settings.models.spgvolnet import SpgVolNet

SMALL = {"filters": 4, "kernel_sizes": (5, 3, 3), "strides": (1, 1, 1), "pool_strides": (2, 2, 2)}
SCALE = (4.8, 0.7)


def with_volumes(part):
    """Volumes that follow from the place of the peak."""
    return replace(part, ln_volumes=(4.0 + 0.8 * part.labels).astype(np.float32))


@pytest.fixture(scope="module")
def parts(train, validation):
    return with_volumes(train), with_volumes(validation)


def trained_volumes(parts, tmp_path, **changes):
    model = spgvolnet.build(
        40, 3, SpgVolNet(convolution_dropout=0.0, **SMALL), ln_volume=SCALE, seed=3
    )
    settings = {**SETTINGS, "epochs": 12, "learning_rate_drops": [], **changes}
    return model, run_training(model, *parts, checkpoint=tmp_path / "c.npz", **settings)


def test_spgnet_has_the_parameters_counted_by_hand():
    length = 10_001
    for stride, pool_stride in zip((5, 5, 2), (2, 3, 3), strict=True):
        length = length_after(length, stride, pool_stride)
    by_hand = (
        (100 + 1) * 80
        + (50 * 80 + 1) * 80
        + (25 * 80 + 1) * 80
        + (80 * length + 1) * 570
        + (570 + 1) * 285
        + (285 + 1) * 57
    )
    assert spgnet.build(10_001, 57, SpgNet(), seed=0).count_params() == by_hand


def test_spgnet_is_the_network_of_park_with_other_layers_behind_it():
    ours = spgnet.build(1200, 5, SpgNet(), seed=1).get_weights()
    parks = park2017_cnn.build(
        1200, 5, Park2017Cnn(input_points=1200, hidden_units=(50, 25)), seed=1
    )
    assert all(map(np.array_equal, ours, parks.get_weights()))


def test_spgvolnet_is_spgnet_and_a_second_head():
    shared = spgnet.build(1200, 5, SpgNet(), seed=1).get_weights()
    network = spgvolnet.build(1200, 5, SpgVolNet(volume_units=(7, 3)), ln_volume=SCALE, seed=1)
    features = network.get_layer("flatten").output.shape[1]
    head = (features + 1) * 7 + 8 * 3 + 4
    assert network.count_params() == sum(map(np.size, shared)) + head
    named = {weight.path: weight.numpy() for weight in network.weights}
    groups = [value for path, value in named.items() if "volume" not in path]
    assert all(any(np.array_equal(a, b) for b in groups) for a in shared)
    assert not [
        layer for layer in network.layers if "dropout" in layer.name and "volume" in layer.name
    ]


def test_both_tasks_are_learnt(parts, tmp_path):
    model, history = trained_volumes(parts, tmp_path)
    answers = predict(model, parts[1])
    accuracy = (answers.probabilities.argmax(axis=1) == parts[1].labels).mean()
    error = np.abs(answers.ln_volumes - parts[1].ln_volumes)
    assert accuracy > np.bincount(parts[1].labels).max() / len(parts[1].labels) + 0.15
    always_the_mean = np.abs(parts[0].ln_volumes.mean() - parts[1].ln_volumes).mean()
    assert error.mean() < 0.6 * always_the_mean
    assert history["val_accuracy"][-1] == pytest.approx(accuracy, abs=1e-6)
    assert history["val_ln_volume_loss"][-1] == pytest.approx(error.mean(), rel=1e-4)


def test_the_cost_is_the_weighted_sum_in_standard_deviations(parts, tmp_path):
    _, history = trained_volumes(parts, tmp_path, epochs=2, task_weights=(0.5, 3.0))
    weighted = 0.5 * np.array(history["val_class_loss"]) + 3.0 / SCALE[1] * np.array(
        history["val_ln_volume_loss"]
    )
    assert history["val_loss"] == pytest.approx(weighted, rel=1e-5)


def test_a_resumed_training_of_both_tasks_is_that_training(parts, tmp_path):
    whole, _ = trained_volumes(parts, tmp_path, epochs=4)
    (tmp_path / "parts").mkdir()
    trained_volumes(parts, tmp_path / "parts", epochs=2)
    resumed, _ = trained_volumes(parts, tmp_path / "parts", epochs=4)
    assert all(map(np.array_equal, whole.get_weights(), resumed.get_weights()))


def test_the_model_file_knows_how_volumes_were_standardised(parts, tmp_path):
    model = spgvolnet.build(40, 3, SpgVolNet(**SMALL), ln_volume=SCALE, seed=3)
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert volume_scale(loaded) == SCALE
    table = predictions_table(
        lambda part: predict(loaded, part),
        {"validation": parts[1], "test": parts[1]},
        member=0,
        ln_volume=volume_scale(loaded),
    )
    assert table["true_volume"].to_numpy() == pytest.approx(
        np.tile(np.exp(parts[1].ln_volumes.astype(float)), 2)
    )
    assert np.log(table["volume"].to_numpy()[: len(parts[1].labels)]) == pytest.approx(
        predict(model, parts[1]).ln_volumes, abs=1e-5
    )
