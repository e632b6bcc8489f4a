"""What is said of a measured pattern."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from diffsym.experimental.checks import check_pattern
from diffsym.identification.calibration import Calibration, frequencies_of
from diffsym.identification.known import KnownStructures
from diffsym.identification.phases import Explained, explained
from diffsym.identification.search import (
    NothingMeasuredError,
    PreparedPattern,
    Scores,
    prepare,
    search,
)
from diffsym.scattering.types import Floats, Radiation
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, LAST_NUMBERS, mirror_image, symbol

NO_COMPANIONS = (
    "the pattern has no K-alpha-2 line, although its radiation should; none was taken off"
)
BETTER = 0.05
"""By how much more a structure of other elements has to resemble a pattern to raise a doubt."""
Network = Callable[[Floats, Floats, Radiation], Floats | None]


@dataclass(frozen=True)
class RankedGroup:
    """A space group by number and short symbol, and its calibrated probability."""

    space_group: int
    symbol: str
    probability: float


@dataclass(frozen=True)
class NearestStructure:
    """A known structure that resembles the pattern.

    Attributes
    ----------
    structure_id, formula, name
        Of the database; the name of a mineral may be None.
    space_group
        Its number.
    score
        Cosine between pattern and structure, 0 to 1 (docs/search.md).
    zero_shift
        Degrees by which the lines of the pattern lie higher.
    """

    structure_id: str
    formula: str
    name: str | None
    space_group: int
    score: float
    zero_shift: float


@dataclass(frozen=True)
class Answer:
    """Space groups and structures for a pattern, the likeliest first.

    Attributes
    ----------
    ranked
        Space groups; none if the pattern has no line.
    certain
        Whether the first group can be relied on.
    certainty
        Calibrated probability that the first group is right, 0 to 1; that of its mirror image,
        which has the same powder pattern, is added.
    reason
        Why it is certain, or why it is not: a sentence.
    crystal_system
        The likeliest, from the probabilities of all groups; None without a line.
    extinction_class
        Extinction symbol by indexing; None where that abstains or was not asked for.
    set_90
        Numbers of the space groups that hold the right one in 90 % of all cases, the likeliest
        first.
    agreement
        Share of the networks whose first group is that of the answer; None without networks.
    nearest
        Known structures.
    repairs
        A sentence for each thing that was put right.
    """

    ranked: tuple[RankedGroup, ...]
    certain: bool
    certainty: float
    reason: str
    crystal_system: str | None
    extinction_class: str | None
    set_90: tuple[int, ...]
    agreement: float | None
    nearest: tuple[NearestStructure, ...]
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What patterns are answered with.

    Attributes
    ----------
    name
        Where it comes from.
    known
        Structures.
    calibration
        How evidence becomes an answer.
    networks
        Each gives the probabilities (230,) of groups 1 to 230 for the angles, intensities and
        radiation of a pattern, or None where it cannot use the pattern.
    everything
        All structures, where only those of some elements are searched.
    """

    name: str
    known: KnownStructures
    calibration: Calibration = field(default_factory=Calibration)
    networks: tuple[Network, ...] = ()
    everything: KnownStructures | None = None

    @property
    def frequencies(self) -> Floats:
        """Share of each group among all known structures, (230,)."""
        known = self.everything or self.known
        return frequencies_of(known.space_groups, known.databases)

    def of_elements(self, elements: Collection[str]) -> "Evidence":
        """The same with structures of these elements alone; DiffsymError if there are none."""
        everything = self.everything or self.known
        return replace(self, known=everything.of_elements(elements), everything=everything)


def answer_pattern(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    radiation: Radiation,
    evidence: Evidence,
    *,
    top: int = 6,
    repairs: tuple[str, ...] = (),
) -> Answer:
    """Answer a measured powder pattern.

    Parameters
    ----------
    two_theta, intensity : (n,)
        Rising angles, degrees, and intensities in any unit.
    radiation
        Of the measurement.
    evidence
        What it is answered with.
    top
        So many groups, and so many structures.
    repairs
        What was put right on reading.

    Raises
    ------
    DiffsymError
        If the numbers are no powder pattern.
    """
    angles = np.asarray(two_theta, dtype=np.float64)
    heights = np.asarray(intensity, dtype=np.float64)
    check_pattern(angles, heights, radiation)
    try:
        pattern = prepare(angles, heights, radiation)
    except NothingMeasuredError as error:
        return _nothing(str(error), repairs)
    known, calibration = evidence.known, evidence.calibration
    scores = search(pattern, known.lines)
    members = [
        given
        for network in evidence.networks
        if (given := network(angles, heights, radiation)) is not None
    ]
    probabilities = calibration.probabilities(
        calibration.shares(scores.score, known.space_groups, known.databases),
        evidence.frequencies,
        np.mean(members, axis=0) if members else None,
    )
    order = np.argsort(-probabilities, kind="stable")
    best = int(scores.score.argmax())
    found = explained(pattern, known.lines, best, float(scores.zero_shift[best]))
    first, image = int(order[0]) + 1, mirror_image(int(order[0]) + 1)
    certainty = float(probabilities[first - 1] + (probabilities[image - 1] if image else 0.0))
    doubt = _doubt(certainty, float(scores.score[best]), found, calibration)
    if doubt is None and evidence.everything is not None:
        doubt = _better(pattern, evidence.everything, float(scores.score[best]))
    return Answer(
        ranked=tuple(
            RankedGroup(int(row) + 1, symbol(int(row) + 1), float(probabilities[row]))
            for row in order[:top]
        ),
        certain=doubt is None,
        certainty=certainty,
        reason=(
            doubt
            or f"the first group has a probability of {certainty:.1%}, and one known structure "
            f"explains {found.share:.1%} of the pattern"
        )
        + (f"; its mirror image {symbol(image)} has the same pattern" if image else ""),
        crystal_system=_likeliest_system(probabilities),
        extinction_class=None,
        set_90=tuple(int(row) + 1 for row in order if calibration.set_of(probabilities)[row]),
        agreement=(
            float(np.mean([one.argmax() == order[0] for one in members])) if members else None
        ),
        nearest=nearest_structures(scores, known, top),
        repairs=(*repairs, *([NO_COMPANIONS] if pattern.companions_missing else [])),
    )


def _nothing(reason: str, repairs: tuple[str, ...]) -> Answer:
    """The answer to a pattern without a line."""
    return Answer(
        ranked=(),
        certain=False,
        certainty=0.0,
        reason=reason,
        crystal_system=None,
        extinction_class=None,
        set_90=tuple(range(1, 231)),
        agreement=None,
        nearest=(),
        repairs=repairs,
    )


def _doubt(
    certainty: float, score: float, found: Explained, calibration: Calibration
) -> str | None:
    """Why the first group cannot be relied on; None if it can."""
    if certainty < calibration.certain:
        return (
            f"the first group has a probability of {certainty:.1%}, below {calibration.certain:.0%}"
        )
    if score < calibration.least_score:
        return (
            "no known structure resembles the pattern enough: the best score is "
            f"{score:.2f}, below {calibration.least_score:.2f}"
        )
    if found.share < calibration.explained:
        return (
            f"the best structure explains {max(found.share, 0):.1%} of the pattern, less than "
            f"{calibration.explained:.0%}"
        )
    if found.leaves_another(calibration):
        return (
            "another structure agrees with lines that the best one leaves: the sample may be a "
            "mixture"
        )
    return None


def _better(pattern: PreparedPattern, everything: KnownStructures, score: float) -> str | None:
    """Why the elements may be wrong: a structure of others resembles the pattern more."""
    scores = search(pattern, everything.lines).score
    best = int(scores.argmax())
    if scores[best] <= score + BETTER:
        return None
    return (
        f"{everything.formulas[best]} ({everything.structure_ids[best]}), which is not of these "
        f"elements, resembles the pattern more: {scores[best]:.2f} against {score:.2f}"
    )


def _likeliest_system(probabilities: Floats) -> str:
    """Crystal system with the largest sum of probabilities of its groups."""
    firsts = [0, *LAST_NUMBERS[:-1]]
    return CRYSTAL_SYSTEMS[int(np.add.reduceat(probabilities, firsts).argmax())]


def nearest_structures(
    scores: Scores, known: KnownStructures, top: int
) -> tuple[NearestStructure, ...]:
    """The structures with the best scores, the best first."""
    return tuple(
        NearestStructure(
            structure_id=known.structure_ids[row],
            formula=known.formulas[row],
            name=known.names[row],
            space_group=int(known.space_groups[row]),
            score=float(scores.score[row]),
            zero_shift=float(scores.zero_shift[row]),
        )
        for row in np.argsort(-scores.score, kind="stable")[:top]
    )
