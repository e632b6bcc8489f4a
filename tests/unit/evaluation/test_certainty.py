"""What stays unclassified: hand-made cases, and the definitions written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from diffsym.evaluation.certainty import (
    THRESHOLDS,
    certainty_scores,
    most_certain_accuracy,
    threshold_curve,
)
from diffsym.evaluation.scores import Bootstrap


def half(certainty, correct, weights=None):
    weights = np.ones(len(certainty), dtype=int) if weights is None else np.array(weights)
    accuracy, threshold = most_certain_accuracy(
        np.array(certainty), np.array(correct, dtype=float), weights[None], share=0.5
    )
    return accuracy[0], threshold[0]


def test_the_most_certain_half():
    assert half([0.9, 0.3, 0.8, 0.4], [1, 0, 1, 0]) == (1.0, 0.8)
    assert half([0.9, 0.3, 0.8, 0.4], [0, 1, 1, 1]) == (0.5, 0.8)


def test_the_median_of_an_odd_number_counts_half():
    # 1.5 of 3 structures: the first, which is right, and half of the second, which is wrong.
    assert half([0.9, 0.8, 0.7], [1, 0, 1]) == (pytest.approx(1 / 1.5), 0.8)


def test_equally_certain_structures_count_alike():
    certainty, correct = [0.9, 0.5, 0.5, 0.5], [1, 1, 0, 0]
    # One of the three is wanted beside the first: a third of each.
    assert half(certainty, correct) == (pytest.approx((1 + 1 / 3) / 2), 0.5)
    assert half(certainty, [1, 0, 0, 1]) == half(certainty, correct)
    assert half([1.0] * 4, [1, 0, 0, 0]) == (0.25, 1.0)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_weights_count_like_copies(seed):
    rng = np.random.default_rng(seed)
    certainty, correct = rng.integers(1, 6, 12) / 6, rng.integers(0, 2, 12)
    weights = rng.integers(0, 3, 12)
    weights[0] = 1
    copied = half(np.repeat(certainty, weights), np.repeat(correct, weights))
    assert half(certainty, correct, weights) == (pytest.approx(copied[0]), copied[1])


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_the_half_is_what_sorting_gives(seed, n):
    rng = np.random.default_rng(seed)
    certainty, correct = rng.random(2 * n), rng.integers(0, 2, 2 * n)
    first = np.argsort(-certainty)[:n]
    expected = accuracy_score(np.ones(n), correct[first]), certainty[first].min()
    assert half(certainty, correct) == (pytest.approx(expected[0]), expected[1])


def test_curve_by_hand():
    curve = threshold_curve(np.array([0.9, 0.3, 0.8, 0.4]), np.array([1.0, 0.0, 0.0, 1.0]))
    at = {round(100 * threshold): i for i, threshold in enumerate(curve.threshold)}
    assert [curve.unclassified[at[t]] for t in (0, 35, 50, 85, 95)] == [0, 0.25, 0.5, 0.75, 1]
    assert [curve.accuracy[at[t]] for t in (0, 50, 85, 95)] == [0.5, 0.5, 1.0, None]
    # A structure as certain as the threshold is classified.
    assert curve.unclassified[at[80]] == 0.5
    assert len(curve.threshold) == len(THRESHOLDS)


def test_scores_have_intervals_of_the_expected_width():
    rng = np.random.default_rng(0)
    n = 1000
    certainty = rng.random(n)
    correct = (rng.random(n) < certainty).astype(float)
    scores = certainty_scores(
        certainty,
        correct,
        (rng.random(n) < 0.2).astype(float),
        [str(i) for i in range(n)],
        Bootstrap(seed=1),
    ).half_unclassified
    # Certainty of the upper half: uniform in 0.5 ... 1, so the accuracy is 0.75 but for chance.
    assert scores.accuracy.value == pytest.approx(0.75, abs=0.06)
    assert scores.threshold == pytest.approx(0.5, abs=0.05)
    assert scores.baseline.value == pytest.approx(0.2, abs=0.06)
    width = scores.accuracy.high - scores.accuracy.low
    value = scores.accuracy.value
    assert width == pytest.approx(2 * 1.96 * np.sqrt(value * (1 - value) / (n / 2)), rel=0.15)
