"""Answers to measured patterns: certain where they should be, and nowhere else."""

import itertools

import numpy as np
import pytest

import diffsym
from diffsym.errors import DiffsymError
from diffsym.identification.answer import NO_COMPANIONS, Evidence, answer_pattern
from diffsym.identification.calibration import GROUPS, Calibration
from diffsym.identification.known import read_known
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines, Radiation
from diffsym.structures.space_groups import crystal_system, symbol
from diffsym.study.layout import Layout
from diffsym.tables import REFLECTIONS, read_table

ANGLES = np.arange(10.0, 90.0, 0.02)


@pytest.fixture(scope="module")
def evidence(tiny_study):
    return Evidence("tiny", read_known(tiny_study.results))


@pytest.fixture(scope="module")
def curves(tiny_study):
    """Patterns without noise of the study's first structures, the strongest peak 1."""
    lines = read_table(Layout(str(tiny_study.results)).reflections(0), REFLECTIONS)
    found = []
    for row in range(12):
        curve = powder_pattern(
            Lines.of_one(
                lines["d_star"][row].values.to_numpy(),
                lines["intensity"][row].values.to_numpy().astype(float),
            ),
            ANGLES,
            radiation=CU_K_ALPHA_DOUBLET,
            shape=PeakShape.gaussian(0.05),
        )
        found.append(curve / curve.max())
    return np.array(found)


def counted(curve, seed=0):
    return np.random.default_rng(seed).poisson(20000 * curve + 60).astype(float)


def ask(intensity, evidence, **options):
    return answer_pattern(ANGLES, intensity, CU_K_ALPHA_DOUBLET, evidence, **options)


def test_a_known_structure_is_named(curves, evidence):
    answer = ask(counted(curves[2]), evidence)
    row = evidence.known.structure_ids.index(answer.nearest[0].structure_id)
    assert row == 2
    assert answer.ranked[0].space_group == evidence.known.space_groups[2]
    assert answer.ranked[0].symbol == symbol(answer.ranked[0].space_group)
    assert answer.crystal_system == crystal_system(answer.ranked[0].space_group)
    assert answer.certain
    assert answer.certainty == answer.ranked[0].probability > 0.9
    assert answer.set_90[0] == answer.ranked[0].space_group
    assert answer.agreement is None
    assert answer.extinction_class is None


def test_probabilities_fall_and_add_up_to_one(curves, evidence):
    answer = ask(counted(curves[4]), evidence, top=GROUPS)
    probabilities = [one.probability for one in answer.ranked]
    assert len(probabilities) == GROUPS
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    assert len({one.space_group for one in answer.ranked}) == GROUPS
    scores = [one.score for one in answer.nearest]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_is_no_crystal(evidence, seed):
    answer = ask(np.random.default_rng(seed).poisson(100, len(ANGLES)).astype(float), evidence)
    assert not answer.certain
    assert answer.ranked == answer.nearest == ()
    assert answer.crystal_system is None
    assert len(answer.set_90) == GROUPS
    assert "noise" in answer.reason


@pytest.mark.parametrize(
    "intensity",
    [
        100 + 2 * ANGLES,
        np.random.default_rng(0).poisson(3000 / ANGLES).astype(float),
        np.random.default_rng(0).poisson(100 + 3000 * np.exp(-(((ANGLES - 25) / 6) ** 2))),
        100 + 3000 * np.exp(-(((ANGLES - 25) / 6) ** 2)),
        np.random.default_rng(0).poisson(100 + 3000 * np.exp(-(((ANGLES - 35) / 0.1) ** 2))),
    ],
    ids=["line", "falling", "halo", "smooth halo", "one peak"],
)
def test_what_is_no_pattern_of_a_crystal_is_not_certain(evidence, intensity):
    answer = ask(intensity.astype(float), evidence)
    assert not answer.certain
    assert answer.certainty < 0.9


def test_a_mixture_is_not_certain(curves, evidence):
    """Each of two structures explains its own lines, and leaves those of the other."""
    single = [row for row in range(12) if ask(counted(curves[row]), evidence).certain]
    assert len(single) >= 6
    mixtures = [
        ask(counted(curves[one] / 2 + curves[other] / 2), evidence)
        for one, other in itertools.pairwise(single)
    ]
    uncertain = [one for one in mixtures if not one.certain]
    assert len(uncertain) >= 0.8 * len(mixtures)
    assert any("mixture" in one.reason or "explains" in one.reason for one in uncertain)


def test_a_second_line_that_is_not_there_is_not_taken_off(tiny_study, evidence):
    """Behind a monochromator, whatever the file says of the tube."""
    lines = read_table(Layout(str(tiny_study.results)).reflections(0), REFLECTIONS)
    first = Radiation.of(CU_K_ALPHA_DOUBLET.wavelengths[0])
    patterns = [
        powder_pattern(
            Lines.of_one(
                lines["d_star"][2].values.to_numpy(),
                lines["intensity"][2].values.to_numpy().astype(float),
            ),
            ANGLES,
            radiation=radiation,
            shape=PeakShape.gaussian(0.03),
        )
        for radiation in (first, CU_K_ALPHA_DOUBLET)
    ]
    alone, both = (ask(counted(curve / curve.max()), evidence) for curve in patterns)
    assert alone.repairs == (NO_COMPANIONS,)
    assert both.repairs == ()
    assert alone.nearest[0].structure_id == both.nearest[0].structure_id
    assert alone.nearest[0].score == pytest.approx(both.nearest[0].score, abs=0.05)


def test_networks_are_asked_and_their_agreement_told(curves, evidence):
    right = int(evidence.known.space_groups[2])

    def knowing(*_):
        return np.eye(GROUPS)[right - 1]

    def contrary(*_):
        return np.eye(GROUPS)[(right + 3) % GROUPS]

    def unable(*_):
        return None

    networks = (knowing, contrary, unable)
    with_networks = Evidence("tiny", evidence.known, networks=networks)
    answer = ask(counted(curves[2]), with_networks)
    assert answer.agreement == 0.5
    assert answer.ranked[0].space_group == right
    alone = Evidence("tiny", evidence.known, networks=(unable,))
    assert ask(counted(curves[2]), alone).agreement is None
    # A network alone decides where the search has no opinion.
    indifferent = Calibration(search=0.0, frequency=0.0, networks=1.0)
    decided = ask(counted(curves[2]), Evidence("t", evidence.known, indifferent, (contrary,)))
    assert decided.ranked[0].space_group == (right + 3) % GROUPS + 1


def test_elements_leave_others_out(curves, evidence):
    own = set(np.array(evidence.known.formulas)[[2]])
    elements = [
        part for formula in own for part in __import__("re").findall("[A-Z][a-z]?", formula)
    ]
    narrowed = evidence.of_elements(elements)
    assert 0 < len(narrowed.known.formulas) < len(evidence.known.formulas)
    assert len(narrowed.known.lines) == len(narrowed.known.formulas)
    answer = ask(counted(curves[2]), narrowed)
    assert answer.nearest[0].structure_id == evidence.known.structure_ids[2]
    whole = ask(counted(curves[2]), evidence).nearest[0]
    assert answer.nearest[0].score == pytest.approx(whole.score, abs=1e-6)
    with pytest.raises(DiffsymError, match="no known structure is of Xe alone"):
        evidence.of_elements(["Xe"])


def test_from_python(tiny_study, curves):
    answer = diffsym.predict(
        ANGLES, counted(curves[2]), wavelength="CuKa", pack=tiny_study.results, top=2
    )
    assert answer.certain
    assert len(answer.ranked) == len(answer.nearest) == 2
    same = diffsym.predict(
        list(ANGLES),
        list(counted(curves[2])),
        wavelength=[(1.540593, 2.0), (1.544427, 1.0)],
        pack=str(tiny_study.results),
        top=2,
    )
    assert same.ranked[0].space_group == answer.ranked[0].space_group
    for wavelength in ("copper", True, (1.5406, 1.5444, 1.6), {}, -1.0, [(1.54, 0.0)], None):
        with pytest.raises(DiffsymError, match="wavelength"):
            diffsym.predict(
                ANGLES, counted(curves[2]), wavelength=wavelength, pack=tiny_study.results
            )
    for angles in (["a"] * 4000, ANGLES.reshape(2, -1), ANGLES + 1j, None):
        with pytest.raises(DiffsymError, match="two_theta: give one column"):
            diffsym.predict(angles, ANGLES, wavelength=1.54, pack=tiny_study.results)
