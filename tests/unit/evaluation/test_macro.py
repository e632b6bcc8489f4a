"""Macro scores against hand-made matrices and scikit-learn; intervals against tables of t."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from diffsym.evaluation import macro
from diffsym.evaluation.scores import CountedCells, MeanOverSets

# Three classes; the last one is never answered, and the answers to the first one are best.
BY_HAND = np.array([[4, 0, 0], [1, 3, 0], [1, 1, 0]])


def test_scores_by_hand():
    scores = macro.class_scores(BY_HAND)
    assert scores.precision.tolist() == pytest.approx([4 / 6, 3 / 4, 0.0])
    assert scores.recall.tolist() == pytest.approx([1.0, 3 / 4, 0.0])
    assert scores.f1.tolist() == pytest.approx([0.8, 3 / 4, 0.0])
    assert scores.support.tolist() == [4, 4, 2]
    means = macro.macro_scores(BY_HAND)
    # A class with entries that is never answered counts, with precision 0.
    assert means.precision == pytest.approx((4 / 6 + 3 / 4) / 3)
    assert means.recall == pytest.approx((1.0 + 3 / 4) / 3)
    assert means.f1 == pytest.approx((0.8 + 3 / 4) / 3)
    assert means.accuracy == pytest.approx(0.7)
    assert means.classes == 3


def test_classes_without_entries_do_not_count():
    # The third class has no entry, but an answer: this lowers no precision but its own.
    confusion = np.array([[3, 0, 1], [0, 2, 0], [0, 0, 0]])
    means = macro.macro_scores(confusion)
    assert means.classes == 2
    assert means.precision == pytest.approx(1.0)
    assert means.recall == pytest.approx((3 / 4 + 1.0) / 2)


def test_equal_numbers_of_entries_make_the_accuracy_the_recall():
    rng = np.random.default_rng(0)
    confusion = rng.multinomial(16, np.ones(57) / 57, size=57)
    means = macro.macro_scores(confusion)
    assert means.accuracy == pytest.approx(means.recall)


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_scores_agree_with_scikit_learn(seed, classes):
    rng = np.random.default_rng(seed)
    probabilities, labels = rng.dirichlet(np.ones(classes), 40), rng.integers(classes, size=40)
    answers = probabilities.argmax(axis=1)
    means = macro.macro_scores(macro.count_answers(probabilities, labels))
    expected = precision_recall_fscore_support(
        labels, answers, labels=np.unique(labels), average="macro", zero_division=0.0
    )
    assert [means.precision, means.recall, means.f1] == pytest.approx(expected[:3])
    assert means.accuracy == pytest.approx(accuracy_score(labels, answers))


def test_specific_and_ensemble_means():
    # Each member is wrong once, where the other one is sure: their mean is always right.
    labels = np.array([0, 1])
    members = [np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.4, 0.6], [0.1, 0.9]])]
    scores = macro.ensemble_scores(
        members, np.mean(members, axis=0), labels, [14, 225], np.array([1, 5])
    )
    # Either member answers the same class twice: precision 1/2 and 0, recall 1 and 0.
    expected = {"precision": 1 / 4, "recall": 1 / 2, "f1": 1 / 3, "accuracy": 1 / 2}
    assert vars(scores.specific_mean) == pytest.approx(expected)
    assert scores.ensemble_mean.f1 == 1.0
    assert scores.confusions == [
        CountedCells(true=[14, 225], predicted=[14, 14], count=[1, 1]),
        CountedCells(true=[14, 225], predicted=[225, 225], count=[1, 1]),
    ]
    # The baseline answers 225 both times.
    assert vars(scores.baseline) == pytest.approx(expected | {"classes": 2})


def test_interval_is_that_of_student():
    # 97.5 % quantile of t with 4 degrees of freedom: 2.776 in any table.
    values = [0.70, 0.72, 0.69, 0.73, 0.71]
    entry = macro.mean_over_sets(values)
    assert entry.value == pytest.approx(0.71)
    assert entry.half_width == pytest.approx(2.776 * np.std(values, ddof=1) / 5**0.5, rel=1e-3)
    assert entry.sets == values


def test_a_single_set_has_no_interval():
    assert macro.mean_over_sets([0.7]) == MeanOverSets(value=0.7, half_width=None, sets=[0.7])
