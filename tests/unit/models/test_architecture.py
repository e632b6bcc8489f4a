"""The network of Liu et al. (2019) is what its description says, on either backend."""

import os
import subprocess
import sys

import numpy as np
import pytest

from diffsym.models.liu2019_cnn import build
from diffsym.models.training import save_model


@pytest.mark.parametrize(
    ("filters", "kernel_size", "hidden_units"), [((256, 64), 32, 128), ((128, 32), 24, 128)]
)
def test_parameter_counts(filters, kernel_size, hidden_units):
    first, second = filters
    flattened = 104 * second
    by_hand = (
        kernel_size * first
        + kernel_size * first * second
        + 4 * (first + second)  # scale, offset, mean and variance of the normalisations
        + (flattened + 1) * hidden_units
        + (hidden_units + 1) * 45
    )
    network = build(
        209, 45, filters=filters, kernel_size=kernel_size, hidden_units=hidden_units, seed=0
    )
    assert network.count_params() == by_hand
    assert network.get_layer("flatten").output.shape == (None, flattened)


PREDICT = """
import sys
import numpy as np
from diffsym.models.training import load_model
network = load_model(sys.argv[1])
descriptors = np.random.default_rng(0).uniform(size=(8, 209)).astype("float32")
np.save(sys.argv[2], network.predict(descriptors, verbose=0))
"""


def test_a_saved_network_predicts_the_same_with_jax(tmp_path):
    save_model(build(209, 5, filters=(8, 4), hidden_units=16, seed=3), tmp_path / "model.keras")
    predictions = []
    for backend in ("tensorflow", "jax"):
        path = tmp_path / f"{backend}.npy"
        subprocess.run(
            [sys.executable, "-c", PREDICT, str(tmp_path / "model.keras"), str(path)],
            check=True,
            env=os.environ | {"KERAS_BACKEND": backend},
        )
        predictions.append(np.load(path))
    assert np.allclose(*predictions, atol=1e-5)
    assert np.allclose(predictions[0].sum(axis=1), 1, atol=1e-5)
