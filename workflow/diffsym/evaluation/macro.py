"""Macro scores (all classes weighted equally), for ensemble members and for their mean.

After section 3.4 of Ozaki, Ishida & Kiyobayashi 2025, J. Appl. Cryst. 58, whose equations are
quoted by number. A confusion matrix M has true classes in rows and predicted ones in columns.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import confusion_matrix

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MACRO_SCORES = ("precision", "recall", "f1", "accuracy")


class ClassScores(NamedTuple):
    """Precision, recall and F1 of each class, and its number of entries; each (classes,)."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers


def count_answers(probabilities: Floats, labels: Integers) -> Integers:
    """Confusion matrix of the most probable classes.

    Parameters
    ----------
    probabilities
        Shape (n, classes).
    labels
        Index of the true class, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (classes, classes), true classes in rows.
    """
    n_classes = probabilities.shape[1]
    return confusion_matrix(labels, probabilities.argmax(axis=1), labels=np.arange(n_classes))


def wrong_answers(confusion: NDArray[Any]) -> NDArray[Any]:
    """The confusion matrix without its diagonal."""
    return confusion * ~np.eye(len(confusion), dtype=bool)


def count_frequent_answers(confusion: Integers, training_counts: Integers) -> Integers:
    """Confusion matrix of the label-frequency baseline for the entries of another matrix.

    Parameters
    ----------
    confusion
        Any confusion matrix of these entries, shape (classes, classes).
    training_counts
        Number of training entries of each class, shape (classes,).
    """
    frequent = np.zeros_like(confusion)
    frequent[:, training_counts.argmax()] = confusion.sum(axis=1)
    return frequent


def class_scores(confusion: Integers) -> ClassScores:
    """Precision, recall and F1 of each class (equations 16, 17 and 20 with beta = 1).

    A class that is never predicted has precision 0, one without entries has recall 0, and F1 is 0
    where both are; the caller decides which classes to average over.

    Parameters
    ----------
    confusion
        Shape (classes, classes).
    """
    right = np.diag(confusion).astype(np.float64)
    support, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    # 2 PR / (P + R) = 2 M_ii / (entries + predictions), defined even if P or R is not.
    return ClassScores(
        precision=_ratio(right, answered),
        recall=_ratio(right, support),
        f1=_ratio(2.0 * right, support + answered),
        support=support,
    )


def _ratio(numerator: Floats, denominator: Integers) -> Floats:
    """Quotients; 0 where the denominator is 0."""
    return np.divide(
        numerator, denominator, out=np.zeros(numerator.shape), where=np.asarray(denominator > 0)
    )


def macro_scores(confusion: Integers) -> dict[str, Any]:
    """Means of precision, recall and F1 over the classes, and the accuracy (equations 18 to 21).

    A class without entries in the evaluated set has no recall and is left out of all means; a
    class with entries that is never predicted counts with precision 0. The macro F1 is the mean of
    the classes' F1, not the F1 of the mean precision and recall.

    Parameters
    ----------
    confusion
        Shape (classes, classes).

    Returns
    -------
    dict
        `precision`, `recall`, `f1`, `accuracy`, and `classes`, the number of classes averaged over.
    """
    scores = class_scores(confusion)
    present = scores.support > 0
    return {
        "precision": float(scores.precision[present].mean()),
        "recall": float(scores.recall[present].mean()),
        "f1": float(scores.f1[present].mean()),
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "classes": int(present.sum()),
    }


def ensemble_scores(
    members: Sequence[Floats],
    ensemble: Floats,
    labels: Integers,
    classes: Sequence[int],
    training_counts: Integers,
) -> dict[str, Any]:
    """Compare the scores of the members with those of their mean probability.

    Parameters
    ----------
    members
        Probabilities of each member, each of shape (n, classes).
    ensemble
        Their mean (equation 15), shape (n, classes).
    labels
        Index of the true class, shape (n,).
    classes
        Space-group numbers.
    training_counts
        Number of training entries of each class.

    Returns
    -------
    dict
        `specific_mean`, the mean of the members' scores (equation 22); `ensemble_mean`, the score
        of the mean probability; `baseline`, the score of always predicting the most frequent
        training class; `members` and `confusions`, scores and confusion matrix of each member. A
        matrix is three lists of its non-zero cells: `true` and `predicted` space group and `count`.
    """
    confusions = [count_answers(member, labels) for member in members]
    singles = [macro_scores(confusion) for confusion in confusions]
    frequent = count_frequent_answers(confusions[0], training_counts)
    return {
        "specific_mean": {
            name: float(np.mean([scores[name] for scores in singles])) for name in MACRO_SCORES
        },
        "ensemble_mean": macro_scores(count_answers(ensemble, labels)),
        "baseline": macro_scores(frequent),
        "members": singles,
        "confusions": [_counted_cells(confusion, classes) for confusion in confusions],
    }


def _counted_cells(confusion: Integers, classes: Sequence[int]) -> dict[str, list[int]]:
    """Non-zero cells of a confusion matrix, by space group."""
    true, predicted = np.nonzero(confusion)
    numbers = np.asarray(classes)
    return {
        "true": numbers[true].tolist(),
        "predicted": numbers[predicted].tolist(),
        "count": confusion[true, predicted].tolist(),
    }


def mean_over_sets(values: Sequence[float], confidence: float = 0.95) -> dict[str, Any]:
    """Mean over k held-out sets (a series or folds) with the half width of its interval.

    The interval is Student's t interval of k values with k - 1 degrees of freedom: the held-out
    sets are disjoint, but their training sets overlap, so it covers the choice of the sets and
    seeds rather than the choice of the database.

    Parameters
    ----------
    values
        One per held-out set.
    confidence
        Confidence level of the interval.

    Returns
    -------
    dict
        `value`; `half_width`, which is None for a single set; `sets`, the values themselves.
    """
    half_width = None
    if len(values) > 1:
        quantile = stats.t.ppf((1.0 + confidence) / 2.0, len(values) - 1)
        half_width = float(quantile * stats.sem(values))
    return {"value": float(np.mean(values)), "half_width": half_width, "sets": list(values)}


def means_over_sets(
    scores: Sequence[Mapping[str, float]], names: Sequence[str] = MACRO_SCORES
) -> dict[str, dict[str, Any]]:
    """`mean_over_sets` of each named score; `scores` has one mapping per held-out set."""
    return {name: mean_over_sets([entry[name] for entry in scores]) for name in names}
