"""From evidence to probabilities, and the fit of the numbers between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffsym.identification.calibration import (
    GROUPS,
    Calibration,
    frequencies_of,
    sums_before,
)
from diffsym.identification.fitting import COVERAGE, Labelled, fit


def simulated(patterns, seed, sharpness=12.0):
    """Scores of 600 structures of 20 groups: the right group's best structure is often on top."""
    generator = np.random.default_rng(seed)
    groups = generator.choice(np.arange(1, 21), 600, p=np.arange(1, 21) / 210)
    labels = generator.choice(groups, patterns)
    scores = generator.beta(2, sharpness, (patterns, 600))
    for row, label in enumerate(labels):
        own = np.flatnonzero(groups == label)
        scores[row, generator.choice(own)] += generator.uniform(0, 0.6)
    databases = np.zeros(600, int)
    frequencies = frequencies_of(groups, databases)
    return Labelled(scores, groups, databases, frequencies, None, labels)


def log_likelihood(labelled, calibration):
    probabilities = labelled.probabilities(calibration)
    return np.log(probabilities[np.arange(len(labelled.labels)), labelled.labels - 1]).mean()


def test_the_formula():
    calibration = Calibration(
        scale=0.1,
        crowding=0.5,
        search=2.0,
        networks=0.5,
        frequency=0.25,
        search_floor=0.01,
        networks_floor=0.02,
        frequency_floor=0.03,
    )
    scores = np.array([0.5, 0.4, 0.45])
    groups = np.array([1, 1, 230])
    alone = np.zeros(3, int)
    shares = calibration.shares(scores, groups, alone)
    first = (1 + np.exp(-1)) / 3**0.5
    last = np.exp(-0.5) / 2**0.5
    assert shares[[0, -1]] == pytest.approx(np.array([first, last]) / (first + last))
    assert np.count_nonzero(shares) == 2
    frequencies = frequencies_of(groups, alone)
    networks = np.full(GROUPS, 1 / GROUPS)
    expected = (shares + 0.01) ** 2 * (frequencies + 0.03) ** 0.25 * (networks + 0.02) ** 0.5
    found = calibration.probabilities(shares, frequencies, networks)
    assert found == pytest.approx(expected / expected.sum())
    # The same for all groups: networks that know nothing say nothing.
    assert calibration.probabilities(shares, frequencies) == pytest.approx(found)


def test_a_large_database_drowns_no_small_one():
    """A group is held back by its number in the same database, not by that in another."""
    scores = np.array([0.6, *[0.0] * 400, *[0.45] * 100])
    groups = np.array([62, *[62] * 400, *[1] * 100])
    calibration = Calibration(scale=0.05, crowding=1.0)
    apart = calibration.shares(scores, groups, np.array([0, *[1] * 500]))
    together = calibration.shares(scores, groups, np.zeros(501, int))
    assert apart[61] > 0.9
    assert together[61] < 0.1
    # What stands in both counts for both.
    both = calibration.shares(np.array([0.6, 0.6]), np.array([62, 62]), np.array([0, 1]))
    assert both[61] == 1
    frequencies = frequencies_of(np.array([1, 2, 2, 2]), np.array([0, 1, 1, 1]))
    assert list(frequencies[:2]) == [0.5, 0.5]


@given(st.lists(st.floats(1e-6, 1), min_size=GROUPS, max_size=GROUPS), st.floats(0.01, 1))
def test_the_set_holds_the_likeliest(weights, cumulated):
    probabilities = np.array(weights) / sum(weights)
    inside = Calibration(cumulated=cumulated).set_of(probabilities)
    assert inside[probabilities.argmax()]
    if not inside.all():
        assert probabilities[inside].min() >= probabilities[~inside].max()
        assert probabilities[inside].sum() >= cumulated - 1e-9
    assert sums_before(probabilities).max() < 1


def test_the_fit_finds_better_numbers_for_other_patterns():
    fitted = fit(simulated(300, seed=0), "simulated")
    others = simulated(300, seed=1)
    assert log_likelihood(others, fitted) > log_likelihood(others, Calibration()) + 0.02
    assert fitted.fitted_on == "simulated"
    # Thresholds that are not fitted stay.
    assert fitted.certain == Calibration().certain


def test_the_set_covers_nine_of_ten_other_patterns():
    fitted = fit(simulated(400, seed=2), "simulated")
    others = simulated(1000, seed=3)
    inside = fitted.set_of(others.probabilities(fitted))
    covered = inside[np.arange(1000), others.labels - 1].mean()
    assert COVERAGE - 0.04 < covered < COVERAGE + 0.05


def test_networks_that_know_get_weight():
    labelled = simulated(80, seed=4, sharpness=3.0)
    knowing = np.full((80, GROUPS), 0.2 / GROUPS)
    knowing[np.arange(80), labelled.labels - 1] += 0.8
    ignorant = np.random.default_rng(0).dirichlet(np.full(GROUPS, 0.2), 80)
    powers = [
        fit(
            Labelled(
                labelled.scores,
                labelled.space_groups,
                labelled.databases,
                labelled.frequencies,
                networks,
                labelled.labels,
            ),
            "",
        ).networks
        for networks in (knowing, ignorant)
    ]
    assert powers[0] > 3 * powers[1]
    assert powers[1] < 0.2
