"""The networks for powder patterns have the layers that are described, and learn."""

import pytest
from networks import length_after

from diffsym.models import park2017_cnn, vecsei2019_dense
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.settings.models.vecsei2019_dense import Vecsei2019Dense


@pytest.mark.parametrize(
    ("classes", "hidden", "pool_strides", "millions"),
    [
        (230, (2300, 1150), (2, 3, 3), 5.4),
        (230, (2300, 1150), (2, 1, 1), 21.2),
        (7, (700, 70), (2, 3, 3), 1.2),
    ],
)
def test_park2017_has_the_parameters_counted_by_hand(classes, hidden, pool_strides, millions):
    length = 10_001
    for stride, pool_stride in zip((5, 5, 2), pool_strides, strict=True):
        length = length_after(length, stride, pool_stride)
    first, second = hidden
    by_hand = (
        (100 + 1) * 80
        + (50 * 80 + 1) * 80
        + (25 * 80 + 1) * 80
        + (80 * length + 1) * first
        + (first + 1) * second
        + (second + 1) * classes
    )
    network = park2017_cnn.build(
        8501, classes, Park2017Cnn(hidden_units=hidden, pool_strides=pool_strides), seed=0
    )
    assert network.count_params() == by_hand
    assert round(by_hand / 1e6, 1) == millions
    assert network.get_layer("padding").output.shape == (None, 10_001, 1)


def test_a_long_pattern_is_not_padded():
    network = park2017_cnn.build(12_001, 7, Park2017Cnn(hidden_units=(7, 5)), seed=0)
    assert network.get_layer("padding").output.shape == (None, 12_001, 1)


def test_vecsei2019_has_the_parameters_counted_by_hand():
    network = vecsei2019_dense.build(8501, 230, Vecsei2019Dense(hidden_units=(100, 50)), seed=0)
    assert network.count_params() == 8502 * 100 + 101 * 50 + 51 * 230


@pytest.mark.parametrize(
    ("module", "section"), [(park2017_cnn, Park2017Cnn), (vecsei2019_dense, Vecsei2019Dense)]
)
def test_weights_follow_from_the_seed(module, section):
    first, same, other = (
        module.build(600, 5, section(hidden_units=(6, 4)), seed=seed).get_weights()
        for seed in (1, 1, 2)
    )
    assert all((a == b).all() for a, b in zip(first, same, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))
