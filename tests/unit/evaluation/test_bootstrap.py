"""Bootstrap samples against the widths that theory gives."""

import numpy as np
import pytest

from diffsym.evaluation.bootstrap import (
    bootstrap_means,
    interval,
    resampled_weights,
    with_intervals,
)
from diffsym.evaluation.scores import Bootstrap, TopK


def test_bootstrap_of_single_entries_has_the_binomial_width():
    values = (np.arange(400) < 100).astype(float)[:, None]
    means = bootstrap_means(values, [str(i) for i in range(400)], Bootstrap(resamples=4000, seed=1))
    assert means.mean() == pytest.approx(0.25, abs=0.002)
    assert means.std() == pytest.approx(np.sqrt(0.25 * 0.75 / 400), rel=0.05)


def test_bootstrap_of_clusters_is_wider_by_their_size():
    values = np.repeat((np.arange(100) < 25).astype(float), 4)[:, None]
    clusters = np.repeat(np.arange(100), 4).astype(str)
    means = bootstrap_means(values, clusters, Bootstrap(resamples=4000, seed=1))
    assert means.std() == pytest.approx(np.sqrt(0.25 * 0.75 / 100), rel=0.05)


def test_bootstrap_columns_are_paired():
    column = np.random.default_rng(0).random(50)
    clusters = [str(i) for i in range(50)]
    columns = np.stack([column, column + 1], axis=1)
    means = bootstrap_means(columns, clusters, Bootstrap(resamples=200, seed=3))
    assert np.allclose(means[:, 1] - means[:, 0], 1.0)


def test_weights_are_those_of_the_means():
    values = np.random.default_rng(2).random(30)
    clusters = [str(i // 3) for i in range(30)]
    bootstrap = Bootstrap(resamples=250, seed=4)
    weights = np.concatenate(list(resampled_weights(clusters, bootstrap)))
    assert weights.shape == (250, 30)
    # Ten clusters of three entries each: every resample has thirty, whole clusters at a time.
    assert (weights.sum(axis=1) == 30).all()
    assert (weights[:, ::3] == weights[:, 2::3]).all()
    means = bootstrap_means(values[:, None], clusters, bootstrap)
    assert means[:, 0] == pytest.approx([np.average(values, weights=row) for row in weights])


def test_interval_is_cut_on_both_sides():
    samples = np.stack([np.arange(1001.0), np.arange(1001.0) + 1], axis=1)
    low, high = interval(samples, 0.9)
    assert low == pytest.approx([50, 51])
    assert high == pytest.approx([950, 951])
    entries = with_intervals(np.array([500.0, 501.0]), samples, 0.9)
    assert entries[1] == TopK(k=2, value=501.0, low=low[1], high=high[1])
