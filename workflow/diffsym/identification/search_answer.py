"""What the search says of a measured pattern."""

from dataclasses import dataclass

import numpy as np

from diffsym.identification.answer import NearestStructure, nearest_structures
from diffsym.identification.known import KnownStructures
from diffsym.identification.search import PreparedPattern, group_weights, search
from diffsym.structures.space_groups import symbol

CERTAIN = 0.9
"""Share of the first group from which an answer counts as certain (docs/search.md)."""


@dataclass(frozen=True)
class RankedGroup:
    """A space group, by number and short symbol, and its share of all weights."""

    space_group: int
    symbol: str
    share: float


@dataclass(frozen=True)
class SearchAnswer:
    """Space groups and structures, the likeliest first.

    Attributes
    ----------
    certain
        Whether the first group's share reaches `CERTAIN`.
    ranked, nearest
        Groups and structures.
    """

    certain: bool
    ranked: tuple[RankedGroup, ...]
    nearest: tuple[NearestStructure, ...]


def answer(pattern: PreparedPattern, known: KnownStructures, top: int = 6) -> SearchAnswer:
    """Search for a pattern among known structures.

    Parameters
    ----------
    pattern
        From `prepare`.
    known
        Structures to compare it with.
    top
        So many groups, and so many structures.
    """
    scores = search(pattern, known.lines)
    shares = group_weights(scores.score, known.space_groups)
    groups = np.argsort(-shares, kind="stable")[:top]
    return SearchAnswer(
        certain=bool(shares[groups[0]] >= CERTAIN),
        ranked=tuple(
            RankedGroup(
                space_group=int(group) + 1,
                symbol=symbol(int(group) + 1),
                share=float(shares[group]),
            )
            for group in groups
        ),
        nearest=nearest_structures(scores, known, top),
    )
