r"""From the evidence of search and networks to probabilities.

The probability of a space group g is a product of powers of the evidence for it,

.. math::
    p_g \propto (s_g + \varepsilon_s)^a \, (n_g + \varepsilon_n)^b \, (f_g + \varepsilon_f)^c,
    \qquad
    s_g \propto \sum_D (N_{gD} + 1)^{-k} \sum_{j \in g, D} e^{S_j / \sigma},

with the scores S of the structures of the group in each database D, their number N, the mean
probability n of the networks, and the frequency f of the group, averaged over the databases. A
large database of computed structures so brings its own chance hits, and drowns no other. The floors
keep one opinion from excluding a group. The numbers are fitted on measured patterns
(`diffsym.identification.fitting`, docs/predict.md) and travel with the pack.
"""

from dataclasses import dataclass

import numpy as np

from diffsym.scattering.types import Booleans, Floats, Integers, Reals

GROUPS = 230


@dataclass(frozen=True)
class Calibration:
    """How evidence becomes an answer.

    Attributes
    ----------
    scale
        Scores that differ by this much differ in weight by a factor of e.
    crowding
        k: how much a group is held back for having many structures.
    search, networks, frequency
        a, b and c: powers of the three kinds of evidence. Networks of which nobody measured what
        they add are asked, but have no say.
    search_floor, networks_floor, frequency_floor
        What is added to each.
    certain
        Least probability of a first group that can be relied on.
    least_score
        Least score of the best structure, for the same.
    explained
        Least share of the pattern at the lines of the best structure, for the same.
    score_of_rest, strongest_left
        What is left by the best structure is another phase if both are exceeded
        (`diffsym.identification.phases`).
    cumulated
        Groups are taken into the 90 % set, the likeliest first, until their probabilities add up to
        this.
    fitted_on
        On what, in words.
    """

    scale: float = 0.033
    crowding: float = 0.55
    search: float = 1.16
    networks: float = 0.0
    frequency: float = 0.21
    search_floor: float = 7e-4
    networks_floor: float = 1e-4
    frequency_floor: float = 1e-4
    certain: float = 0.9
    least_score: float = 0.6
    explained: float = 0.55
    score_of_rest: float = 0.4
    strongest_left: float = 0.1
    cumulated: float = 0.825
    fitted_on: str = "224 measured patterns of 163 minerals, without networks"

    def shares(self, scores: Reals, space_groups: Integers, databases: Integers) -> Floats:
        """Evidence of the search, (230,) shares that add up to 1.

        Parameters
        ----------
        scores : (s,)
            Of the structures.
        space_groups : (s,)
            Their numbers.
        databases : (s,)
            Number of the database of each, from 0.
        """
        weights = np.exp((scores - scores.max()) / self.scale)
        sums = by_group(space_groups, databases, weights)
        counts = by_group(space_groups, databases, np.ones(len(space_groups)))
        held_back: Floats = (sums / (counts + 1) ** self.crowding).sum(axis=0)
        return held_back / held_back.sum()

    def probabilities(
        self, shares: Floats, frequencies: Floats, networks: Floats | None = None
    ) -> Floats:
        """Probabilities of the groups.

        Parameters
        ----------
        shares, frequencies, networks : (..., 230)
            Evidence, as above; without networks they say nothing.

        Returns
        -------
        ndarray
            (..., 230), which add up to 1.
        """
        logarithm = self.search * np.log(shares + self.search_floor)
        logarithm += self.frequency * np.log(frequencies + self.frequency_floor)
        if networks is not None:
            logarithm += self.networks * np.log(networks + self.networks_floor)
        values = np.exp(logarithm - logarithm.max(axis=-1, keepdims=True))
        probabilities: Floats = values / values.sum(axis=-1, keepdims=True)
        return probabilities

    def set_of(self, probabilities: Floats) -> Booleans:
        """Which groups are in the 90 % set.

        Parameters
        ----------
        probabilities : (..., 230)

        Returns
        -------
        ndarray
            (..., 230); at least one group.
        """
        return sums_before(probabilities) < self.cumulated


def sums_before(probabilities: Floats) -> Floats:
    """Sum of the probabilities of all likelier groups, for each group, (..., 230)."""
    order = np.argsort(-probabilities, axis=-1, kind="stable")
    ordered = np.take_along_axis(probabilities, order, -1)
    sums = np.zeros(probabilities.shape)
    np.put_along_axis(sums, order, np.cumsum(ordered, axis=-1) - ordered, -1)
    return sums


def by_group(space_groups: Integers, databases: Integers, values: Floats) -> Floats:
    """Sums of values of structures over each group of each database, (databases, 230)."""
    cells = databases * (GROUPS + 1) + space_groups
    rows = int(databases.max(initial=0)) + 1
    sums = np.bincount(cells, values, minlength=rows * (GROUPS + 1)).astype(np.float64)
    return sums.reshape(rows, GROUPS + 1)[:, 1:]


def frequencies_of(space_groups: Integers, databases: Integers) -> Floats:
    """Share of each group among the structures of a database, averaged over databases, (230,)."""
    counts = by_group(space_groups, databases, np.ones(len(space_groups)))
    shares: Floats = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares
