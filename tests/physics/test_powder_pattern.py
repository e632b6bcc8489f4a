"""Rendered powder patterns against straightforward sums, textbook formulae and pymatgen."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Element, Lattice, Structure
from scipy.integrate import quad
from study import REPOSITORY

from diffsym.errors import DiffsymError
from diffsym.scattering.powder import (
    CU_K_ALPHA,
    CU_K_ALPHA_DOUBLET,
    Imperfections,
    PeakShape,
    powder_pattern,
    powder_patterns,
    two_theta_grid,
)
from diffsym.scattering.types import Lines, Radiation

CRYSTALS = json.loads((REPOSITORY / "tests" / "data" / "oracles" / "pdf_srreal.json").read_text())
MO_K_ALPHA = 0.71073
GRID = two_theta_grid()
SHAPE = PeakShape.gaussian(0.05)
FWHM_PER_SIGMA = np.sqrt(8 * np.log(2))


def reflections(n=150, seed=0):
    """Made-up reflections, some of them beyond the range, with angles to an axis."""
    generator = np.random.default_rng(seed)
    d_star = np.sort(generator.uniform(0.12, 1.0, n))
    return d_star, generator.exponential(size=n), generator.uniform(-1, 1, n)


def lorentz_polarisation(theta):
    return (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))


def straightforward(
    d_star,
    intensity,
    axis_cosine,
    *,
    radiation=CU_K_ALPHA,
    u=0.0,
    v=0.0,
    w=0.0,
    size=np.inf,
    eta=0.0,
    b_iso=0.0,
    zero_shift=0.0,
    displacement=0.0,
    march=1.0,
):
    """Sum over all lines and reflections at all angles, written down from the textbook."""
    total = np.zeros(len(GRID))
    for wavelength, weight in zip(radiation.wavelengths, radiation.weights, strict=True):
        for k, strength, cosine in zip(d_star, intensity, axis_cosine, strict=True):
            if wavelength * k / 2 >= 1:
                continue
            theta = np.arcsin(wavelength * k / 2)
            centre = np.degrees(2 * theta - 2 * displacement / 200 * np.cos(theta)) + zero_shift
            size_width = np.degrees(0.9 * wavelength / (size * np.cos(theta)))
            fwhm = np.sqrt(u * np.tan(theta) ** 2 + v * np.tan(theta) + w + size_width**2)
            sigma = fwhm / FWHM_PER_SIGMA
            x = GRID - centre
            gaussian = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
            lorentzian = (fwhm / 2) / (np.pi * (x**2 + (fwhm / 2) ** 2))
            alpha = np.arccos(cosine)
            texture = (march**2 * np.cos(alpha) ** 2 + np.sin(alpha) ** 2 / march) ** -1.5
            debye_waller = np.exp(-2 * b_iso * (np.sin(theta) / wavelength) ** 2)
            area = weight * strength * lorentz_polarisation(theta) * debye_waller * texture
            total += area * (eta * lorentzian + (1 - eta) * gaussian)
    return total / total.max()


def peak_width(pattern, grid):
    """Full width at half maximum of a lone peak."""
    above = np.flatnonzero(pattern >= 0.5)
    left, right = above[0], above[-1]
    rising = np.interp(0.5, pattern[left - 1 : left + 1], grid[left - 1 : left + 1])
    falling = np.interp(0.5, pattern[right : right + 2][::-1], grid[right : right + 2][::-1])
    return falling - rising


def lone_peak(two_theta, shape, **settings):
    """Angle of the maximum and pattern of one reflection, on a fine grid."""
    grid = two_theta_grid(
        two_theta_min=two_theta - 5, two_theta_max=two_theta + 5, two_theta_step=0.0005
    )
    d_star = 2 * np.sin(np.radians(two_theta / 2)) / CU_K_ALPHA.mean
    pattern = powder_pattern(Lines.of_one([d_star], [1.0]), grid, shape=shape, **settings)
    return grid[pattern.argmax()], pattern, grid


def test_default_grid_is_that_of_vecsei():
    assert len(GRID) == 8501
    assert GRID[0] == 5
    assert GRID[-1] == pytest.approx(90)
    assert np.diff(GRID) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("shape", "settings", "textbook"),
    [
        (SHAPE, {}, {"w": (0.05 * FWHM_PER_SIGMA) ** 2}),
        (PeakShape(w=0.02, eta=0.4), {}, {"w": 0.02, "eta": 0.4}),
        (PeakShape(w=0.02, eta=1), {}, {"w": 0.02, "eta": 1.0}),
        (PeakShape(0.05, -0.02, 0.01), {}, {"u": 0.05, "v": -0.02, "w": 0.01}),
        (PeakShape(crystallite_size=300), {}, {"size": 300}),
        (
            PeakShape(w=0.01, crystallite_size=800),
            {"b_iso": 2.0},
            {"w": 0.01, "size": 800, "b_iso": 2.0},
        ),
        (
            PeakShape(w=0.004),
            {"radiation": CU_K_ALPHA_DOUBLET},
            {"w": 0.004, "radiation": CU_K_ALPHA_DOUBLET},
        ),
        (
            PeakShape(w=0.01),
            {"imperfections": Imperfections(zero_shift=0.04, displacement=-0.1, march_ratio=0.7)},
            {"w": 0.01, "zero_shift": 0.04, "displacement": -0.1, "march": 0.7},
        ),
    ],
)
def test_sum_over_all_reflections_at_all_angles(shape, settings, textbook):
    d_star, intensity, cosine = reflections()
    expected = straightforward(d_star, intensity, cosine, **textbook)
    lines = Lines.of_one(d_star, intensity, cosine)
    exact = powder_pattern(lines, GRID, shape=shape, tolerance=1e-9, **settings)
    np.testing.assert_allclose(exact, expected, rtol=0, atol=2e-7)
    # A few tails, each below 1e-5 of the strongest peak, meet at an angle.
    usual = powder_pattern(lines, GRID, shape=shape, **settings)
    np.testing.assert_allclose(usual, expected, rtol=0, atol=4e-4 if shape.eta else 5e-5)


@pytest.mark.parametrize("name", ["TiO2_rutile", "quartz", "CaTiO3", "Fe3O4"])
def test_lorentz_polarisation_of_pymatgen(name):
    """Its intensities for copper, taken to |F|^2 and rendered for molybdenum, are its own."""
    lattice, numbers, coordinates = (
        CRYSTALS[name][key] for key in ("lattice", "atomic_numbers", "frac_coords")
    )
    crystal = Structure(Lattice(lattice), [Element.from_Z(z) for z in numbers], coordinates)
    copper = XRDCalculator(CU_K_ALPHA.mean).get_pattern(
        crystal, scaled=False, two_theta_range=(5, 90)
    )
    squared = copper.y / lorentz_polarisation(np.radians(copper.x / 2))
    molybdenum = XRDCalculator(MO_K_ALPHA).get_pattern(
        crystal, scaled=False, two_theta_range=(2, 38)
    )
    grid = two_theta_grid(two_theta_min=2, two_theta_max=38, two_theta_step=0.002)
    pattern = powder_pattern(
        Lines.of_one(1 / np.array(copper.d_hkls), squared),
        grid,
        shape=PeakShape.gaussian(0.01),
        radiation=Radiation.of(MO_K_ALPHA),
    )
    expected = np.zeros(len(grid))
    for centre, area in zip(molybdenum.x, molybdenum.y, strict=True):
        expected += area * np.exp(-(((grid - centre) / 0.01) ** 2) / 2)
    np.testing.assert_allclose(pattern, expected / expected.max(), rtol=0, atol=1e-3)


def test_second_copper_line():
    """K-alpha-2 of the silicon (111) line: 28.441 degrees for the first, 28.513 for the second."""
    grid = two_theta_grid(two_theta_min=28, two_theta_max=29, two_theta_step=0.001)
    pattern = powder_pattern(
        Lines.of_one([np.sqrt(3) / 5.43102], [1.0]),
        grid,
        shape=PeakShape.gaussian(0.005),
        radiation=CU_K_ALPHA_DOUBLET,
    )
    maxima = np.flatnonzero((pattern[1:-1] > pattern[:-2]) & (pattern[1:-1] > pattern[2:])) + 1
    np.testing.assert_allclose(grid[maxima], [28.441, 28.513], atol=0.0015)
    np.testing.assert_allclose(pattern[maxima], [1, 0.5], atol=0.01)


@pytest.mark.parametrize(
    "shape",
    [
        PeakShape.gaussian(0.02),
        PeakShape.gaussian(0.2),
        PeakShape(0.1, 0, 0.01),
        PeakShape(crystallite_size=200),
        PeakShape(0.1, 0, 0.01, eta=0.5),
    ],
)
def test_areas_do_not_depend_on_widths(shape):
    """Areas of two lone peaks are as their intensities times Lorentz-polarisation."""
    angles = np.array([30.0, 70.0])
    theta = np.radians(angles / 2)
    intensity = np.array([1.0, 3.0])
    pattern = powder_pattern(
        Lines.of_one(2 * np.sin(theta) / CU_K_ALPHA.mean, intensity),
        GRID,
        shape=shape,
        tolerance=1e-8,
    )
    halves = pattern[GRID < 50].sum(), pattern[GRID >= 50].sum()
    expected = intensity * lorentz_polarisation(theta)
    # Lorentzian tails of each reach into the other's half.
    assert halves[0] / halves[1] == pytest.approx(expected[0] / expected[1], rel=1e-2)


@pytest.mark.parametrize("two_theta", [20, 60, 85])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_caglioti_width(two_theta, eta):
    tangent = np.tan(np.radians(two_theta / 2))
    expected = np.sqrt(0.08 * tangent**2 - 0.03 * tangent + 0.02)
    _, pattern, grid = lone_peak(two_theta, PeakShape(0.08, -0.03, 0.02, eta=eta))
    assert peak_width(pattern, grid) == pytest.approx(expected, rel=1e-3)


def test_scherrer_width():
    """By hand: 0.9 * 1.54184 / (100 cos 20 degrees) = 0.014767, that is 0.8461 degrees."""
    _, pattern, grid = lone_peak(40, PeakShape(crystallite_size=100))
    assert peak_width(pattern, grid) == pytest.approx(0.8461, rel=1e-3)
    _, pattern, grid = lone_peak(40, PeakShape(crystallite_size=100, scherrer_constant=0.45))
    assert peak_width(pattern, grid) == pytest.approx(0.8461 / 2, rel=1e-3)


def test_debye_waller_factor():
    """B = 8 pi^2 U weakens |F|^2 by exp(-2 B sin^2(theta) / lambda^2)."""
    d_star, intensity, _ = reflections()
    weakened = intensity * np.exp(-2 * 1.7 * (d_star / 2) ** 2)
    np.testing.assert_array_equal(
        powder_pattern(Lines.of_one(d_star, weakened), GRID, shape=SHAPE),
        powder_pattern(Lines.of_one(d_star, intensity), GRID, shape=SHAPE, b_iso=1.7),
    )


def test_zero_shift_and_displacement():
    """By hand: 2 * 0.1 mm / 200 mm * cos 30 degrees is 0.0496 degrees; a low sample reads low."""
    angle, *_ = lone_peak(60, SHAPE, imperfections=Imperfections(zero_shift=0.03))
    assert angle == pytest.approx(60.03, abs=6e-4)
    angle, *_ = lone_peak(60, SHAPE, imperfections=Imperfections(displacement=0.1))
    assert angle == pytest.approx(60 - 0.0496, abs=6e-4)
    angle, *_ = lone_peak(
        60, SHAPE, imperfections=Imperfections(displacement=0.1, goniometer_radius=100)
    )
    assert angle == pytest.approx(60 - 0.0992, abs=6e-4)


@pytest.mark.parametrize("ratio", [0.4, 0.8, 1.5])
def test_preferred_orientation_moves_intensity_and_makes_none(ratio):
    """Over all directions the factor averages to one; plates (r < 1) strengthen their own plane."""
    angles = [30.0, 70.0]
    d_star = 2 * np.sin(np.radians(np.divide(angles, 2))) / CU_K_ALPHA.mean

    strengths = 1 / lorentz_polarisation(np.radians(np.divide(angles, 2)))

    def factor(cosine):
        """Against a reflection along the axis, whose factor is r^(-3)."""
        pattern = powder_pattern(
            Lines.of_one(d_star, strengths, [1.0, cosine]),
            GRID,
            shape=SHAPE,
            imperfections=Imperfections(march_ratio=ratio),
        )
        along, other = pattern[np.abs(GRID - 30) < 1].max(), pattern[np.abs(GRID - 70) < 1].max()
        return other / along * ratio**-3

    # Peaks fall between points of the grid: heights are exact to a few parts in a thousand.
    assert quad(factor, 0, 1, epsabs=1e-3, limit=20)[0] == pytest.approx(1, rel=1e-2)
    assert (factor(0.0) < factor(1.0)) == (ratio < 1)


def test_texture_ratio_of_one_needs_no_axis():
    d_star, intensity, cosine = reflections()
    plain = powder_pattern(Lines.of_one(d_star, intensity), GRID, shape=SHAPE)
    lines = Lines.of_one(d_star, intensity, cosine)
    same = powder_pattern(lines, GRID, shape=SHAPE, imperfections=Imperfections())
    np.testing.assert_array_equal(plain, same)


def test_reflections_may_share_d_star():
    """Parts of a reflection, in any order, are the reflection."""
    d_star, intensity, _ = reflections()
    order = np.random.default_rng(1).permutation(2 * len(d_star))
    parts = np.concatenate([0.3 * intensity, 0.7 * intensity])[order]
    lines = Lines.of_one(np.tile(d_star, 2)[order], parts)
    np.testing.assert_allclose(
        powder_pattern(lines, GRID, shape=SHAPE, tolerance=1e-8),
        powder_pattern(Lines.of_one(d_star, intensity), GRID, shape=SHAPE, tolerance=1e-8),
        rtol=0,
        atol=1e-6,
    )


def test_impurity_peaks():
    pattern = powder_pattern(
        Lines.of_one([2 * np.sin(np.radians(20)) / CU_K_ALPHA.mean], [1.0]),
        GRID,
        shape=SHAPE,
        imperfections=Imperfections(
            impurity_two_theta=[[25.0, 70.0, 80.0]], impurity_height=[[0.1, 0.03, 0.0]]
        ),
    )
    maxima = np.flatnonzero((pattern[1:-1] > pattern[:-2]) & (pattern[1:-1] > pattern[2:])) + 1
    np.testing.assert_allclose(GRID[maxima], [25, 40, 70], atol=1e-6)
    np.testing.assert_allclose(pattern[maxima], [0.1, 1, 0.03], rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [SHAPE, PeakShape(0.1, 0.1, 0.01, 500, eta=0.7)])
def test_largest_value_is_one(seed, shape):
    d_star, intensity, _ = reflections(n=40, seed=seed)
    pattern = powder_pattern(Lines.of_one(d_star, intensity), GRID, shape=shape)
    assert pattern.dtype == np.float32
    assert pattern.max() == 1
    assert pattern.min() >= 0


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_what_is_cut_off_a_peak_is_below_the_tolerance(tolerance, eta):
    shape = PeakShape(w=4e-4, eta=eta)
    _, cut, _ = lone_peak(45, shape, tolerance=tolerance)
    _, whole, _ = lone_peak(45, shape, tolerance=1e-12)
    assert 0 < np.abs(cut - whole).max() <= tolerance * (1 + 1e-3)


def test_tails_of_reflections_outside_reach_into_the_range():
    grid = two_theta_grid(two_theta_min=20, two_theta_max=30)
    d_star = 2 * np.sin(np.radians(np.array([19.9, 25.0]) / 2)) / CU_K_ALPHA.mean
    pattern = powder_pattern(Lines.of_one(d_star, [1.0, 1.0]), grid, shape=PeakShape.gaussian(0.1))
    assert pattern[0] > 0.5
    assert pattern[100] == 0


def batch(n=12):
    """Reflections of n structures behind one another."""
    parts = [reflections(n=20 + 5 * k, seed=k)[:2] for k in range(n)]
    offsets = np.concatenate([[0], np.cumsum([len(part[0]) for part in parts])])
    return Lines(*(np.concatenate([part[column] for part in parts]) for column in (0, 1)), offsets)


def test_batch_order_and_threads_do_not_matter():
    """Bit for bit: alone, together, in another order, by threads, into a given array."""
    lines = batch()
    sigma = np.linspace(0.02, 0.1, 12)

    def patterns(rows, out=None):
        shape = PeakShape.gaussian(sigma[rows])
        return powder_patterns(lines, GRID, shape=shape, rows=rows, out=out)

    alone = np.array(
        [powder_pattern(lines[k], GRID, shape=PeakShape.gaussian(sigma[k])) for k in range(12)]
    )
    order = np.random.default_rng(0).permutation(12)
    out = np.empty((12, len(GRID)), np.float32)
    assert patterns(order, out) is out
    np.testing.assert_array_equal(out, alone[order])
    with ThreadPoolExecutor(4) as pool:
        threaded = np.concatenate(list(pool.map(patterns, np.arange(12).reshape(6, 2))))
    np.testing.assert_array_equal(threaded, alone)


def test_a_stored_table_is_taken_as_it_is():
    """Single precision, read-only, as Arrow hands it over."""
    lines = batch()
    stored = [array.astype(np.float32) for array in (lines.d_star, lines.intensity)]
    for array in stored:
        array.setflags(write=False)
    np.testing.assert_allclose(
        powder_patterns(Lines(*stored, lines.offsets), GRID, shape=SHAPE),
        powder_patterns(lines, GRID, shape=SHAPE),
        rtol=0,
        atol=1e-4,
    )


def test_a_structure_without_reflections_spoils_no_other():
    lines = Lines([0.4, 5.0], [1.0, 1.0], [0, 1, 2, 2])
    patterns = powder_patterns(lines, GRID, shape=SHAPE)
    assert patterns[0].max() == 1
    assert np.isnan(patterns[1:]).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"two_theta": []}, "two_theta must hold at least two"),
        ({"two_theta": [5.0]}, "two_theta must hold at least two"),
        ({"two_theta": [30.0, 20.0, 10.0]}, "two_theta must rise in equal steps"),
        ({"two_theta": [10.0, 20.0, 40.0]}, "two_theta must rise in equal steps"),
        ({"two_theta": [10.0, np.nan, 40.0]}, "two_theta must rise in equal steps"),
        ({"two_theta": [170.0, 180.0, 190.0]}, "between 0 and 180 degrees"),
        (
            {"lines": Lines.of_one([3.0, 4.0], [1.0, 2.0])},
            "no reflection above zero intensity lies between 5 and 90",
        ),
        ({"lines": Lines.of_one([], [])}, "no reflection above zero intensity"),
        ({"lines": Lines.of_one([0.3, 0.5], [0.0, 0.0])}, "no reflection above zero intensity"),
        ({"shape": PeakShape()}, "narrower than the step"),
        ({"shape": PeakShape(0.1, -0.2, 0.05)}, "narrower than the step"),
        ({"shape": PeakShape(w=0.01, eta=1.2)}, "eta"),
        ({"shape": PeakShape(crystallite_size=0)}, "must be positive"),
        ({"shape": PeakShape(w=np.nan)}, "not a finite number"),
        ({"shape": PeakShape(w=[0.01, 0.02])}, "one for each of 1 patterns"),
        ({"b_iso": -1.0}, "b_iso"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"imperfections": Imperfections(march_ratio=0.0)}, "march_ratio must be positive"),
        ({"imperfections": Imperfections(march_ratio=0.8)}, "needs axis_cosine"),
        ({"imperfections": Imperfections(goniometer_radius=0)}, "must be positive"),
    ],
)
def test_bad_input_is_one_clear_sentence(change, sentence):
    arguments = {
        "lines": Lines.of_one([0.3, 0.5], [1.0, 2.0]),
        "two_theta": GRID,
        "shape": SHAPE,
    } | change
    with pytest.raises(DiffsymError, match=sentence):
        powder_pattern(**arguments)


@pytest.mark.parametrize("wavelength", [0.0, -1.5, [], [(1.5, 0.0)], np.nan])
def test_what_is_no_wavelength_is_refused(wavelength):
    with pytest.raises(DiffsymError, match="wavelength must be a positive number"):
        Radiation.of(wavelength)


def test_a_radiation_of_several_lines():
    radiation = Radiation.of([(1.4, 1), (1.6, 3)])
    assert (radiation.strongest, radiation.shortest) == (1.6, 1.4)
    assert radiation.mean == pytest.approx(1.55)
    assert radiation.shares.tolist() == [0.25, 0.75]
    assert radiation.by_strength().wavelengths.tolist() == [1.6, 1.4]


def test_mistakes_of_programmers_are_value_errors():
    lines = Lines.of_one([0.4], [1.0])
    with pytest.raises(ValueError, match="float32"):
        powder_patterns(lines, GRID, shape=SHAPE, out=np.empty((1, len(GRID))))
    with pytest.raises(ValueError, match=r"one d\*, one intensity"):
        Lines.of_one([0.4, 0.5], [1.0])
    with pytest.raises(ValueError, match="one weight"):
        Radiation([1.5, 1.6], [1.0])


@pytest.mark.parametrize("limits", [(90, 5, 0.01), (5, 5, 0.01), (5, 90, 0), (5, 90, -0.01)])
def test_an_empty_range_is_refused(limits):
    lowest, highest, step = limits
    with pytest.raises(DiffsymError, match="is empty"):
        two_theta_grid(two_theta_min=lowest, two_theta_max=highest, two_theta_step=step)
