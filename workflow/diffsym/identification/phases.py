"""Whether one known structure explains a pattern, or something is left for another phase.

A mixture may resemble one of its phases so well that the search alone is certain. Two numbers tell:
how much of the pattern lies at lines of the best structure, and how well what is left agrees with
any other structure.
"""

from dataclasses import dataclass

import numpy as np

from diffsym.identification.calibration import Calibration
from diffsym.identification.search import KnownLines, PreparedPattern, compared, remainder, search
from diffsym.scattering.types import Booleans, Floats

REACH = 0.25
"""Degrees up to which a line explains what was measured."""
FAINTEST_LINE = 2e-3
"""Weaker lines, as a share of the structure's strongest one, explain nothing."""


@dataclass(frozen=True)
class Explained:
    """What a structure leaves of a pattern.

    Attributes
    ----------
    share
        Of the squares of the compared pattern that lie at lines of the structure, beyond what
        lines at random places would reach: 1 for all, about 0 for chance.
    strongest_left
        Height of the strongest peak elsewhere, as a share of the strongest of all.
    score_of_rest
        Best score of any structure for what is left; 0 if nothing is.
    """

    share: float
    strongest_left: float
    score_of_rest: float

    def is_all(self, calibration: Calibration) -> bool:
        """Whether the structure explains the pattern, and nothing is left for another phase."""
        return self.share >= calibration.explained and not self.leaves_another(calibration)

    def leaves_another(self, calibration: Calibration) -> bool:
        """Whether what is left looks like another phase."""
        return (
            self.score_of_rest > calibration.score_of_rest
            and self.strongest_left > calibration.strongest_left
        )


def explained(
    pattern: PreparedPattern, known: KnownLines, structure: int, zero_shift: float
) -> Explained:
    """How much of a pattern a structure explains.

    Parameters
    ----------
    pattern
        From `prepare`.
    known
        Lines of all structures.
    structure
        Number of the one in question.
    zero_shift
        By which its lines lie lower, degrees.
    """
    near = near_lines(pattern.angles, lines_at(pattern, known, structure) + zero_shift)
    squares = compared(pattern.heights) ** 2
    reached, chance = squares[near].sum() / squares.sum(), near.mean()
    left = np.where(near, 0.0, pattern.heights)
    rest = search(remainder(pattern, ~near), known).score.max() if left.any() else 0.0
    return Explained(
        share=float((reached - chance) / (1 - chance)) if chance < 1 else 0.0,
        strongest_left=float(left.max() / pattern.heights.max()),
        score_of_rest=float(rest),
    )


def lines_at(pattern: PreparedPattern, known: KnownLines, structure: int) -> Floats:
    """Angles of the lines of a structure that are not faint, degrees, (l,)."""
    own = slice(known.offsets[structure], known.offsets[structure + 1])
    places = known.places[own]
    inside = places < len(pattern.weight)
    places = places[inside]
    heights = known.intensity[own][inside] * pattern.weight[places]
    if not len(heights):
        return np.zeros(0)
    return pattern.two_theta[places[heights > FAINTEST_LINE * heights.max()]].astype(np.float64)


def near_lines(angles: Floats, lines: Floats) -> Booleans:
    """Which angles lie within `REACH` of a line, (n,)."""
    ordered = np.sort(lines)
    if not len(ordered):
        return np.zeros(len(angles), dtype=bool)
    after = np.searchsorted(ordered, angles)
    distances = [
        np.abs(angles - ordered[np.clip(after + step, 0, len(ordered) - 1)]) for step in (-1, 0)
    ]
    near: Booleans = np.minimum(*distances) <= REACH
    return near
