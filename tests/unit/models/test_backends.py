"""A saved network predicts the same after loading, with TensorFlow and with JAX."""

import os
import subprocess
import sys

import numpy as np
import pytest
from networks import MULTI_STREAM, SMALL

from diffsym.models import liu2019_cnn
from diffsym.models.networks import load_model, save_model
from diffsym.models.streams import stream_features
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn

PREDICT = """
import sys
from pathlib import Path
import numpy as np
from diffsym.models.streams import stream_features
from diffsym.models.networks import load_model
for file in Path(sys.argv[1]).glob("*.keras"):
    given, network = np.load(file.with_suffix(".npy")), load_model(file)
    np.save(file.with_suffix(".jax.npy"), network.predict(given, verbose=0))
    if file.stem in sys.argv[2:]:
        features = stream_features(network).predict(given, verbose=0)
        np.save(file.with_suffix(".features.npy"), features)
"""
NETWORKS = {"liu2019_cnn", *SMALL}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folder with each network, what it is given, and what it predicts in JAX.

    All in one process; what XLA compiles once and runs once it need not optimise.
    """
    folder, generator = tmp_path_factory.mktemp("saved"), np.random.default_rng(0)
    given = {name: generator.integers(0, 256, (6, 64, 64, 3)).astype("uint8") for name in SMALL}
    networks = {name: build((64, 64, 3), 5, seed=2) for name, build in SMALL.items()}
    given["liu2019_cnn"] = generator.uniform(size=(8, 209)).astype("float32")
    networks["liu2019_cnn"] = liu2019_cnn.build(
        209, 5, Liu2019Cnn(filters=(8, 4), hidden_units=16), seed=3
    )
    for name, network in networks.items():
        np.save(folder / f"{name}.npy", given[name])
        np.save(folder / f"{name}.tensorflow.npy", network.predict(given[name], verbose=0))
        save_model(network, folder / f"{name}.keras")
    subprocess.run(
        [sys.executable, "-c", PREDICT, folder, *MULTI_STREAM],
        check=True,
        env=os.environ
        | {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"},
    )
    return folder


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_saved_network_predicts_the_same(saved, name):
    given, expected, jax = (
        np.load(saved / f"{name}{suffix}.npy") for suffix in ("", ".tensorflow", ".jax")
    )
    assert np.array_equal(load_model(saved / f"{name}.keras").predict(given, verbose=0), expected)
    assert np.allclose(jax, expected, atol=1e-5)
    assert np.allclose(expected.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-4, "the answer does not depend on what is given"


@pytest.mark.parametrize("name", sorted(MULTI_STREAM))
def test_features_of_a_saved_network_are_the_same(saved, name):
    given, jax = (np.load(saved / f"{name}{suffix}.npy") for suffix in ("", ".features"))
    features = stream_features(load_model(saved / f"{name}.keras")).predict(given, verbose=0)
    assert features.shape[:2] == (6, 3)
    assert np.allclose(jax, features, atol=1e-5)
