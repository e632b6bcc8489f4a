"""Where the page's answers come from: the one place that knows."""

import numpy as np

from diffsym.identification.answer import Answer, NearestStructure, RankedGroup
from diffsym.identification.known import KnownStructures
from diffsym.identification.search import group_weights, prepare, search
from diffsym.identification.search_answer import CERTAIN
from diffsym.scattering.types import Floats, Integers, Radiation
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system, symbol

COVERAGE = 0.9


def answer_pattern(
    two_theta: Floats, intensity: Floats, radiation: Radiation, known: KnownStructures, top: int
) -> Answer:
    """Space groups and known structures for a pattern, by search alone.

    Parameters
    ----------
    two_theta, intensity : (m,)
        Angles, degrees, and intensities.
    radiation
        With which it was measured.
    known
        Structures to compare it with.
    top
        So many groups, and so many structures.

    Raises
    ------
    DiffsymError
        If nothing exceeds the noise.
    """
    scores = search(prepare(two_theta, intensity, radiation), known.lines)
    shares = group_weights(scores.score, known.space_groups)
    groups = np.argsort(-shares, kind="stable")
    structures = np.argsort(-scores.score, kind="stable")[:top]
    first = float(shares[groups[0]])
    return Answer(
        ranked=tuple(
            RankedGroup(int(group) + 1, symbol(int(group) + 1), float(shares[group]))
            for group in groups[:top]
        ),
        certain=first >= CERTAIN,
        certainty=first,
        reason=f"the first group has {first:.0%} of the weights of the known structures that "
        f"resemble the pattern; from {CERTAIN:.0%} it counts as certain",
        crystal_system=_system(shares),
        extinction_class=None,
        set_90=_set_of(shares, groups),
        nearest=tuple(
            NearestStructure(
                structure_id=known.structure_ids[row],
                formula=known.formulas[row],
                name=known.names[row],
                space_group=int(known.space_groups[row]),
                score=float(scores.score[row]),
                zero_shift=float(scores.zero_shift[row]),
            )
            for row in structures
        ),
    )


def _system(shares: Floats) -> str:
    """The crystal system with the largest share."""
    totals = dict.fromkeys(CRYSTAL_SYSTEMS, 0.0)
    for group, share in enumerate(shares, start=1):
        totals[crystal_system(group)] += float(share)
    return max(totals, key=lambda system: totals[system])


def _set_of(shares: Floats, order: Integers) -> tuple[int, ...]:
    """Numbers of the first groups that together have a share of `COVERAGE`."""
    count = int(np.searchsorted(np.cumsum(shares[order]), COVERAGE)) + 1
    return tuple(int(group) + 1 for group in order[:count])
