"""Costs against their equations, and their turns."""

import numpy as np
import pytest
from networks import run_training

from diffsym.keras_backend import keras
from diffsym.models import vecsei2019_dense
from diffsym.models.losses import LOSSES
from diffsym.settings.models.vecsei2019_dense import Vecsei2019Dense

PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(5), 20).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 5, 20)
RIGHT = np.eye(5)[LABELS]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("quadratic", ((PROBABILITIES - RIGHT) ** 2).sum(axis=1)),
        (
            "binary_cross_entropy",
            -(RIGHT * np.log(PROBABILITIES) + (1 - RIGHT) * np.log(1 - PROBABILITIES)).sum(axis=1),
        ),
        ("categorical_cross_entropy", -(RIGHT * np.log(PROBABILITIES)).sum(axis=1)),
    ],
)
def test_costs_are_those_of_the_equations(name, expected):
    # Keras hands labels over as a column.
    for labels in (LABELS, LABELS[:, None]):
        cost = keras.ops.convert_to_numpy(LOSSES[name](labels, PROBABILITIES)).reshape(-1)
        assert cost == pytest.approx(expected, rel=1e-4)


def test_tiny_probabilities_of_the_right_class_are_told_apart():
    """Joint probabilities of streams are tiny; Keras' own cost is the same for all of these."""
    probabilities = np.array([[1e-8, 1.0], [1e-20, 1.0]], np.float32)
    labels = np.zeros(2, np.int32)
    cost = LOSSES["categorical_cross_entropy"](labels, probabilities)
    assert keras.ops.convert_to_numpy(cost) == pytest.approx(np.log([1e8, 1e20]), rel=1e-5)


def test_epochs_take_the_costs_in_turn_and_compile_each_once(
    train, validation, tmp_path, monkeypatch
):
    compiled = []
    compile_model = keras.Model.compile

    def counting(self, *args, loss, **settings):
        compiled.append(loss.__name__)
        compile_model(self, *args, loss=loss, **settings)

    monkeypatch.setattr(keras.Model, "compile", counting)
    history = run_training(
        vecsei2019_dense.build(40, 3, Vecsei2019Dense(hidden_units=(16,)), seed=0),
        train,
        validation,
        epochs=6,
        batch_size=32,
        learning_rate=1e-3,
        learning_rate_drops=[],
        learning_rate_factor=0.1,
        epsilon=1e-8,
        losses=["binary_cross_entropy", "quadratic"],
        class_weights="none",
        keep="last",
        seed=0,
        checkpoint=tmp_path / "checkpoint.npz",
    )
    assert compiled == ["binary_cross_entropy", "quadratic"]
    odd, even = np.array(history["val_loss"][::2]), np.array(history["val_loss"][1::2])
    # The squared distance is below 2, the cross entropy of three classes starts near 1.9.
    assert (np.diff(odd) < 0).all()
    assert (np.diff(even) < 0).all()
    assert (odd > even).all()
