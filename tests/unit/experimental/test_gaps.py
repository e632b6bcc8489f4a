"""What was not measured is not covered, and holds no line."""

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.gaps import gaps, measured_share, outside, resampled
from diffsym.experimental.peaks import find_peaks
from diffsym.scattering.types import Radiation

COPPER = Radiation.of(1.5406)
TWO_THETA = 10 + 0.02 * np.arange(3501)  # to 80 degrees
LINES = np.array([15.0, 28.0, 45.0, 62.0, 75.0])


def counts(two_theta):
    lines = 500 * np.exp(-(((two_theta[:, None] - LINES) / 0.1) ** 2)).sum(axis=1)
    return np.random.default_rng(0).poisson(30 + lines).astype(float)


def without(first, last):
    return TWO_THETA[(first >= TWO_THETA) | (last <= TWO_THETA)]


def test_a_long_step_is_a_gap():
    np.testing.assert_allclose(gaps(without(22, 68)), [[22, 68]])
    assert measured_share(without(22, 68), 10, 80) == pytest.approx(24 / 70)
    assert measured_share(without(22, 68), 40, 100) == pytest.approx(12 / 60)
    assert measured_share(TWO_THETA, 5, 90) == pytest.approx(70 / 85)
    assert outside(np.array([22.0, 30.0, 68.0]), gaps(without(22, 68))).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "two_theta",
    [
        TWO_THETA,
        np.concatenate([np.arange(10, 40, 0.01), np.arange(40, 100, 0.1)]),
        np.linspace(10**0.5, 80**0.5, 500) ** 2,
        np.arange(5, 90, 0.6),
        without(22, 22.3),
    ],
)
def test_steps_that_differ_are_no_gaps(two_theta):
    assert len(gaps(two_theta)) == 0
    assert outside(two_theta, gaps(two_theta)).all()


def test_a_pattern_with_a_large_gap_is_refused():
    two_theta = without(22, 68)
    with pytest.raises(DiffsymError, match=r"covers less than 70 % .* gap from 22 to 68;"):
        check_pattern(two_theta, counts(two_theta), COPPER)


def test_a_gap_is_as_high_as_its_lower_end():
    two_theta = without(28, 35)  # from the top of a line on
    intensity = counts(two_theta)
    values = resampled(np.array([27.99, 28.0, 30.0, 34.9, 36.0]), two_theta, intensity)
    assert values[1] > 400
    assert values[2] == values[3] == intensity[two_theta >= 35][0]


@pytest.mark.parametrize("hole", [(40, 55), (28, 35), (30, 45)])
def test_no_line_is_found_in_a_gap(hole):
    two_theta = without(*hole)
    found = find_peaks(two_theta, counts(two_theta), radiation=COPPER).two_theta
    expected = LINES[(hole[0] >= LINES) | (hole[1] <= LINES)]
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=0.1)
