"""Recognition of space groups that a network was not trained for.

Tiong et al. (2020), "Score function for testing an untrained space". Structures of such groups are
divided into a reference half and a test half. The network's features of a test structure P, the
input of its output layer, are compared with each group i, stream by stream (equation 5):

    score(P, V_i) = sum over the members and their streams s of cos(P_s, V_i,s)

and the group with the highest score is predicted. (Equation 6 of the paper takes the maximum of
the sum of 1 - cos, which it calls a distance; the farthest group cannot be meant.) The paper does
not say how V_i follows from a group's reference structures. Two readings are computed:

- `mean`: the mean of their features, each scaled to unit length;
- `nearest`: the features of the reference structure with the highest score.

The images themselves in place of the features show how much the network contributes.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.evaluation.bootstrap import with_intervals
from diffsym.evaluation.ranks import label_frequency_ranks, top_k_accuracies, true_class_rank
from diffsym.evaluation.scores import (
    READINGS,
    Bootstrap,
    ByReading,
    LeftOutGroup,
    RankingSettings,
    RecognisedBy,
    RecognisedGroup,
    Recognition,
    TopK,
)

ANSWERS = 5
"""A_1 ... A_5 are computed, as in Fig. 3f of the paper."""


class Halves(NamedTuple):
    """Structures of untrained groups, divided into two halves.

    Attributes
    ----------
    groups
        Space-group numbers with structures in both halves, ascending.
    labels : (n,)
        Index of each structure's group in `groups`, -1 for other groups.
    is_reference : (n,)
        Whether a structure belongs to the reference half.
    left_out
        Number of structures of each group that is missing from one half, by space-group number.
    """

    groups: list[int]
    labels: NDArray[np.int64]
    is_reference: NDArray[np.bool_]
    left_out: dict[int, int]

    def rows(self, *, reference: bool) -> NDArray[np.int64]:
        """Row numbers of one half, ascending."""
        return np.flatnonzero((self.is_reference == reference) & (self.labels >= 0))


def divide(space_groups: NDArray[np.integer], keys: Sequence[str], *, seed: int) -> Halves:
    """Draw a reference half and a test half within each space group.

    Structures with the same key go to the same half. Keys are visited in random order, those with
    the most structures first, and each joins the half in which its groups have fewer structures; a
    tie goes to the references. If each structure has its own key, the halves of a group differ by
    at most one structure.

    Parameters
    ----------
    space_groups
        Number of each structure's group, (n,).
    keys
        What must stay in one half: `group` of the split table, length n.
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
            f"{in_both.sum()} of the {len(numbers)} untrained groups have structures in both "
            "halves, but recognition needs two groups; name a larger class set in the "
            "experiment's key untrained or use more structures"
        )
    return Halves(
        groups=numbers[in_both].tolist(),
        labels=np.where(in_both, np.cumsum(in_both) - 1, -1)[codes],
        is_reference=is_reference,
        left_out=dict(zip(numbers[~in_both].tolist(), counts[~in_both].tolist(), strict=True)),
    )


def scores(members: Iterable[NDArray[np.floating]], halves: Halves) -> dict[str, NDArray]:
    """Scores of all groups for each test structure, for both readings of V_i.

    Parameters
    ----------
    members
        Features of the structures from each ensemble member, (n, streams, n_features); consumed
        one at a time.
    halves
        Division of the structures.

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
    """Rows scaled to unit length; rows of zeros stay, and are similar to nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def untrained_groups(groups: Sequence[int], trained: Sequence[int]) -> list[int]:
    """Space groups of a class set that are not classes of a network.

    Raises
    ------
    DiffsymError
        If there are fewer than two.
    """
    others = sorted(set(groups) - set(trained))
    if len(others) < 2:
        raise DiffsymError(
            f"the class set of untrained groups has {len(others)} outside the classes of the "
            "experiment, but recognition needs two; name a larger one in the experiment's key "
            "untrained"
        )
    return others


def recognise(
    members: Iterable[NDArray[np.floating]],
    images: NDArray[np.floating],
    structure_ids: pa.Array,
    split: pa.Table,
    bootstrap: Bootstrap,
) -> Recognition:
    """Accuracy of recognising structures of untrained groups by similarity.

    Parameters
    ----------
    members
        Features from each ensemble member, (n, streams, n_features).
    images
        Downsampled images that the features were computed from, (n, streams, n_values).
    structure_ids
        Identifiers, (n,).
    split
        Split table; what it keeps together stays in one half.
    bootstrap
        How intervals over the split's groups in the test half are computed; its seed also draws
        the halves.
    """
    rows = split.select(["structure_id", "space_group", "group"]).to_pandas()
    rows = rows.set_index("structure_id").loc[structure_ids.to_pylist()]
    keys = rows["group"].tolist()
    halves = divide(rows["space_group"].to_numpy(), keys, seed=bootstrap.seed)
    tests = halves.rows(reference=False)
    labels = halves.labels[tests]
    references = np.bincount(halves.labels[halves.rows(reference=True)])
    ranks = {
        (what, reading): true_class_rank(values, labels)
        for what, sets in (("features", members), ("images", [images]))
        for reading, values in scores(sets, halves).items()
    }
    settings = RankingSettings(**vars(bootstrap), top_k=min(ANSWERS, len(halves.groups)))
    values, samples = top_k_accuracies(
        [*ranks.values(), label_frequency_ranks(references, labels)],
        [keys[row] for row in tests],
        settings,
        top_k=settings.top_k,
    )
    place = {ranking: index for index, ranking in enumerate(ranks)}

    def accuracies(what: str) -> ByReading[Sequence[TopK]]:
        rows = {reading: place[what, reading] for reading in READINGS}
        return ByReading(
            **{
                reading: with_intervals(values[row], samples[:, row], bootstrap.confidence)
                for reading, row in rows.items()
            }
        )

    def gain(reading: str) -> list[TopK]:
        own, other = place["features", reading], place["images", reading]
        return with_intervals(
            values[own] - values[other], samples[:, own] - samples[:, other], bootstrap.confidence
        )

    return Recognition(
        groups=[
            RecognisedGroup(
                space_group=number,
                reference=int(references[label]),
                test=int((labels == label).sum()),
                right=ByReading(
                    **{
                        reading: int((ranks["features", reading][labels == label] == 0).sum())
                        for reading in READINGS
                    }
                ),
            )
            for label, number in enumerate(halves.groups)
        ],
        left_out=[
            LeftOutGroup(space_group=number, structures=count)
            for number, count in halves.left_out.items()
        ],
        accuracy=RecognisedBy(features=accuracies("features"), images=accuracies("images")),
        gain_over_images=ByReading(**{reading: gain(reading) for reading in READINGS}),
        baseline=with_intervals(values[-1], samples[:, -1], bootstrap.confidence),
        settings=settings,
    )
