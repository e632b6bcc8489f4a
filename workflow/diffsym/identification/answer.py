"""What is said of a measured pattern."""

from dataclasses import dataclass


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
        Space groups.
    certain
        Whether the first group can be relied on.
    certainty
        Calibrated probability that the first group is right, 0 to 1.
    reason
        Why it is certain, or why it is not: a sentence.
    crystal_system
        The likeliest, from the probabilities of all groups.
    extinction_class
        Extinction symbol by indexing; None where that abstains or was not asked for.
    set_90
        Numbers of the space groups that hold the right one in 90 % of all cases.
    nearest
        Known structures.
    repairs
        A sentence for each thing that was put right.
    """

    ranked: tuple[RankedGroup, ...]
    certain: bool
    certainty: float
    reason: str
    crystal_system: str
    extinction_class: str | None
    set_90: tuple[int, ...]
    nearest: tuple[NearestStructure, ...]
    repairs: tuple[str, ...] = ()
