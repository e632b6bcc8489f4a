"""Accuracy gained by leaving structures unclassified when the model is uncertain.

After section V.E of Vecsei et al. 2019, Phys. Rev. B 99, 245120: the certainty of a prediction is
its probability, the largest of all (their equation 13), and a structure stays unclassified if its
certainty is below a threshold.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffsym.evaluation.bootstrap import Floats, resampled_weights, with_interval
from diffsym.evaluation.scores import Bootstrap, Certainty, HalfUnclassified, ThresholdCurve

THRESHOLDS = np.linspace(0.0, 1.0, 101)
"""Thresholds of the curve."""
CLASSIFIED_SHARE = 0.5
"""Share of structures classified for the accuracy that Vecsei et al. quote."""


def threshold_curve(certainty: Floats, correct: Floats) -> ThresholdCurve:
    """Accuracy on the classified structures, and share of unclassified ones.

    Parameters
    ----------
    certainty
        Largest probability of each structure, shape (n,).
    correct
        1 where the top-1 prediction is correct, otherwise 0, shape (n,).
    """
    classified = certainty >= THRESHOLDS[:, None]
    accuracy = [float(correct[row].mean()) if row.any() else None for row in classified]
    return ThresholdCurve(
        threshold=THRESHOLDS.tolist(),
        unclassified=(1.0 - classified.mean(axis=1)).tolist(),
        accuracy=accuracy,
    )


def most_certain_accuracy(
    certainty: Floats, correct: Floats, weights: NDArray[np.int64], *, share: float
) -> tuple[Floats, Floats]:
    """Accuracy on the most certain `share` of the structures, and the threshold that selects it.

    Structures exactly at the threshold all count with the same fraction, so that exactly `share`
    is classified and the order of the structures does not matter.

    Parameters
    ----------
    certainty, correct
        As in `threshold_curve`, shape (n,).
    weights
        How often each structure counts in each resample, shape (resamples, n).
    share
        Between 0 and 1.

    Returns
    -------
    accuracy, threshold
        Shape (resamples,).
    """
    order = np.argsort(-certainty, kind="stable")
    levels, first = np.unique(-certainty[order], return_index=True)
    count = np.add.reduceat(weights[:, order], first, axis=1)
    right = np.add.reduceat((weights * correct)[:, order], first, axis=1)
    wanted = share * count.sum(axis=1, keepdims=True)
    reached = count.cumsum(axis=1)
    taken = np.clip(wanted - (reached - count), 0, count)
    fraction = np.divide(taken, count, out=np.zeros(count.shape), where=count > 0)
    accuracy = (fraction * right).sum(axis=1) / wanted[:, 0]
    return accuracy, -levels[(reached >= wanted).argmax(axis=1)]


def certainty_scores(
    certainty: Floats,
    correct: Floats,
    baseline_correct: Floats,
    clusters: Sequence[str],
    bootstrap: Bootstrap,
) -> Certainty:
    """Curve over the threshold, and the accuracy when half of the structures stay unclassified.

    Each resample has its own threshold. The baseline predicts the most frequent training class for
    the same structures: it shows whether the certain ones are merely the frequent ones.

    Parameters
    ----------
    certainty, correct
        As in `threshold_curve`, shape (n,).
    baseline_correct
        1 where the label-frequency baseline is correct, otherwise 0, shape (n,).
    clusters
        Cluster key of each structure, length n.
    bootstrap
        How intervals are computed.
    """
    answers = (correct, baseline_correct)

    def accuracies(weights: NDArray[np.int64]) -> Floats:
        """Accuracy of both answers in each resample, shape (2, resamples)."""
        halves = [
            most_certain_accuracy(certainty, hits, weights, share=CLASSIFIED_SHARE)
            for hits in answers
        ]
        return np.stack([accuracy for accuracy, _ in halves])

    once = np.ones((1, len(certainty)), dtype=np.int64)
    _, threshold = most_certain_accuracy(certainty, correct, once, share=CLASSIFIED_SHARE)
    samples = np.hstack([accuracies(block) for block in resampled_weights(clusters, bootstrap)])
    accuracy, baseline = (
        with_interval(value, row, bootstrap.confidence)
        for value, row in zip(accuracies(once)[:, 0], samples, strict=True)
    )
    return Certainty(
        curve=threshold_curve(certainty, correct),
        half_unclassified=HalfUnclassified(
            threshold=float(threshold[0]), accuracy=accuracy, baseline=baseline
        ),
    )
