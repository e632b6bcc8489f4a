"""Calibration by measured patterns whose space groups are known.

Five or six numbers are fitted to the logarithm of the probability of the right group (Nelder and
Mead 1965, Comput. J. 7, 308); the 90 % set follows from split conformal prediction (Angelopoulos
and Bates 2023, Found. Trends Mach. Learn. 16, 494) on the same patterns.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from diffsym.identification.calibration import Calibration, sums_before
from diffsym.scattering.types import Floats, Integers, Reals

COVERAGE = 0.9
"""Of the conformal set."""
RESTRAINT = 1e-3
"""Weight of the squares of the numbers in what is minimised: patterns are few."""
LEAST = 1e-12
HALF = 0.5
"""Power of the networks where the search begins, if they had no say before."""


@dataclass(frozen=True)
class Labelled:
    """Evidence for measured patterns, and what they are.

    Attributes
    ----------
    scores : (p, s)
        Of each structure for each pattern.
    space_groups, databases : (s,)
        Of the structures.
    frequencies : (230,)
        Of the groups among all known structures.
    networks : (p, 230), optional
        Mean probabilities.
    labels : (p,)
        Numbers of the right groups.
    """

    scores: Reals
    space_groups: Integers
    databases: Integers
    frequencies: Floats
    networks: Floats | None
    labels: Integers

    def take(self, rows: Integers) -> "Labelled":
        """Some of the patterns."""
        return replace(
            self,
            scores=self.scores[rows],
            networks=None if self.networks is None else self.networks[rows],
            labels=self.labels[rows],
        )

    def probabilities(self, calibration: Calibration) -> Floats:
        """Of all groups for each pattern, (p, 230)."""
        shares = np.array(
            [calibration.shares(row, self.space_groups, self.databases) for row in self.scores]
        )
        return calibration.probabilities(shares, self.frequencies, self.networks)


def fit(labelled: Labelled, fitted_on: str, start: Calibration | None = None) -> Calibration:
    """Fit the calibration.

    Parameters
    ----------
    labelled
        Patterns that are not among those that it will be judged by.
    fitted_on
        What they are, in words.
    start
        Where the search begins, and thresholds that are not fitted.
    """
    start = start or Calibration()
    with_networks = labelled.networks is not None
    best = minimize(
        lambda point: _cost(_at(point, start), labelled),
        _point(start, with_networks),
        method="Nelder-Mead",
        options={"maxfev": 1500, "xatol": 1e-2, "fatol": 1e-4},
    )
    found = replace(_at(best.x, start), fitted_on=fitted_on)
    return replace(found, cumulated=_cumulated(labelled.probabilities(found), labelled.labels))


def _point(calibration: Calibration, with_networks: bool) -> Floats:
    """The numbers that are fitted, those that are positive by their logarithms."""
    point = [
        math.log(calibration.scale),
        calibration.crowding,
        math.log(calibration.search),
        math.log10(calibration.search_floor),
        math.log(calibration.frequency),
    ]
    return np.array([*point, math.log(calibration.networks or HALF)] if with_networks else point)


def _at(point: Sequence[float], start: Calibration) -> Calibration:
    return replace(
        start,
        scale=math.exp(point[0]),
        crowding=float(point[1]),
        search=math.exp(point[2]),
        search_floor=10 ** min(point[3], 0.0),
        frequency=math.exp(point[4]),
        networks=math.exp(point[5]) if len(point) > 5 else start.networks,
    )


def _cost(calibration: Calibration, labelled: Labelled) -> float:
    probabilities = labelled.probabilities(calibration)
    right = probabilities[np.arange(len(labelled.labels)), labelled.labels - 1]
    powers = (calibration.crowding, calibration.search, calibration.networks)
    return float(-np.log(right + LEAST).mean() + RESTRAINT * sum(one**2 for one in powers))


def _cumulated(probabilities: Floats, labels: Integers) -> float:
    """Threshold of the set: its quantile over the patterns, with the correction for few of them."""
    before = np.sort(sums_before(probabilities)[np.arange(len(labels)), labels - 1])
    rank = math.ceil(COVERAGE * (len(labels) + 1)) - 1
    # Strictly above, since a group is taken whose predecessors add up to less.
    return float(np.nextafter(before[min(rank, len(before) - 1)], 2))
