"""How well the volume V of the primitive cell is predicted.

After sections 2.3 and 4.1.2 of Ozaki, Ishida & Kiyobayashi 2025, J. Appl. Cryst. 58. Networks learn
the standardised U = ln(V / A^3). Its errors follow a Cauchy distribution, which has neither mean
nor variance, so they are summarised by median and quartiles.
"""

import json
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from diffsym.errors import DiffsymError
from diffsym.evaluation.bootstrap import Floats, interval, resampled_weights
from diffsym.evaluation.scores import (
    VOLUME_SCORES,
    Bootstrap,
    ErrorDistribution,
    Fit,
    Interval,
    LogVolumes,
    Spread,
    VolumeScores,
)

QUARTILES = (0.25, 0.5, 0.75)
TOLERANCES = (0.05, 0.10)
"""Tolerances on the relative volume error; each score is the share of structures within one."""

T = TypeVar("T")

BINS = 61
"""Number of histogram bins; odd, so that one is centred at zero."""
SHOWN_SHARE = 0.95
"""Share of the structures that the histogram spans; with the tails it would be a single bar."""
DISTRIBUTIONS = {"cauchy": stats.cauchy, "normal": stats.norm}


def predicts_volumes(predictions: Sequence[pa.Table]) -> bool:
    """Whether the members predict volumes; either all do or none."""
    having = {"volume" in table.column_names for table in predictions}
    if len(having) > 1:
        raise DiffsymError(
            "some of the ensemble's members predict volumes and others do not; "
            "delete their predictions and rerun the training"
        )
    return having.pop()


def read_volumes(predictions: Sequence[pa.Table], role: str) -> tuple[Floats, Floats]:
    """Read predicted and true volumes of one role in the order of `structure_id`.

    Parameters
    ----------
    predictions
        One predictions table per member, for the same structures.
    role
        "validation" or "test".

    Returns
    -------
    predicted
        A^3, shape (members, n).
    true
        A^3, shape (n,).
    """
    parts = [
        table.filter(pc.equal(table["role"], role)).sort_by("structure_id") for table in predictions
    ]
    predicted = np.stack([part["volume"].to_numpy() for part in parts])
    return predicted, parts[0]["true_volume"].to_numpy()


def ensemble_volume(predicted: Floats) -> Floats:
    """Geometric mean of the members' volumes.

    This is the volume at the mean predicted ln V, standardised or not: the ensemble averages what
    its members predict.

    Parameters
    ----------
    predicted
        A^3, shape (members, ...).

    Returns
    -------
    numpy.ndarray
        A^3, shape (...).
    """
    return np.exp(np.log(predicted).mean(axis=0))


def training_scale(predictions: Sequence[pa.Table]) -> tuple[float, float]:
    """Mean and standard deviation of ln(V / A^3) in training.

    The members of a cross-validation are trained on different structures, so both are means over
    the members.

    Parameters
    ----------
    predictions
        One predictions table per member.
    """
    scales = [json.loads(table.schema.metadata[b"ln_volume"]) for table in predictions]
    mean, deviation = np.mean(scales, axis=0).tolist()
    return mean, deviation


def volume_scores(
    predictions: Sequence[pa.Table],
    role: str,
    clusters: Sequence[str],
    scale: tuple[float, float],
    bootstrap: Bootstrap,
) -> VolumeScores:
    """Relative errors V'/V - 1 of the predicted volumes V', and their distribution.

    Parameters
    ----------
    predictions
        One predictions table per member.
    role
        "validation" or "test".
    clusters
        Cluster key of each structure, in the order of `structure_id`.
    scale
        Mean and standard deviation of ln(V / A^3) in training, see `training_scale`.
    bootstrap
        How intervals are computed.

    Returns
    -------
    VolumeScores
        Its baseline, the geometric mean of the training volumes, is the median of a log-normal
        distribution and the answer of a network that learned only the standardisation.
    """
    predicted, true = read_volumes(predictions, role)
    mean, deviation = scale
    ensemble = ensemble_volume(predicted)
    return VolumeScores(
        n=len(true),
        ln_volume=LogVolumes(mean=mean, deviation=deviation),
        members=[_named(_spread(member / true - 1.0).tolist()) for member in predicted],
        ensemble=_spread_with_intervals(ensemble / true - 1.0, clusters, bootstrap),
        baseline=_spread_with_intervals(np.exp(mean) / true - 1.0, clusters, bootstrap),
        standardised_error=error_distribution(np.log(ensemble / true) / deviation),
    )


def _named(values: Iterable[T]) -> Spread[T]:
    """Values in the order of `VOLUME_SCORES` under their names."""
    return Spread(**dict(zip(VOLUME_SCORES, values, strict=True)))


def _spread(errors: Floats) -> Floats:
    """The `VOLUME_SCORES` of relative errors of shape (n,)."""
    quartiles = np.quantile(errors, QUARTILES)
    shares = [np.mean(np.abs(errors) <= tolerance) for tolerance in TOLERANCES]
    return np.concatenate([quartiles, shares])


def _spread_with_intervals(
    errors: Floats, clusters: Sequence[str], bootstrap: Bootstrap
) -> Spread[Interval]:
    """The `VOLUME_SCORES` of relative errors with their bootstrap intervals."""
    samples = np.array(
        [
            _spread(np.repeat(errors, weights))
            for block in resampled_weights(clusters, bootstrap)
            for weights in block
        ]
    )
    bounds = interval(samples, bootstrap.confidence)
    return _named(
        Interval(value=value, low=low, high=high)
        for value, low, high in np.stack([_spread(errors), *bounds], axis=1).tolist()
    )


def error_distribution(errors: Floats) -> ErrorDistribution:
    """Histogram of the errors of the standardised ln V, with the two distributions of Fig. 3.

    Both are fitted to all errors by maximum likelihood, including those outside the histogram.

    Parameters
    ----------
    errors
        Predicted minus true standardised ln V, shape (n,).
    """
    span = float(np.quantile(np.abs(errors), SHOWN_SHARE))
    counts, edges = np.histogram(errors, bins=BINS, range=(-span, span))
    return ErrorDistribution(
        edges=edges.tolist(),
        counts=counts.tolist(),
        outside=len(errors) - int(counts.sum()),
        **{name: fitted(errors, distribution) for name, distribution in DISTRIBUTIONS.items()},
    )


def expected_counts(errors: ErrorDistribution, name: str) -> Floats:
    """Expected counts of a fitted distribution in the bins of a histogram.

    Parameters
    ----------
    errors
        Histogram and fits.
    name
        Key of `DISTRIBUTIONS`.
    """
    fit: Fit = getattr(errors, name)
    below = DISTRIBUTIONS[name].cdf(errors.edges, fit.location, fit.scale)
    return (sum(errors.counts) + errors.outside) * np.diff(below)


def fitted(values: Floats, distribution: stats.rv_continuous = stats.norm) -> Fit:
    """Maximum-likelihood location and scale, and the log-likelihood in nats."""
    location, scale = distribution.fit(values)
    return Fit(
        location=float(location),
        scale=float(scale),
        log_likelihood=float(distribution.logpdf(values, location, scale).sum()),
    )
