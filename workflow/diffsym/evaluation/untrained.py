"""Recognition of space groups that a network was not trained for.

Tiong et al. (2020), "Score function for testing an untrained space". Structures of such groups are
divided into a reference half and a test half. The network's features of a test structure P, what
its output layer sees, are compared with those of each group i, stream by stream (equation 5):

    score(P, V_i) = sum over the members and their streams s of cos(P_s, V_i,s)

and the group with the highest score is the answer. (Equation 6 of the paper takes the maximum of
the sum of 1 - cos, which it calls a distance; the farthest group cannot be meant.) The paper does
not say what V_i is made of a group's reference structures. Two readings are computed:

- `mean`: the mean of their features, each scaled to the length 1;
- `nearest`: the features of the reference structure with the highest score.

The images themselves in the place of the features say how much of the result a network is needed
for.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.evaluation.bootstrap import with_intervals
from diffsym.evaluation.ranks import label_frequency_ranks, top_k_accuracies, true_class_rank

READINGS = ("mean", "nearest")
ANSWERS = 5
"""Accuracies A_1 ... A_5 are computed, as many as the paper shows (Fig. 3f)."""


class Halves(NamedTuple):
    """Structures of untrained groups, divided.

    Attributes
    ----------
    groups
        Space-group numbers that both halves have structures of, rising.
    labels : (n,)
        Index of each structure's group in `groups`, -1 for structures of other groups.
    is_reference : (n,)
        Whether a structure belongs to the reference half.
    left_out
        Number of structures of each group that one half has none of, by space-group number.
    """

    groups: list[int]
    labels: NDArray[np.int64]
    is_reference: NDArray[np.bool_]
    left_out: dict[int, int]

    def rows(self, *, reference: bool) -> NDArray[np.int64]:
        """Structures of a half, in their order."""
        return np.flatnonzero((self.is_reference == reference) & (self.labels >= 0))


def divide(space_groups: NDArray[np.integer], keys: Sequence[str], *, seed: int) -> Halves:
    """Draw a reference half and a test half within each space group.

    Structures with the same key come to the same half. Keys are visited in random order, those with
    the most structures first, and each joins the half that its groups have fewer structures in; at
    equal numbers it is a reference. If each structure has a key of its own, the halves of a group
    differ by one structure at most.

    Parameters
    ----------
    space_groups
        Number of each structure's group, (n,).
    keys
        What may not stand on two sides: `group` of the split table, length n.
    seed
        Seed of the draw.

    Raises
    ------
    DiffsymError
        If fewer than two groups have structures in both halves.
    """
    numbers, codes = np.unique(space_groups, return_inverse=True)
    _, key_of = np.unique(np.asarray(keys), return_inverse=True)
    sizes = np.bincount(key_of)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(sizes))
    rows_of_key = np.split(np.argsort(key_of, kind="stable"), np.cumsum(sizes)[:-1])
    surplus = np.zeros(len(numbers), np.int64)
    is_reference = np.zeros(len(codes), bool)
    for key in order[np.argsort(-sizes[order], kind="stable")]:
        rows = rows_of_key[key]
        joins_references = surplus[codes[rows]].sum() <= 0
        is_reference[rows] = joins_references
        np.add.at(surplus, codes[rows], 1 if joins_references else -1)
    counts = np.bincount(codes)
    references = np.bincount(codes[is_reference], minlength=len(numbers))
    in_both = (references > 0) & (references < counts)
    if in_both.sum() < 2:
        raise DiffsymError(
            f"{in_both.sum()} of the {len(numbers)} untrained groups have two structures that can "
            "be told apart, but recognition needs two groups; name a larger class set in the "
            "experiment's key untrained or use more structures"
        )
    return Halves(
        groups=numbers[in_both].tolist(),
        labels=np.where(in_both, np.cumsum(in_both) - 1, -1)[codes],
        is_reference=is_reference,
        left_out=dict(zip(numbers[~in_both].tolist(), counts[~in_both].tolist(), strict=True)),
    )


def scores(members: Iterable[NDArray[np.floating]], halves: Halves) -> dict[str, NDArray]:
    """Scores of all groups for each test structure by both readings of V_i.

    Parameters
    ----------
    members
        Features of the structures by each member of an ensemble, (n, streams, n_features); taken
        one after the other.
    halves
        The division of the structures.

    Returns
    -------
    dict
        Name of the reading -> (n_test, n_groups).
    """
    references, tests = halves.rows(reference=True), halves.rows(reference=False)
    labels = halves.labels[references]
    membership = np.eye(len(halves.groups))[:, labels]
    of_means = np.zeros((len(tests), len(halves.groups)))
    of_pairs = np.zeros((len(tests), len(references)))
    for features in members:
        for stream in features.swapaxes(0, 1):
            directions = _directions(stream)
            means = _directions(membership @ directions[references])
            of_means += directions[tests] @ means.T
            of_pairs += directions[tests] @ directions[references].T
    of_nearest = [of_pairs[:, labels == label].max(axis=1) for label in range(len(halves.groups))]
    return {"mean": of_means, "nearest": np.stack(of_nearest, axis=1)}


def _directions(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows scaled to the length 1; rows of zeros stay, and are similar to nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def untrained_groups(groups: Sequence[int], trained: Sequence[int]) -> list[int]:
    """Space groups of a class set that are none of the classes of a network.

    Raises
    ------
    DiffsymError
        If there are fewer than two.
    """
    others = sorted(set(groups) - set(trained))
    if len(others) < 2:
        raise DiffsymError(
            f"the class set of untrained groups has {len(others)} beside the classes of the "
            "experiment, but recognition needs two; name a larger one in the experiment's key "
            "untrained"
        )
    return others


def recognise(
    members: Iterable[NDArray[np.floating]],
    images: NDArray[np.floating],
    structure_ids: pa.Array,
    split: pa.Table,
    *,
    resamples: int,
    confidence: float = 0.95,
    seed: int,
) -> dict[str, Any]:
    """How often structures of untrained groups are recognised by similarity.

    Parameters
    ----------
    members
        Features by each member of an ensemble, (n, streams, n_features).
    images
        The images that the features were made of, in small, (n, streams, n_values).
    structure_ids
        Identifiers, (n,).
    split
        Split table; what it keeps on one side comes to one half.
    resamples, confidence
        Of the bootstrap over the split's groups in the test half.
    seed
        Of the halves and of the bootstrap.

    Returns
    -------
    dict
        JSON-ready: `groups`, for each `space_group` the numbers of structures in the halves
        (`reference`, `test`) and of right first answers by the features in both readings (`right`);
        `left_out`, the groups that one half has no structure of; `accuracy`, of `features` and
        `images` in both readings lists of {k, value, low, high}; `gain_over_images`, the paired
        difference of the two; `baseline`, always answering the groups with the most references;
        `settings`.
    """
    rows = split.select(["structure_id", "space_group", "group"]).to_pandas()
    rows = rows.set_index("structure_id").loc[structure_ids.to_pylist()]
    keys = rows["group"].tolist()
    halves = divide(rows["space_group"].to_numpy(), keys, seed=seed)
    tests = halves.rows(reference=False)
    labels = halves.labels[tests]
    references = np.bincount(halves.labels[halves.rows(reference=True)])
    ranks = {
        (what, reading): true_class_rank(values, labels)
        for what, sets in (("features", members), ("images", [images]))
        for reading, values in scores(sets, halves).items()
    }
    settings = {
        "top_k": min(ANSWERS, len(halves.groups)),
        "resamples": resamples,
        "confidence": confidence,
        "seed": seed,
    }
    values, samples = top_k_accuracies(
        [*ranks.values(), label_frequency_ranks(references, labels)],
        [keys[row] for row in tests],
        settings,
    )
    place = {ranking: index for index, ranking in enumerate(ranks)}
    return {
        "groups": [
            {
                "space_group": number,
                "reference": int(references[label]),
                "test": int((labels == label).sum()),
                "right": {
                    reading: int((ranks["features", reading][labels == label] == 0).sum())
                    for reading in READINGS
                },
            }
            for label, number in enumerate(halves.groups)
        ],
        "left_out": [
            {"space_group": number, "structures": count}
            for number, count in halves.left_out.items()
        ],
        "accuracy": {
            what: {
                reading: with_intervals(
                    values[place[what, reading]], samples[:, place[what, reading]], confidence
                )
                for reading in READINGS
            }
            for what in ("features", "images")
        },
        "gain_over_images": {
            reading: with_intervals(
                values[place["features", reading]] - values[place["images", reading]],
                samples[:, place["features", reading]] - samples[:, place["images", reading]],
                confidence,
            )
            for reading in READINGS
        },
        "baseline": with_intervals(values[-1], samples[:, -1], confidence),
        "settings": settings,
    }
