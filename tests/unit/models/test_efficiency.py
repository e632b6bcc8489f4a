"""The share of a processor's own speed."""

import time

import numpy as np
import pytest

from diffsym.models.efficiency import matmul_rate, training_rate


def test_matrices_are_multiplied_at_the_rate_of_the_processor():
    """Of the order of NumPy's own products in the same second."""
    matrix = np.ones((1024, 1024), np.float32)
    matrix @ matrix
    started = time.process_time()
    for _ in range(4):
        matrix @ matrix
    expected = 4 * 2 * 1024**3 / (time.process_time() - started)
    assert 0.1 * expected < matmul_rate() < 10 * expected


def test_a_training_step_counts_as_three_predictions():
    rate = training_rate(1000, trained=20, validated=10, processor_seconds=0.5)
    assert rate == pytest.approx(140_000)
