"""Bootstrap over clusters: how far a number depends on the choice of test structures.

Entries of one cluster (one formula, one structure type) resemble each other, so drawing single
entries would give intervals that are too narrow. Clusters are drawn with replacement, as many as
there are; with one entry per cluster, this is the ordinary bootstrap.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from diffsym.evaluation.scores import Bootstrap, Interval, Part, TopK

Floats = NDArray[np.float64]

RESAMPLES_AT_ONCE = 100
"""Resamples drawn together: bounds the memory to 100 weights per entry."""


def resampled_weights(clusters: Sequence[str], bootstrap: Bootstrap) -> Iterator[NDArray[np.int64]]:
    """How often each entry is drawn in each resample, in blocks of resamples.

    Parameters
    ----------
    clusters
        Cluster key of each entry, length n.
    bootstrap
        Number of resamples, and seed of the random generator: equal seeds give equal resamples, so
        that results for the same entries can be compared resample by resample.

    Yields
    ------
    numpy.ndarray
        Shape (`RESAMPLES_AT_ONCE` or fewer, n).
    """
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    n_clusters = int(index.max()) + 1
    rng = np.random.default_rng(bootstrap.seed)
    for start in range(0, bootstrap.resamples, RESAMPLES_AT_ONCE):
        block = min(RESAMPLES_AT_ONCE, bootstrap.resamples - start)
        draws = rng.integers(n_clusters, size=(block, n_clusters))
        yield np.stack([np.bincount(draw, minlength=n_clusters)[index] for draw in draws])


def bootstrap_means(values: Floats, clusters: Sequence[str], bootstrap: Bootstrap) -> Floats:
    """Column means over bootstrap resamples of whole clusters.

    All columns share the same resamples, so differences between columns are paired.

    Parameters
    ----------
    values
        Shape (n, columns).
    clusters
        Cluster key of each row, length n.
    bootstrap
        As in `resampled_weights`.

    Returns
    -------
    numpy.ndarray
        Shape (resamples, columns).
    """
    return np.concatenate(
        [
            (weights @ values) / weights.sum(axis=1, keepdims=True)
            for weights in resampled_weights(clusters, bootstrap)
        ]
    )


def interval(samples: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Percentile interval of bootstrap samples along the first axis."""
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(samples, (tail, 1.0 - tail), axis=0)
    return low, high


def with_interval(value: float, samples: Floats, confidence: float) -> Interval:
    """A number and its interval; `samples` has shape (resamples,)."""
    low, high = interval(samples, confidence)
    return Interval(value=float(value), low=float(low), high=float(high))


def accuracy_gain(better: Part, worse: Part, confidence: float) -> Interval:
    """Difference of the top-1 accuracies of two experiments on the same structures.

    Its interval is that of paired differences, resample by resample.
    """
    return with_interval(
        better.accuracy[0].value - worse.accuracy[0].value,
        np.subtract(better.resampled_accuracy, worse.resampled_accuracy),
        confidence,
    )


def with_intervals(values: Floats, samples: Floats, confidence: float) -> list[TopK]:
    """One number and its interval for each k = 1, 2, ...

    Parameters
    ----------
    values
        Shape (k,).
    samples
        Shape (resamples, k).
    confidence
        Confidence level of the interval.
    """
    low, high = interval(samples, confidence)
    return [
        TopK(k=k, value=value, low=lower, high=upper)
        for k, (value, lower, upper) in enumerate(
            zip(values.tolist(), low.tolist(), high.tolist(), strict=True), start=1
        )
    ]
