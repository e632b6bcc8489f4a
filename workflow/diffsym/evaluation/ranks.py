"""Top-k accuracies of ranked predictions, and of the label-frequency baseline."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from diffsym.evaluation.bootstrap import Floats, bootstrap_means, with_interval
from diffsym.evaluation.scores import Bootstrap, SystemRow, SystemScores
from diffsym.structures.space_groups import systems_among

Integers = NDArray[np.int64]


def true_class_rank(probabilities: Floats, labels: Integers) -> Integers:
    """Rank of the true class among the predicted probabilities, 0 for a correct top-1 prediction.

    Equal probabilities are ranked in the order of the classes, so the result does not depend on
    the sorting algorithm.

    Parameters
    ----------
    probabilities
        Shape (n, classes).
    labels
        Index of the true class, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,).
    """
    own = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    before = (probabilities > own) | ((probabilities == own) & earlier)
    return before.sum(axis=1).astype(np.int64)


def top_k_hits(ranks: Integers, top_k: int) -> Floats:
    """Whether the true class is among the first 1 ... `top_k` predictions, shape (n, top_k)."""
    return (ranks[:, None] < np.arange(1, top_k + 1)).astype(np.float64)


def label_frequency_ranks(training_counts: Integers, labels: Integers) -> Integers:
    """Rank of the true class when classes are always ranked by training frequency."""
    order = np.argsort(-training_counts, kind="stable")
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    return position[labels]


def top_k_accuracies(
    rankings: Sequence[Integers], clusters: Sequence[str], bootstrap: Bootstrap, *, top_k: int
) -> tuple[Floats, Floats]:
    """A_1 ... A_k of several rankings of the same entries, and their paired bootstrap samples.

    Returns
    -------
    values
        Shape (rankings, k).
    samples
        Shape (resamples, rankings, k).
    """
    hits = np.hstack([top_k_hits(ranks, top_k) for ranks in rankings])
    samples = bootstrap_means(hits, clusters, bootstrap)
    shape = (len(rankings), top_k)
    return hits.mean(axis=0).reshape(shape), samples.reshape(-1, *shape)


def crystal_system_scores(
    probabilities: Floats,
    labels: Integers,
    clusters: Sequence[str],
    classes: Sequence[int],
    training_counts: Integers,
    bootstrap: Bootstrap,
) -> SystemScores:
    """Accuracy within each crystal system, and of the crystal system itself.

    The crystal system is predicted by summing the probabilities of its space groups; the baseline
    always predicts the system with the most training structures.

    Parameters
    ----------
    probabilities
        Shape (n, classes).
    labels
        Index of the true class, shape (n,).
    clusters
        Cluster key of each entry, length n.
    classes
        Space-group numbers.
    training_counts
        Number of training entries of each class.
    bootstrap
        How intervals are computed.
    """
    names, system_of_class = systems_among(classes)
    membership = np.eye(len(names))[system_of_class]
    truth = system_of_class[labels]
    answers = (probabilities @ membership).argmax(axis=1)
    most_frequent = (training_counts @ membership).argmax()
    group_correct = true_class_rank(probabilities, labels) == 0
    hits = np.stack([answers == truth, most_frequent == truth], axis=1).astype(np.float64)
    samples = bootstrap_means(hits, clusters, bootstrap)
    accuracy, baseline = (
        with_interval(column.mean(), column_samples, bootstrap.confidence)
        for column, column_samples in zip(hits.T, samples.T, strict=True)
    )
    return SystemScores(
        accuracy=accuracy,
        baseline=baseline,
        systems=[
            SystemRow(
                crystal_system=system,
                support=int((truth == index).sum()),
                space_group_accuracy=float(group_correct[truth == index].mean()),
                crystal_system_accuracy=float(hits[truth == index, 0].mean()),
            )
            for index, system in enumerate(names)
            if (truth == index).any()
        ],
        names=names,
        confusion=confusion_matrix(truth, answers, labels=np.arange(len(names))).tolist(),
    )
