"""Lines on a grid, and patterns made of them by FFT, against peaks evaluated one by one."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.on_device import DevicePatterns, to_device
from diffsym.descriptors.powder_noise import augmented_patterns, pattern_keys
from diffsym.keras_backend import keras
from diffsym.scattering.line_grids import spread_lines
from diffsym.scattering.powder import (
    CU_K_ALPHA,
    CU_K_ALPHA_DOUBLET,
    PeakShape,
    lorentz_polarisation,
    powder_patterns,
    two_theta_grid,
)
from diffsym.scattering.types import Lines
from diffsym.settings.augmentation import Augmentation

GRID = two_theta_grid(two_theta_min=10.0, two_theta_max=60.0)
MARGIN = 60
B_ISO = 0.7
# Lines one by one at places between points, at both ends of the range and just beyond them.
EDGES = (9.45, 9.93, 10.0, 10.003, 20.0, 35.1234, 59.996, 60.0, 60.05, 60.55)
PLAIN = {"noise": (0.0, 0.0), "background_probability": 0.0}


def lines_at(two_theta):
    return 2 * np.sin(np.radians(two_theta) / 2) / CU_K_ALPHA.mean


@pytest.fixture(scope="module")
def lines():
    """Lines of 30 structures: 28 random ones, one with lines at the edges, one with none."""
    generator = np.random.default_rng(0)
    sizes = [*generator.integers(1, 200, 28), len(EDGES), 0]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    d_star = lines_at(generator.uniform(5.0, 90.0, offsets[-1]))
    # Each structure has a line in the range.
    d_star[offsets[:28]] = lines_at(generator.uniform(10.0, 60.0, 28))
    d_star[offsets[28] :] = lines_at(np.array(EDGES))
    intensity = generator.lognormal(0, 2, offsets[-1]).astype(np.float32)
    intensity[offsets[28] :] = 1
    return Lines(d_star, intensity, offsets)


def rendered(grids, augmentation, names):
    part = DevicePatterns(
        labels=np.zeros(len(grids), np.int32),
        folds=np.zeros(len(grids), np.int8),
        structure_ids=pa.array(names, pa.string()),
        classes=(1,),
        features=to_device(grids),
        rows=np.arange(len(grids)),
        source="test",
        two_theta=GRID,
        margin=MARGIN,
        augmentation=augmentation,
        keys=pattern_keys(names, seed=1, epoch=2),
        seed=1,
    )
    return keras.ops.convert_to_numpy(part.take(np.arange(len(part))))


@pytest.mark.parametrize("radiation", [CU_K_ALPHA, CU_K_ALPHA_DOUBLET])
@pytest.mark.parametrize(
    ("sigma", "exact", "halved"), [(0.02, 7e-4, 9e-4), (0.05, 3e-5, 5e-4), (0.1, 1e-5, 5e-4)]
)
def test_patterns_are_those_of_peaks_one_by_one(lines, radiation, sigma, exact, halved):
    physics = {"radiation": radiation, "b_iso": B_ISO}
    expected = powder_patterns(
        lines, GRID, shape=PeakShape.gaussian(sigma), tolerance=1e-9, **physics
    )
    grids = spread_lines(lines, GRID, margin=MARGIN, **physics)
    augmentation = Augmentation(sigma=(sigma, sigma), **PLAIN)
    names = [f"x:{row}" for row in range(30)]
    for dtype, tolerance in ((np.float32, exact), (np.float16, halved)):
        patterns = rendered(grids.astype(dtype), augmentation, names)
        assert np.abs(patterns - expected)[:-1].max() < tolerance
        assert (patterns[:-1].max(axis=1) == 1).all()
        assert np.isnan(patterns[-1]).all()
        assert np.isnan(expected[-1]).all()


def test_widths_and_backgrounds_are_those_of_the_host(lines):
    augmentation = Augmentation(noise=(0.01, 0.01), background_probability=0.8)
    names = [f"x:{row}" for row in range(30)]
    expected = augmented_patterns(
        lines,
        GRID,
        keys=pattern_keys(names, seed=1, epoch=2),
        augmentation=augmentation,
        b_iso=B_ISO,
    )
    grids = spread_lines(lines, GRID, margin=MARGIN, radiation=CU_K_ALPHA, b_iso=B_ISO)
    patterns = rendered(grids, augmentation, names)
    # Some 1e-5 is what the host leaves out of the feet of each peak.
    assert np.abs(patterns - expected)[:-1].max() < 7e-4
    assert np.abs(patterns - expected)[:-1].mean() < 2e-5
    # Each of the functions is there.
    assert (np.median(patterns[:-1], axis=1) > 0.011).any()


def test_noise_has_the_distribution_of_the_host(lines):
    augmentation = Augmentation(sigma=(0.05, 0.05), noise=(0.002, 0.02), background_probability=0.0)
    names = [f"x:{row}" for row in range(30)]
    grids = spread_lines(lines, GRID, margin=MARGIN, radiation=CU_K_ALPHA, b_iso=B_ISO)
    quiet = rendered(grids, Augmentation(sigma=(0.05, 0.05), **PLAIN), names)
    shares = ((rendered(grids, augmentation, names) - quiet)[:-1] - 0.002) / 0.018
    n = shares.size
    assert shares.min() > -1e-4
    assert shares.max() < 1 + 1e-4
    counts, _ = np.histogram(shares, 50, (0, 1))
    assert ((counts - n / 50) ** 2 / (n / 50)).sum() < 49 + 5 * np.sqrt(2 * 49)
    centred = (shares - 0.5) * np.sqrt(12)
    limit = 5 / np.sqrt(n)
    for lag in (1, 2, 3, 256):
        assert abs((centred[:, lag:] * centred[:, :-lag]).mean()) < limit
    assert abs((centred[1:] * centred[:-1]).mean()) < limit


def test_areas_lie_at_their_angles():
    two_theta, b_iso = np.array([20.0, 33.337, 57.02]), 2.0
    d_star, intensity = lines_at(two_theta), np.array([3.0, 1.0, 7.0])
    lines = Lines(d_star, intensity, [0, 1, 2, 3])
    grids = spread_lines(lines, GRID, margin=MARGIN, radiation=CU_K_ALPHA, b_iso=b_iso)
    angles = GRID[0] + 0.01 * (np.arange(grids.shape[1]) - MARGIN)
    assert grids.dtype == np.float32
    assert grids.shape == (3, len(GRID) + 2 * MARGIN)
    np.testing.assert_allclose(grids @ angles / grids.sum(axis=1), two_theta, atol=1e-5)
    assert ((grids > 0).sum(axis=1) <= 4).all()
    together = spread_lines(
        Lines.of_one(d_star, intensity), GRID, margin=MARGIN, radiation=CU_K_ALPHA, b_iso=b_iso
    )[0]
    sines = np.sin(np.radians(two_theta) / 2)
    areas = intensity * np.exp(-b_iso * d_star**2 / 2)
    areas *= [lorentz_polarisation(sine, np.sqrt(1 - sine**2)) for sine in sines]
    found = [together[np.abs(angles - angle) < 0.1].sum() for angle in two_theta]
    np.testing.assert_allclose(found / found[0], areas / areas[0], rtol=1e-6)


def test_rows_of_structures_without_a_line_in_the_range():
    two_theta = np.array([9.8, 60.2, 9.8, 30.0])
    grids = spread_lines(
        Lines(lines_at(two_theta), [1.0, 1.0, 5.0, 0.1], [0, 1, 2, 2, 4]),
        GRID,
        margin=MARGIN,
        radiation=CU_K_ALPHA,
        b_iso=0.0,
    )
    assert np.isnan(grids).all(axis=1).tolist() == [True, True, True, False]
    assert np.nanmax(grids[3]) == 1


def test_a_row_does_not_depend_on_the_others(lines):
    settings = {"margin": 7, "radiation": CU_K_ALPHA_DOUBLET, "b_iso": 0.3}
    grids = spread_lines(lines, GRID, **settings)
    alone = spread_lines(lines[4], GRID, **settings)
    assert np.array_equal(grids[4], alone[0])
