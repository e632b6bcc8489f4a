"""Networks in half precision."""

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.gpu_study.weights import build, load_half, save_half
from diffsym.settings import as_plain
from diffsym.settings.models.spgvolnet import SpgVolNet

RECIPE = {
    "model": as_plain(SpgVolNet(filters=24, hidden_factors=(2, 2), volume_units=(4, 2))),
    "size": 2000,
    "classes": [2, 14, 225],
    "seed": 3,
    "ln_volume": [5.0, 0.7],
}


def test_a_network_comes_back_with_its_recipe_and_its_answers(tmp_path):
    model = build(RECIPE)
    save_half(model, RECIPE, tmp_path / "weights.h5")
    again, recipe = load_half(tmp_path / "weights.h5")
    assert recipe == RECIPE
    profiles = np.random.default_rng(0).random((4, 2000), np.float32)
    for name, answer in model.predict(profiles, verbose=0).items():
        assert again.predict(profiles, verbose=0)[name] == pytest.approx(answer, abs=2e-3)
    size = sum(weight.size for weight in model.get_weights())
    assert (
        tmp_path / "weights.h5"
    ).stat().st_size < 2 * size + 50_000  # HDF5 takes some room for each array


def test_a_weight_beyond_half_precision_keeps_its_value(tmp_path):
    model = build(RECIPE)
    weights = model.get_weights()
    weights[0][0, 0, 0] = 1e6
    model.set_weights(weights)
    save_half(model, RECIPE, tmp_path / "weights.h5")
    assert load_half(tmp_path / "weights.h5")[0].get_weights()[0][0, 0, 0] == 1e6


def test_another_file_is_refused(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"no network")
    with pytest.raises(DiffsymError, match=r"weights.h5: not a network of the GPU study"):
        load_half(tmp_path / "weights.h5")
