"""Volume errors against numbers by hand; fits against the distributions that were drawn from."""

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy import optimize, stats

from diffsym import tables
from diffsym.errors import DiffsymError
from diffsym.evaluation import volumes
from diffsym.evaluation.scores import Bootstrap, LogVolumes
from diffsym.evaluation.storage import plain

CLASSES = [14, 225]
SETTINGS = Bootstrap(resamples=200)


def make_predictions(volume, true, member=0, roles=None, order=None):
    order = np.arange(len(true)) if order is None else order
    return pa.table(
        {
            "structure_id": [f"s:{i:04d}" for i in order],
            "role": [(roles or ["test"] * len(true))[i] for i in order],
            "member": pa.array([member] * len(true), pa.int16()),
            "space_group": pa.array([14] * len(true), pa.uint8()),
            "probabilities": tables.fixed_size_rows(np.full((len(true), 2), 0.5, np.float32)),
            "volume": np.asarray(volume, float)[order],
            "true_volume": np.asarray(true, float)[order],
        },
        schema=tables.predictions_schema(CLASSES, (np.log(100.0), 0.5)),
    )


def test_errors_by_hand():
    true = np.array([100.0, 100.0, 100.0, 100.0])
    # Geometric means: 100, 104, 92 and 120, that is errors of 0, +4, -8 and +20 %.
    first, second = np.array([50.0, 104.0, 92.0, 240.0]), np.array([200.0, 104.0, 92.0, 60.0])
    tables_of_members = [
        make_predictions(first, true),
        make_predictions(second, true, member=1, order=np.arange(4)[::-1]),
    ]
    scores = volumes.volume_scores(
        tables_of_members,
        "test",
        list("abcd"),
        volumes.training_scale(tables_of_members),
        SETTINGS,
    )
    json.dumps(plain(scores), allow_nan=False)
    ensemble = {name: entry.value for name, entry in vars(scores.ensemble).items()}
    assert ensemble == pytest.approx(
        {
            "lower_quartile": -0.02,
            "median": 0.02,
            "upper_quartile": 0.08,
            "within_5_percent": 0.5,
            "within_10_percent": 0.75,
        }
    )
    assert scores.members[0].median == pytest.approx(np.median(first / true) - 1)
    assert scores.ln_volume == LogVolumes(mean=np.log(100.0), deviation=0.5)
    # The baseline answers 100 A^3, which is right here.
    assert scores.baseline.within_5_percent.value == 1.0
    assert scores.n == 4


def test_parts_are_told_apart():
    roles = ["validation", "test", "test"]
    predictions = make_predictions([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], roles=roles)
    predicted, true = volumes.read_volumes([predictions], "test")
    assert predicted.tolist() == [[2.0, 3.0]]
    assert true.tolist() == [20.0, 30.0]


def test_ensemble_is_the_mean_of_standardised_logarithms():
    rng = np.random.default_rng(1)
    mean, deviation = 4.8, 0.7
    standardised = rng.normal(size=(6, 50))
    predicted = np.exp(mean + deviation * standardised)
    expected = np.exp(mean + deviation * standardised.mean(axis=0))
    assert volumes.ensemble_volume(predicted) == pytest.approx(expected)


def test_intervals_cover_and_shrink():
    rng = np.random.default_rng(2)
    widths = []
    for n in (50, 800):
        true = np.exp(rng.normal(4.6, 0.5, n))
        predicted = true * np.exp(0.02 * rng.standard_cauchy(n))
        clusters = [str(i) for i in range(n)]
        predictions = [make_predictions(predicted, true)]
        scale = volumes.training_scale(predictions)
        scores = volumes.volume_scores(predictions, "test", clusters, scale, SETTINGS)
        entry = scores.ensemble.median
        assert entry.low <= entry.value <= entry.high
        widths.append(entry.high - entry.low)
    assert widths[1] < 0.6 * widths[0]


@pytest.mark.parametrize("name", ["cauchy", "normal"])
def test_the_true_distribution_fits_better(name):
    drawn = volumes.DISTRIBUTIONS[name].rvs(0.01, 0.05, size=2000, random_state=3)
    errors = volumes.error_distribution(drawn)
    right, wrong = errors.cauchy, errors.normal
    if name == "normal":
        right, wrong = wrong, right
    assert right.log_likelihood > wrong.log_likelihood + 100
    assert right.location == pytest.approx(0.01, abs=0.005)
    assert right.scale == pytest.approx(0.05, rel=0.1)
    assert right.log_likelihood >= volumes.DISTRIBUTIONS[name].logpdf(drawn, 0.01, 0.05).sum()


def test_cauchy_fit_is_the_maximum_of_the_likelihood():
    drawn = stats.cauchy.rvs(-0.02, 0.03, size=500, random_state=4)

    def cost(parameters):
        location, scale = parameters[0], np.exp(parameters[1])
        return np.log(np.pi * scale * (1 + ((drawn - location) / scale) ** 2)).sum()

    best = optimize.minimize(cost, (0.0, np.log(0.1)), method="BFGS")
    fit = volumes.error_distribution(drawn).cauchy
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-3)
    assert fit.scale == pytest.approx(np.exp(best.x[1]), rel=1e-3)


def test_histogram_counts_all_errors_and_the_fits_expect_as_many():
    drawn = stats.cauchy.rvs(0.0, 0.05, size=900, random_state=5)
    errors = volumes.error_distribution(drawn)
    assert sum(errors.counts) + errors.outside == 900
    assert errors.outside == pytest.approx(45, abs=2)
    assert errors.edges[0] == pytest.approx(-errors.edges[-1])
    expected = volumes.expected_counts(errors, "cauchy")
    assert expected.sum() == pytest.approx(sum(errors.counts), rel=0.03)
    # The bin at zero is the highest one.
    assert expected.argmax() == volumes.BINS // 2


def test_members_agree_about_volumes():
    with_volume = make_predictions([1.0], [1.0])
    without = with_volume.drop_columns(["volume", "true_volume"])
    assert volumes.predicts_volumes([with_volume, with_volume])
    assert not volumes.predicts_volumes([without])
    with pytest.raises(DiffsymError, match="some of the ensemble's members predict volumes"):
        volumes.predicts_volumes([with_volume, without])
