"""Macro scores (all classes weighted equally), for ensemble members and for their mean.

After section 3.4 of Ozaki, Ishida & Kiyobayashi 2025, J. Appl. Cryst. 58, whose equations are
quoted by number. A confusion matrix M has true classes in rows and predicted ones in columns.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from diffsym.evaluation.scores import (
    MACRO_SCORES,
    CountedCells,
    Macro,
    MacroScores,
    MeanOverSets,
    MemberScores,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
T = TypeVar("T")


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
    true, predicted = np.indices(confusion.shape)
    precision, recall, f1, support = precision_recall_fscore_support(
        true.ravel(), predicted.ravel(), sample_weight=confusion.ravel(), zero_division=0
    )
    return ClassScores(precision, recall, f1, support)


def macro_scores(confusion: Integers) -> MacroScores:
    """Means of precision, recall and F1 over the classes, and the accuracy (equations 18 to 21).

    A class without entries in the evaluated set has no recall and is left out of all means; a
    class with entries that is never predicted counts with precision 0. The macro F1 is the mean of
    the classes' F1, not the F1 of the mean precision and recall.

    Parameters
    ----------
    confusion
        Shape (classes, classes).
    """
    scores = class_scores(confusion)
    present = scores.support > 0
    return MacroScores(
        precision=float(scores.precision[present].mean()),
        recall=float(scores.recall[present].mean()),
        f1=float(scores.f1[present].mean()),
        accuracy=float(np.trace(confusion) / confusion.sum()),
        classes=int(present.sum()),
    )


def ensemble_scores(
    members: Sequence[Floats],
    ensemble: Floats,
    labels: Integers,
    classes: Sequence[int],
    training_counts: Integers,
) -> MemberScores:
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
    """
    confusions = [count_answers(member, labels) for member in members]
    singles = [macro_scores(confusion) for confusion in confusions]
    frequent = count_frequent_answers(confusions[0], training_counts)
    return MemberScores(
        # Equation 22.
        specific_mean=each_macro(
            lambda name: float(np.mean([getattr(scores, name) for scores in singles]))
        ),
        ensemble_mean=macro_scores(count_answers(ensemble, labels)),
        baseline=macro_scores(frequent),
        members=singles,
        confusions=[_counted_cells(confusion, classes) for confusion in confusions],
    )


def _counted_cells(confusion: Integers, classes: Sequence[int]) -> CountedCells:
    """Non-zero cells of a confusion matrix, by space group."""
    true, predicted = np.nonzero(confusion)
    numbers = np.asarray(classes)
    return CountedCells(
        true=numbers[true].tolist(),
        predicted=numbers[predicted].tolist(),
        count=confusion[true, predicted].tolist(),
    )


def each_macro(score: Callable[[str], T]) -> Macro[T]:
    """A value for each of the macro scores, by its name."""
    return Macro(**{name: score(name) for name in MACRO_SCORES})


def mean_over_sets(values: Sequence[float], confidence: float = 0.95) -> MeanOverSets:
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
    """
    half_width = None
    if len(values) > 1:
        quantile = stats.t.ppf((1.0 + confidence) / 2.0, len(values) - 1)
        half_width = float(quantile * stats.sem(values))
    return MeanOverSets(value=float(np.mean(values)), half_width=half_width, sets=list(values))


def macro_over_sets(scores: Sequence[Macro[float] | MacroScores]) -> Macro[MeanOverSets]:
    """`mean_over_sets` of each macro score, from those of each held-out set."""
    return each_macro(lambda name: mean_over_sets([getattr(entry, name) for entry in scores]))
