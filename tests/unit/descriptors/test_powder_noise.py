"""Augmentation of powder patterns against appendix A of Vecsei et al. (2019)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from diffsym.descriptors.powder_noise import (
    _word,
    augmented_patterns,
    bump,
    draw_background,
    draw_imperfections,
    draw_peak_shape,
    pattern_keys,
    polynomial,
    step_down,
    step_up,
)
from diffsym.errors import DiffsymError
from diffsym.scattering.powder import PeakShape, powder_patterns, two_theta_grid
from diffsym.scattering.types import Lines, Radiation
from diffsym.settings.augmentation import Augmentation

GRID = two_theta_grid()
X = (GRID - 5) / 85
AUGMENTATION = Augmentation()
# A polynomial without a zero coefficient, so that its presence shows.
SHOWN = replace(AUGMENTATION, polynomial_zero_probability=0.0)
IDS = [f"x:{number}" for number in range(20_000)]
KEYS = pattern_keys(IDS, seed=7, epoch=3)
QUIET = replace(AUGMENTATION, background_probability=0.0, noise=(0.0, 0.0))
# Reflections of twelve structures behind one another.
N, LINES = 12, 40
REFLECTIONS = Lines(
    np.sort(np.random.default_rng(0).uniform(0.1, 0.9, (N, LINES)), axis=1).ravel(),
    np.random.default_rng(1).exponential(size=N * LINES),
    LINES * np.arange(N + 1),
    np.cos(np.arange(N * LINES)),
)


def patterns(
    rows=range(N), augmentation=AUGMENTATION, *, lines=REFLECTIONS, seed=0, epoch=0, **settings
):
    rows = np.asarray(rows)
    keys = pattern_keys([IDS[row] for row in rows], seed=seed, epoch=epoch)
    return augmented_patterns(
        lines, GRID, keys=keys, augmentation=augmentation, rows=rows, **settings
    )


def assert_drawn_from(sample, distribution):
    """Kolmogorov-Smirnov; seeds are fixed, so that it passes or fails for good."""
    assert len(sample) > 1000
    assert stats.kstest(sample, distribution.cdf).pvalue > 1e-3


def uniform(lowest, highest):
    return stats.uniform(lowest, highest - lowest)


def truncated_normal(lowest, highest, mean, deviation):
    return stats.truncnorm(
        (lowest - mean) / deviation, (highest - mean) / deviation, loc=mean, scale=deviation
    )


def present(background):
    """Which functions each pattern has, (n, 4)."""
    return np.column_stack(
        [
            background.step_up[:, 0] > 0,
            background.step_down[:, 0] > 0,
            (background.polynomial != 0).any(axis=1),
            background.bump[:, 0] > 0,
        ]
    )


def only(function):
    """Backgrounds of this function alone, so that T = 0.1."""
    background = draw_background(SHOWN, KEYS)
    shown = present(background)
    alone = shown[:, function] & (shown.sum(axis=1) == 1)
    return type(background)(*(values[alone] for values in background))


@pytest.mark.parametrize("x", [0.0, 0.03, 0.5, 0.9, 1.0])
def test_functions_are_those_of_the_paper(x):
    assert step_up(x, 0.03, 40.0, 0.1) == pytest.approx(0.03 * (1 / (1 + np.exp(40 * (x - 0.1)))))
    assert step_down(x, 0.03, 40.0, 0.9) == pytest.approx(
        0.03 * (1 - 1 / (1 + np.exp(40 * (x - 0.9))))
    )
    coefficients = np.array([0.01, -0.03, 0.0, 0.02, -0.01])
    assert polynomial(x, coefficients) == pytest.approx(
        abs(sum(a * x**n for n, a in enumerate(coefficients)))
    )
    assert bump(x, 0.04, 50.0) == pytest.approx(0.04 * (50 * x) ** 2 * np.exp(-50 * x))


def test_pattern_is_the_sum_of_equation_a5():
    keys = pattern_keys(IDS[:N], seed=0, epoch=0)
    theory = powder_patterns(REFLECTIONS, GRID, shape=draw_peak_shape(AUGMENTATION, keys)).astype(
        float
    )
    background = draw_background(AUGMENTATION, keys)
    silent = patterns(augmentation=replace(AUGMENTATION, noise=(0.0, 0.0)))
    for row in range(N):
        up, down, hump = background.step_up[row], background.step_down[row], background.bump[row]
        expected = (
            theory[row]
            + up[0] / (1 + np.exp(up[1] * (X - up[2])))
            + down[0] * (1 - 1 / (1 + np.exp(down[1] * (X - down[2]))))
            + np.abs(np.polyval(background.polynomial[row][::-1], X))
            + hump[0] * (hump[1] * X) ** 2 * np.exp(-hump[1] * X)
        )
        np.testing.assert_allclose(silent[row], expected, rtol=0, atol=1e-6)
    noise = patterns() - silent
    assert noise.min() >= 0.002 - 1e-6
    assert noise.max() <= 0.02 + 1e-6


def test_noise_is_uniform_and_independent():
    silent = replace(QUIET, noise=(0.002, 0.02))
    noise = (patterns(augmentation=silent) - patterns(augmentation=QUIET)).astype(float)
    assert_drawn_from(noise.ravel()[::3], uniform(0.002, 0.02))
    # Between neighbouring angles, other distances, and between patterns.
    centred = noise - noise.mean()
    for lag in (1, 2, 64):
        products = centred[:, lag:] * centred[:, :-lag]
        assert abs(products.mean()) < 4 * products.std() / np.sqrt(products.size)
    correlations = np.corrcoef(noise)[np.triu_indices(N, k=1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(len(GRID))


def test_each_function_is_present_in_half_of_the_patterns():
    background = draw_background(SHOWN, KEYS)
    shown = present(background)
    for column in shown.T:
        assert stats.binomtest(int(column.sum()), len(KEYS), 0.5).pvalue > 1e-3
    # independently of each other: 16 equally frequent combinations
    frequencies = np.bincount(shown @ [1, 2, 4, 8], minlength=16)
    assert stats.chisquare(frequencies).pvalue > 1e-3


def test_amplitudes_are_shared_among_the_functions_present():
    """T = 0.1 / number of functions present: heights over T have one distribution."""
    background = draw_background(SHOWN, KEYS)
    shown = present(background)
    threshold = 0.1 / np.maximum(shown.sum(axis=1), 1)
    for steps, column in ((background.step_up, 0), (background.step_down, 1)):
        heights = (steps[:, 0] / threshold)[shown[:, column]]
        assert_drawn_from(heights, truncated_normal(0, 1, 1 / 3, 1 / 7))
    heights = (background.bump[:, 0] / threshold)[shown[:, 3]]
    assert_drawn_from(heights, truncated_normal(0, 3 / 5, 2 / 5, 3 / 35))


@pytest.mark.parametrize("function", [0, 1])
def test_steps(function):
    background = only(function)
    height, steepness, position = (background.step_up, background.step_down)[function].T
    threshold = 0.1
    assert_drawn_from(height, truncated_normal(0, threshold, threshold / 3, threshold / 7))
    assert_drawn_from(steepness, uniform(10, 60))
    assert_drawn_from(position, uniform(0, 1 / 7) if function == 0 else uniform(6 / 7, 1))
    assert np.abs(np.corrcoef([height, steepness, position])[np.triu_indices(3, k=1)]).max() < 0.1


def test_bump():
    height, steepness = only(3).bump.T
    assert_drawn_from(height, truncated_normal(0, 0.06, 0.04, 0.3 / 35))
    assert_drawn_from(steepness, uniform(40, 70))


def test_polynomial():
    """For each n_max, equally frequent, half of the coefficients are zero, others uniform."""
    certain = replace(AUGMENTATION, background_probability=1.0)  # all four functions: T = 0.025
    dense = draw_background(replace(certain, polynomial_zero_probability=0.0), KEYS).polynomial
    degree = (dense != 0).sum(axis=1) - 1
    assert stats.chisquare(np.bincount(degree, minlength=5)).pvalue > 1e-3
    coefficients = draw_background(certain, KEYS).polynomial
    for n_max in range(5):
        used = coefficients[degree == n_max][:, : n_max + 1].ravel()
        zeros = int((used == 0).sum())
        assert stats.binomtest(zeros, len(used), 0.5).pvalue > 1e-3
        limit = 3 * 0.025 / (2 * (n_max + 1))
        assert_drawn_from(used[used != 0], uniform(-limit, limit))
        assert (coefficients[degree == n_max][:, n_max + 1 :] == 0).all()


def test_peak_widths():
    sigma = np.sqrt(draw_peak_shape(AUGMENTATION, KEYS).w / (8 * np.log(2)))
    assert_drawn_from(sigma, uniform(0.02, 0.1))


def test_reproducible_by_seed_epoch_and_structure():
    usual = patterns()
    np.testing.assert_array_equal(usual, patterns())
    for other in (patterns(seed=1), patterns(epoch=1), patterns(seed=1, epoch=1)):
        assert (other != usual).any(axis=1).all()
    keys = [pattern_keys(IDS, seed=seed, epoch=epoch) for seed in range(3) for epoch in range(3)]
    assert len(np.unique(keys)) == 9 * len(IDS)


def test_known_random_numbers():
    """Of another implementation of SplitMix64: words 1 and 2 of seed 1234567."""
    words = [int(_word(np.uint64(1234567), position)) for position in (0, 1)]
    assert words == [6457827717110365317, 3203168211198807973]


def test_batch_order_and_threads_do_not_matter():
    together = patterns()
    order = np.random.default_rng(2).permutation(N)
    np.testing.assert_array_equal(patterns(order), together[order])
    alone = np.concatenate([patterns([row]) for row in range(N)])
    np.testing.assert_array_equal(alone, together)
    with ThreadPoolExecutor(4) as pool:
        threaded = np.concatenate(list(pool.map(patterns, np.arange(N).reshape(4, 3))))
    np.testing.assert_array_equal(threaded, together)


def test_writes_into_a_given_array():
    out = np.empty((N, len(GRID)), np.float32)
    assert patterns(out=out) is out
    np.testing.assert_array_equal(out, patterns())


def test_nothing_drawn_is_the_plain_pattern():
    keys = pattern_keys(IDS[:N], seed=0, epoch=0)
    plain = powder_patterns(
        REFLECTIONS,
        GRID,
        shape=PeakShape.gaussian(0.05),
    )
    np.testing.assert_array_equal(patterns(augmentation=replace(QUIET, sigma=(0.05, 0.05))), plain)
    imperfections = draw_imperfections(AUGMENTATION, keys, GRID)
    assert (imperfections.zero_shift == 0).all()
    assert (imperfections.displacement == 0).all()
    assert (imperfections.march_ratio == 1).all()
    assert imperfections.impurity_height.size == 0


EXTRAS = {
    "eta": (0.0, 1.0),
    "crystallite_size": (200.0, 1000.0),
    "zero_shift": (-0.05, 0.05),
    "displacement": (-0.2, 0.2),
    "march_ratio": (0.5, 2.0),
    "impurity_lines": (1, 3),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_changes_the_peaks_and_no_other_random_number(name):
    augmentation = replace(AUGMENTATION, **{name: EXTRAS[name]})
    keys = pattern_keys(IDS[:N], seed=0, epoch=0)
    changed = patterns(augmentation=augmentation)
    assert (changed != patterns()).any(axis=1).all()
    for one, other in zip(
        draw_background(augmentation, keys), draw_background(AUGMENTATION, keys), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    quiet = replace(augmentation, background_probability=0.0, noise=(0.0, 0.0))
    np.testing.assert_allclose(
        changed - patterns(augmentation=quiet),
        patterns() - patterns(augmentation=QUIET),
        rtol=0,
        atol=1e-6,
    )


def test_distributions_of_extras():
    augmentation = replace(AUGMENTATION, **EXTRAS)
    shape, drawn = draw_peak_shape(augmentation, KEYS), draw_imperfections(augmentation, KEYS, GRID)
    assert_drawn_from(shape.eta, uniform(0, 1))
    assert_drawn_from(shape.crystallite_size, uniform(200, 1000))
    assert_drawn_from(drawn.zero_shift, uniform(-0.05, 0.05))
    assert_drawn_from(drawn.displacement, uniform(-0.2, 0.2))
    assert_drawn_from(np.log(drawn.march_ratio), uniform(-np.log(2), np.log(2)))
    assert_drawn_from(drawn.impurity_two_theta.ravel(), uniform(5, 90))
    heights = drawn.impurity_height
    assert_drawn_from(heights[heights > 0], uniform(0.005, 0.05))
    numbers = np.bincount((heights > 0).sum(axis=1), minlength=4)
    assert numbers[0] == 0
    assert stats.chisquare(numbers[1:]).pvalue > 1e-3


def test_zero_shift_moves_all_peaks():
    augmentation = replace(QUIET, zero_shift=(0.05, 0.05))
    shifted, usual = patterns(augmentation=augmentation), patterns(augmentation=QUIET)
    np.testing.assert_allclose(shifted[:, 1000:-5], usual[:, 995:-10], rtol=0, atol=1e-3)


def test_preferred_orientation_asks_for_the_axis():
    with pytest.raises(DiffsymError, match="axis_cosine"):
        patterns(
            augmentation=replace(AUGMENTATION, march_ratio=(0.5, 2.0)),
            lines=replace(REFLECTIONS, axis_cosine=None),
        )


def test_wavelength_and_displacement_parameter_reach_the_pattern():
    assert (patterns(radiation=Radiation.of(1.2)) != patterns()).any(axis=1).all()
    assert (patterns(b_iso=2.0) != patterns()).any(axis=1).all()
