"""A measured pattern finds its structure among known ones."""

import math

import numpy as np
import pyarrow as pa
import pytest

from diffsym.descriptors.reflections import compute
from diffsym.errors import DiffsymError
from diffsym.identification import search as module
from diffsym.identification.preparation import prepared_stages
from diffsym.identification.search import group_weights, known_lines, prepare, search
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines, Radiation
from diffsym.settings.reflections import Reflections

ANGLES = np.arange(10.0, 90.0, 0.02)
MOLYBDENUM = Radiation.of([(0.709317, 2 / 3), (0.713607, 1 / 3)])


@pytest.fixture(scope="module")
def reflections(amcsd_entries):
    return compute(amcsd_entries, Reflections(d_star_min=0.05, d_star_max=1.9))


@pytest.fixture(scope="module")
def known(reflections):
    return known_lines(reflections)


def lines_of(reflections, row):
    """Lines of one structure."""
    return Lines.of_one(
        reflections["d_star"][row].values.to_numpy(),
        reflections["intensity"][row].values.to_numpy().astype(float),
    )


def measured(reflections, row, radiation=CU_K_ALPHA_DOUBLET, angles=ANGLES, zero_shift=0.0):
    """A noisy pattern of a structure on a background, by the renderer of the descriptors."""
    pattern = powder_pattern(
        lines_of(reflections, row),
        angles - zero_shift,
        radiation=radiation,
        shape=PeakShape.gaussian(0.05),
        b_iso=0.5,
    )
    counts = 3000 * pattern / pattern.max() + 60 + 200 * np.exp(-angles / 20)
    return np.random.default_rng(row).poisson(counts).astype(float)


@pytest.mark.parametrize("row", [0, 40, 90, 140, 200])
@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_a_structure_is_found_by_its_pattern(reflections, known, row, shift):
    found = search(
        prepare(ANGLES, measured(reflections, row, zero_shift=shift), CU_K_ALPHA_DOUBLET), known
    )
    best = found.score[row]
    assert best > 0.75
    # Other measurements of the same mineral agree as well.
    assert (found.score > best + 0.01).sum() == 0
    assert found.zero_shift[row] == pytest.approx(shift, abs=0.051)


def test_the_wavelength_does_not_matter(reflections, known):
    for row in (10, 60, 120):
        copper = prepare(ANGLES, measured(reflections, row), CU_K_ALPHA_DOUBLET)
        angles = np.arange(4.0, 45.0, 0.01)
        other = prepare(angles, measured(reflections, row, MOLYBDENUM, angles), MOLYBDENUM)
        scores = [search(pattern, known).score for pattern in (copper, other)]
        assert min(score[row] for score in scores) > 0.75
        assert max(score.max() - score[row] for score in scores) < 0.02


def test_scores_are_cosines_with_rendered_patterns(reflections, known):
    angles = np.arange(10.0, 90.0, 0.01)
    radiation = Radiation.of(1.5406)
    counts = measured(reflections, 30, radiation, angles)
    found = search(prepare(angles, counts, radiation), known)
    measured_side = prepared_stages(angles, counts, radiation).heights ** module.POWER
    for row in range(0, len(known), 23):
        best = max(
            cosine(measured_side, rendered(lines_of(reflections, row), angles - shift))
            for shift in module.ZERO_SHIFTS
        )
        assert found.score[row] == pytest.approx(best, abs=0.02)


def rendered(lines, angles):
    """Written out: lines closer than SIGMA are one, and each is a Gaussian of height I^p."""
    theta = np.arcsin(np.minimum(lines.d_star * 1.5406 / 2, 1))
    x = 2 * np.degrees(theta)
    heights = (
        lines.intensity
        * np.exp(-module.B_ISO / 2 * lines.d_star**2)
        * (1 + np.cos(2 * theta) ** 2)
        / (np.sin(theta) ** 2 * np.cos(theta))
    )
    inside = (x >= 10) & (x < 90) & (heights > 0)
    groups: list[list[tuple[float, float]]] = []
    for place, height in zip(x[inside], heights[inside], strict=True):
        if not groups or place - groups[-1][0][0] > module.SIGMA:
            groups.append([])
        groups[-1].append((place, height))
    pattern = np.zeros(len(angles))
    for group in groups:
        total = sum(height for _, height in group)
        centre = sum(place * height for place, height in group) / total
        pattern += total**module.POWER * np.exp(-0.5 * ((angles - centre) / module.SIGMA) ** 2)
    return pattern


def cosine(one, other):
    return one @ other / max(math.sqrt((one @ one) * (other @ other)), 1e-300)


def test_lines_in_gaps_do_not_count(reflections, known):
    whole = measured(reflections, 50)
    kept = (ANGLES < 35) | (ANGLES > 45)
    score = search(prepare(ANGLES[kept], whole[kept], CU_K_ALPHA_DOUBLET), known).score
    assert score[50] > 0.75
    assert score.argmax() in np.flatnonzero(score > score[50] - 0.01)


def test_a_structure_without_lines_has_no_score(reflections):
    empty = {
        "structure_id": ["x:1", "x:2"],
        "d_star": [[], [3.9]],
        "intensity": [[], [1.0]],
    }
    nothing = pa.table(empty, schema=pa.schema([reflections.schema.field(n) for n in empty]))
    pattern = prepare(ANGLES, measured(reflections, 0), CU_K_ALPHA_DOUBLET)
    found = search(pattern, known_lines(nothing))
    assert found.score.tolist() == [0, 0]
    assert found.zero_shift.tolist() == [0, 0]


def test_noise_alone_is_no_pattern():
    counts = np.random.default_rng(0).poisson(100, len(ANGLES)).astype(float)
    with pytest.raises(DiffsymError, match="nothing exceeds the noise"):
        prepare(ANGLES, counts, CU_K_ALPHA_DOUBLET)


def test_weights_of_groups():
    weights = group_weights(np.array([0.8, 0.5, 0.8, 0.1]), np.array([225, 62, 225, 2]))
    assert weights.shape == (230,)
    assert weights.sum() == pytest.approx(1)
    assert weights.argmax() == 224
    assert weights[61] == pytest.approx(weights[224] / 2 * math.exp(-0.3 / module.SCORE_SCALE))
