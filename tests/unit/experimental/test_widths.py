"""Widths of peaks are those of `scipy.signal`."""

import numpy as np
import pytest
from scipy import signal

from diffsym.experimental.peaks import normal_deviation
from diffsym.experimental.widths import half_widths


def widths_of_scipy(curve, height, prominence):
    places, _ = signal.find_peaks(curve, height=height, prominence=prominence)
    return signal.peak_widths(curve, places, rel_height=0.5)[0]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("whole", [True, False])
def test_peaks_of_random_curves(seed, whole):
    rng = np.random.default_rng(seed)
    curve = np.cumsum(rng.normal(size=400)) + rng.normal(size=400)
    # Whole numbers have flat tops and equal heights.
    curve = np.round(curve) if whole else curve
    for height, prominence in (
        (-1e9, 0.0),
        (np.median(curve), 1.0),
        (curve.mean(), np.ptp(curve) / 4),
    ):
        found = half_widths(curve, height, prominence)
        np.testing.assert_allclose(found, widths_of_scipy(curve, height, prominence), atol=1e-12)
    assert len(half_widths(curve, -1e9, 0.0)) > 20


def test_a_curve_without_peaks_has_no_widths():
    for curve in (np.zeros(5), np.arange(5.0), np.array([2.0, 1.0]), np.array([1.0])):
        assert len(half_widths(curve, -1e9, 0.0)) == 0


def test_a_gaussian_is_as_wide_as_it_should_be():
    x = np.arange(-100.0, 101.0)
    [width] = half_widths(np.exp(-((x / 10) ** 2) / 2), 0.5, 0.5)
    assert width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 10, abs=0.01)


def test_the_deviation_of_normal_noise():
    values = np.random.default_rng(0).normal(3.0, 2.0, 100_000)
    assert normal_deviation(values) == pytest.approx(2.0, rel=0.01)
    # A few peaks do not count.
    values[:1000] += 1e6
    assert normal_deviation(values) == pytest.approx(2.0, rel=0.03)
