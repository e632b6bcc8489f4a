"""The network of Liu et al. (2019) is what its description says."""

import pytest

from diffsym.models.liu2019_cnn import build
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn


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
        209,
        45,
        Liu2019Cnn(filters=filters, kernel_size=kernel_size, hidden_units=hidden_units),
        seed=0,
    )
    assert network.count_params() == by_hand
    assert network.get_layer("flatten").output.shape == (None, flattened)
