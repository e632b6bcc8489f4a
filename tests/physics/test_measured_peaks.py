"""Measured powder patterns to ideal profiles: the whole way round, and real patterns."""

import math

import numpy as np
import pytest
from scipy.signal import find_peaks_cwt

from diffsym.descriptors.cells import cells_of
from diffsym.descriptors.powder_noise import augmented_patterns, pattern_keys
from diffsym.errors import DiffsymError
from diffsym.experimental.peaks import (
    Peaks,
    find_peaks,
    ideal_profile_of_peaks,
    measured_to_ideal,
    noise_level,
    snip_background,
    strip_companions,
)
from diffsym.experimental.profile_fit import component_angles, decompose
from diffsym.scattering.ideal import bin_edges, bins_of, ideal_profiles
from diffsym.scattering.powder import (
    CU_K_ALPHA_DOUBLET,
    MO_K_ALPHA_DOUBLET,
    PeakShape,
    lorentz_polarisation,
    powder_pattern,
    two_theta_grid,
)
from diffsym.scattering.reflections import powder_reflections
from diffsym.scattering.types import Lines, Radiation
from diffsym.settings.augmentation import Augmentation

BINS = {"d_star_min": 0.1131, "d_star_max": 1.0625, "bins": 10_001}
EDGES = bin_edges(**BINS)
BIN = EDGES[1] - EDGES[0]
B_ISO = 2.0
STRUCTURES = 36
CU_GRID = two_theta_grid()
MO_GRID = two_theta_grid(two_theta_min=3.0, two_theta_max=45.0, two_theta_step=0.005)
# Radiation, angles, widths of the peaks that an instrument may have.
INSTRUMENTS = {
    "Cu": (CU_K_ALPHA_DOUBLET, CU_GRID, (0.02, 0.1)),
    "Mo": (MO_K_ALPHA_DOUBLET, MO_GRID, (0.01, 0.04)),
}
# Lines this far apart, in the largest widths of peaks, count as isolated; those above this share of
# the strongest peak's area as strong.
ISOLATION = 2.0
STRONG = 0.05
FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
COPPER = Radiation.of(1.5406)
THREE_LINES = Lines.of_one([0.3, 0.45, 0.7], [1.0, 2.0, 3.0])


@pytest.fixture(scope="module")
def crystals(amcsd_entries):
    """Identifiers, and lines with displacements, of structures drawn from the database."""
    drawn = np.sort(np.random.default_rng(0).permutation(amcsd_entries.num_rows)[:STRUCTURES])
    structures = amcsd_entries.take(drawn)
    lines = powder_reflections(cells_of(structures), d_star_min=0.02, d_star_max=1.12, b_iso=B_ISO)
    return structures["structure_id"].to_pylist(), lines


class Comparison:
    """Lines of a crystal and what was found in its noisy pattern."""

    def __init__(self, instrument, lines, pattern):
        radiation, grid, sigmas = INSTRUMENTS[instrument]
        first = radiation.strongest
        self.peaks = find_peaks(grid, pattern, radiation=radiation)
        d_star, intensity = lines.d_star, lines.intensity
        inside = (d_star > d_star_at(grid[0], first)) & (d_star < d_star_at(grid[-1], first))
        self.d_star, self.intensity = d_star[inside], intensity[inside]
        self.two_theta = 2 * np.degrees(np.arcsin(first * self.d_star / 2))
        self.area = self.intensity * lorentz_polarisations(self.two_theta)
        self.fwhm = FWHM_PER_SIGMA * sigmas[1]
        self.strong = self.area > STRONG * self.area.max()
        gaps = np.abs(self.two_theta[:, None] - self.two_theta)
        others = np.where((gaps > 0) & (gaps < ISOLATION * self.fwhm), self.area, 0).sum(axis=1)
        self.isolated = self.strong & (others < 0.02 * self.area)
        gaps = np.abs(self.two_theta[:, None] - self.peaks.two_theta)
        self.nearest = gaps.argmin(axis=1)
        self.found = gaps.min(axis=1) < self.fwhm / 2
        visible = gaps[self.area > 1e-3 * self.area.max()]
        self.false = int((visible.min(axis=0) > self.fwhm).sum())
        matched = self.nearest[self.isolated & self.found]
        self.shift = (
            d_star_at(self.peaks.two_theta[matched], first)
            - self.d_star[self.isolated & self.found]
        )
        self.measured = self.peaks.area[matched] / lorentz_polarisations(
            self.peaks.two_theta[matched]
        )
        self.expected = self.intensity[self.isolated & self.found]


@pytest.fixture(scope="module", params=list(INSTRUMENTS))
def comparisons(request, crystals):
    """The way round for every crystal: noise, background, widths and profiles are drawn."""
    names, lines = crystals
    radiation, grid, sigmas = INSTRUMENTS[request.param]
    patterns = augmented_patterns(
        lines,
        grid,
        keys=pattern_keys(names, seed=0, epoch=0),
        augmentation=Augmentation(sigma=sigmas, eta=(0.2, 0.8)),
        radiation=radiation,
    )
    return [Comparison(request.param, lines[row], pattern) for row, pattern in enumerate(patterns)]


def d_star_at(two_theta, wavelength):
    return 2 * np.sin(np.radians(two_theta) / 2) / wavelength


def lorentz_polarisations(two_theta):
    return np.array([lorentz_polarisation(np.sin(t), np.cos(t)) for t in np.radians(two_theta) / 2])


def test_strong_lines_are_found(comparisons):
    strong = np.concatenate([c.found[c.strong] for c in comparisons])
    isolated = np.concatenate([c.found[c.isolated] for c in comparisons])
    assert len(isolated) > 100
    assert strong.mean() > 0.98
    assert isolated.mean() > 0.99


def test_isolated_lines_are_within_a_bin(comparisons):
    shift = np.abs(np.concatenate([c.shift for c in comparisons])) / BIN
    assert np.median(shift) < 0.15
    assert (shift < 1).mean() > 0.98


def test_areas_are_intensities(comparisons):
    correlations = [
        np.corrcoef(c.measured, c.expected)[0, 1] for c in comparisons if len(c.expected) >= 5
    ]
    assert len(correlations) > STRUCTURES / 2
    assert np.median(correlations) > 0.998
    assert np.quantile(correlations, 0.1) > 0.98


def test_few_lines_are_false(comparisons):
    lines = sum(len(c.peaks.two_theta) for c in comparisons)
    assert lines > 10 * STRUCTURES
    assert sum(c.false for c in comparisons) <= 0.005 * lines


def test_profiles_are_those_of_the_reflections(crystals):
    """Lines that the pattern can separate fall into the bins of the ideal profile, or next to."""
    radiation, grid, _ = INSTRUMENTS["Cu"]
    compared = 0
    for own in map(crystals[1].__getitem__, range(STRUCTURES)):
        inside = own.d_star < d_star_at(grid[-1], radiation.strongest)
        lines = Lines.of_one(own.d_star[inside], own.intensity[inside])
        if inside.sum() > 40 or not (bins_of(lines.d_star, EDGES) >= 0).all():
            continue  # too many overlap
        pattern = powder_pattern(
            lines, grid, shape=PeakShape(w=0.05**2, eta=0.5), radiation=radiation
        )
        ideal = ideal_profiles(lines, EDGES).toarray()[0]
        measured = measured_to_ideal(grid, pattern, radiation, **BINS)
        assert measured.shape == ideal.shape
        assert measured.dtype == np.float32
        assert measured.max() == 1
        blurred, expected = (np.convolve(p, np.ones(3), "same") for p in (measured, ideal))
        assert np.corrcoef(blurred, expected)[0, 1] > 0.95
        compared += 1
    assert compared >= 5


def test_radiations_agree(crystals):
    """The same crystal with copper and molybdenum: the same lines where both see them."""
    checked = 0
    for lines in map(crystals[1].__getitem__, range(STRUCTURES)):
        if not 5 <= len(lines.d_star) <= 60:
            continue
        found = {}
        for name, (radiation, grid, _) in INSTRUMENTS.items():
            shape = PeakShape(w=0.04**2)
            pattern = powder_pattern(lines, grid, shape=shape, radiation=radiation)
            peaks = find_peaks(grid, pattern, radiation=radiation)
            position = d_star_at(peaks.two_theta, radiation.strongest)
            strength = peaks.area / lorentz_polarisations(peaks.two_theta)
            both = (position > 0.15) & (position < 0.85)
            found[name] = position[both], strength[both]
        for (position, strength), (other, other_strength) in (
            (found["Cu"], found["Mo"]),
            (found["Mo"], found["Cu"]),
        ):
            gaps = np.abs(position[:, None] - other)
            alone = np.sort(np.abs(position[:, None] - position), axis=1)[:, 1] > 0.01
            clear = (strength > 0.1 * strength.max()) & alone
            assert (gaps.min(axis=1)[clear] < BIN).all()
            ratios = strength[clear] / other_strength[gaps.argmin(axis=1)[clear]]
            np.testing.assert_allclose(ratios, np.median(ratios), rtol=0.1)
        checked += 1
        if checked == 8:
            break
    assert checked >= 3


@pytest.mark.parametrize("fwhm", [0.04, 0.1, 0.4, 1.0])
def test_a_gaussian_has_its_angle_and_area(fwhm):
    generator = np.random.default_rng(1)
    height, position = 1000.0, 37.2134
    x = (CU_GRID - position) / fwhm
    pattern = 50 + generator.normal(0, 5, len(CU_GRID)) + height * np.exp(-4 * np.log(2) * x**2)
    peaks = find_peaks(CU_GRID, pattern, radiation=COPPER)
    assert len(peaks.two_theta) == 1
    area = height * fwhm * math.sqrt(math.pi / math.log(2)) / 2
    assert peaks.two_theta[0] == pytest.approx(position, abs=0.01 * fwhm)
    assert peaks.area[0] == pytest.approx(area, rel=0.03)


def test_overlapping_lines_share_their_area():
    """Two Gaussians one width apart, of areas 2 and 1."""
    fwhm, positions, areas = 0.1, np.array([40.0, 40.1]), np.array([2.0, 1.0])
    x = (CU_GRID[:, None] - positions) / fwhm
    profiles = np.exp(-4 * np.log(2) * x**2) / fwhm * 2 * math.sqrt(math.log(2) / math.pi)
    alone = np.exp(-4 * np.log(2) * ((CU_GRID - 60) / fwhm) ** 2) * 20  # shows the width
    noise = np.random.default_rng(2).normal(0, 0.05, len(CU_GRID))
    peaks = find_peaks(CU_GRID, profiles @ areas + alone + noise, radiation=COPPER)
    np.testing.assert_allclose(peaks.two_theta[:2], positions, atol=0.005)
    np.testing.assert_allclose(peaks.area[:2], areas, rtol=0.05)


@pytest.mark.parametrize("level", [0.0, 100.0, 10_000.0])
def test_noise_has_no_lines(level):
    generator = np.random.default_rng(3)
    found = [
        len(find_peaks(CU_GRID, level + generator.normal(0, 10, len(CU_GRID))).two_theta)
        for _ in range(5)
    ]
    assert sum(found) <= 1
    with pytest.raises(DiffsymError, match="lower signal_to_noise or measure longer"):
        measured_to_ideal(CU_GRID, level + generator.normal(0, 10, len(CU_GRID)), **BINS)


def test_noise_level_of_normal_noise():
    generator = np.random.default_rng(4)
    smooth = 100 + 5 * np.sin(CU_GRID / 10)
    assert noise_level(smooth + generator.normal(0, 3, len(CU_GRID))) == pytest.approx(3, rel=0.1)


def test_background_is_clipped_below_peaks():
    background = 20 + 30 * np.exp(-CU_GRID / 20)
    peaks = sum(500 * np.exp(-((CU_GRID - c) ** 2) / 0.01) for c in (20, 20.5, 45, 71))
    clipped = snip_background(background + peaks, 17.0)
    assert np.abs(clipped - background).max() < 0.02 * 500
    assert np.median(np.abs(clipped - background)) < 0.5


@pytest.mark.parametrize(
    "radiation",
    [
        CU_K_ALPHA_DOUBLET,
        MO_K_ALPHA_DOUBLET,
        Radiation.of([(1.540593, 0.7), (1.536, 0.3)]),  # companions at lower angles
    ],
)
def test_companions_are_stripped(radiation):
    shape, first = PeakShape(w=0.06**2), Radiation.of(radiation.strongest)
    pattern = powder_pattern(THREE_LINES, CU_GRID, shape=shape, radiation=radiation)
    alone = powder_pattern(THREE_LINES, CU_GRID, shape=shape, radiation=first)
    stripped = strip_companions(CU_GRID, pattern.astype(float), radiation)
    scale = stripped @ alone / (alone @ alone)
    assert np.abs(stripped - scale * alone).max() < 0.03 * stripped.max()


def test_companions_are_no_lines_of_their_own():
    """Doublets that are well separated count once; taken for one wavelength they count twice."""
    d_star = np.array([0.9, 0.95, 1.0])
    grid = two_theta_grid(two_theta_min=80.0, two_theta_max=110.0)
    pattern = powder_pattern(
        Lines.of_one(d_star, np.ones(3)),
        grid,
        shape=PeakShape(w=0.05**2),
        radiation=CU_K_ALPHA_DOUBLET,
    )
    noisy = pattern + np.random.default_rng(5).normal(0, 0.003, len(grid))
    peaks = find_peaks(grid, noisy)
    np.testing.assert_allclose(d_star_at(peaks.two_theta, 1.540593), d_star, atol=BIN / 4)
    assert len(find_peaks(grid, noisy, radiation=Radiation.of(1.540593)).two_theta) == 6


def test_component_angles_are_braggs():
    angles = component_angles(np.array([10.0, 60.0, 175.0]), CU_K_ALPHA_DOUBLET)
    spacing = CU_K_ALPHA_DOUBLET.wavelengths[0] / (2 * np.sin(np.radians(angles[:2, 0] / 2)))
    expected = 2 * np.degrees(np.arcsin(CU_K_ALPHA_DOUBLET.wavelengths[1] / (2 * spacing)))
    np.testing.assert_allclose(angles[:2, 1], expected)
    assert angles[2, 1] == 180  # this spacing is too small for the longer wavelength


def test_decomposition_recovers_widths_and_profile():
    """Peaks whose width grows with the angle, half Lorentzian."""
    centres = np.array([20.003, 33.337, 33.45, 61.7, 80.25])
    areas = np.array([1.0, 2.0, 0.5, 1.5, 1.0])
    widths = np.exp(-2.5 + 0.3 * (2 * centres - 95) / 85)
    t = (CU_GRID[:, None] - centres) / widths
    gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * np.log(2) * t**2)
    lorentzian = 2 / math.pi / (1 + 4 * t**2)
    pattern = (gaussian + lorentzian) / 2 / widths @ areas
    fit = decompose(
        CU_GRID,
        pattern,
        np.full(len(CU_GRID), 0.01),
        COPPER,
        positions=centres + np.array([0.01, -0.01, 0.01, 0.02, -0.02]),
        fwhm=0.1,
        knots=8,
    )
    np.testing.assert_allclose(fit.two_theta, centres, atol=1e-3)
    np.testing.assert_allclose(fit.area, areas, rtol=0.05)
    np.testing.assert_allclose(fit.fwhm, widths, rtol=0.05)
    assert fit.eta == pytest.approx(0.5, abs=0.1)


def test_unequal_steps_are_interpolated():
    pattern = powder_pattern(THREE_LINES, CU_GRID, shape=PeakShape(w=0.1**2), radiation=COPPER)
    kept = np.random.default_rng(6).random(len(CU_GRID)) > 0.2
    whole = find_peaks(CU_GRID, pattern, radiation=COPPER)
    thinned = find_peaks(CU_GRID[kept], pattern[kept], radiation=COPPER)
    np.testing.assert_allclose(thinned.two_theta, whole.two_theta, atol=0.003)
    np.testing.assert_allclose(thinned.area, whole.area, rtol=0.02)


def test_equations_8_and_9():
    """One line of each radiation at d = 2 A, and two whose areas differ by the factor alone."""
    for wavelength in (0.5, 0.7093, 1.5406):
        angle = 2 * math.degrees(math.asin(wavelength / 4))
        profile = ideal_profile_of_peaks(Peaks([angle], [7.0]), Radiation.of(wavelength), **BINS)
        assert profile[bins_of([0.5], EDGES)[0]] == 1
        assert np.count_nonzero(profile) == 1
    angles = np.array([30.0, 60.0])
    theta = np.radians(angles) / 2
    factor = (1 + np.cos(2 * theta) ** 2) / (2 * np.sin(theta) ** 2 * np.cos(theta))
    profile = ideal_profile_of_peaks(Peaks(angles, [3 * factor[0], factor[1]]), COPPER, **BINS)
    np.testing.assert_allclose(profile[profile > 0], [1, 1 / 3], rtol=1e-6)


def test_lines_outside_the_range_are_left_out():
    profile = ideal_profile_of_peaks(Peaks([4.0, 30.0], [100.0, 1.0]), COPPER, **BINS)
    assert np.count_nonzero(profile) == 1
    with pytest.raises(DiffsymError, match="check the wavelength"):
        ideal_profile_of_peaks(Peaks([4.0], [100.0]), COPPER, **BINS)


def with_gap(values):
    return np.where(np.arange(len(values)) == 7, np.nan, values)


GOOD = np.ones(len(CU_GRID)) + (np.arange(len(CU_GRID)) % 97 == 0)


@pytest.mark.parametrize(
    ("angles", "values", "message"),
    [
        (CU_GRID[::-1], GOOD, "do not rise"),
        (CU_GRID, GOOD[1:], "each angle needs one intensity"),
        (CU_GRID[:50], GOOD[:50], "too few"),
        (with_gap(CU_GRID), GOOD, "not a finite number"),
        (CU_GRID, with_gap(GOOD), "not a finite number"),
        (CU_GRID - 10, GOOD, "not 2theta in degrees"),
        (CU_GRID * 100, GOOD, "not 2theta in degrees"),
        (np.radians(CU_GRID), GOOD, "Q, d or in radians"),
        (4 * np.pi * np.sin(np.radians(CU_GRID / 2)) / 1.5406, GOOD, "Q, d or in radians"),
        (np.sort(1.5406 / 2 / np.sin(np.radians(CU_GRID / 2))), GOOD, "Q, d or in radians"),
        (CU_GRID, np.ones(len(CU_GRID)), "all intensities are equal"),
        (CU_GRID, -GOOD, "none is positive"),
    ],
)
def test_bad_patterns_are_refused(angles, values, message):
    with pytest.raises(DiffsymError, match=message) as caught:
        measured_to_ideal(angles, values, **BINS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"signal_to_noise": 0}, {"profile_error": 1.0}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(DiffsymError, match="signal_to_noise must be positive"):
        find_peaks(CU_GRID, GOOD, **settings)


# Of the patterns below, minerals measured with Cu K-alpha radiation (RRUFF), all of group 230.
GARNETS = (26, 28, 43, 379, 381)


@pytest.fixture(scope="module")
def patterns(shared_dir):
    with np.load(shared_dir / "data" / "measured_xrd" / "rruff_development.npz") as stored:
        return dict(stored)


@pytest.mark.parametrize("number", GARNETS)
def test_lines_of_garnets_are_those_of_a_body_centred_cubic_lattice(patterns, number):
    """Strong lines have 1/d^2 = N / a^2, N even and one that Ia-3d allows."""
    row = int(np.flatnonzero(patterns["pattern_id"] == number)[0])
    assert patterns["space_group"][row] == 230
    peaks = find_peaks(patterns["two_theta"], patterns["intensity"][row])
    strength = peaks.area / lorentz_polarisations(peaks.two_theta)
    strong = strength > 0.05 * strength.max()
    d_star = d_star_at(peaks.two_theta[strong], CU_K_ALPHA_DOUBLET.wavelengths[0])
    assert len(d_star) >= 10
    constants = np.arange(11.2, 12.4, 0.0005)[:, None]  # A, of all garnets
    numbers = 2 * np.rint((d_star * constants) ** 2 / 2)
    deviations = np.abs(np.sqrt(numbers) / constants - d_star)
    # Samples that lie too high or too low shift lines by up to some bins.
    best = (deviations < 6 * BIN).sum(axis=1).argmax()
    indexed = deviations[best] < 6 * BIN
    assert indexed.mean() >= 0.9
    assert np.median(deviations[best]) < 3 * BIN
    allowed = {8, 14, 16, 20, 22, 24, 26, 30, 32, 38, 40, 42, 46, 48, 50, 52, 54, 56, 62, 64}
    below = numbers[best][indexed & (numbers[best] <= 64)]
    assert {int(number) for number in below} <= allowed


@pytest.mark.parametrize("number", GARNETS)
def test_more_is_found_than_by_the_bare_wavelet_transform(patterns, number):
    """`find_peaks_cwt` alone takes noise for lines."""
    row = int(np.flatnonzero(patterns["pattern_id"] == number)[0])
    bare = find_peaks_cwt(patterns["intensity"][row], np.arange(1, 11))
    found = find_peaks(patterns["two_theta"], patterns["intensity"][row])
    assert len(found.two_theta) < 60 < len(bare)
