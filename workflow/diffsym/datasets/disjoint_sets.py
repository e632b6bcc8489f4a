"""Disjoint test sets with equal numbers of each space group (Ozaki et al. 2025, section 2.4).

From the structures of each group that a filter keeps, `sets` times `entries_per_group` are drawn,
and divided among the sets. While one set tests, all other structures of the group train, those of
the other sets included.

A structure is drawn only if its profile is not *covered*: if no other structure of its group,
kept by the filter or not, has a peak near each one of its peaks. The other one need not be drawn
itself, so what is a candidate depends neither on the seed nor on the order of the draw.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffsym.datasets.splits import describe_roles, divide_training_side, random_stream
from diffsym.errors import DiffsymError
from diffsym.settings.disjoint_sets import DisjointSets
from diffsym.tables import FILTER, conform, descriptor_values

# Profiles that are written out in full at a time, a multiple of eight.
DENSE_PROFILES = 2048
# Peaks that are looked up at a time: most profiles need no more until nothing covers them.
PEAKS_AT_A_TIME = 32


@dataclass(frozen=True)
class GroupDraw:
    """What a space group gives to the sets.

    Attributes
    ----------
    space_group
        Its number.
    structures
        All of the group.
    kept
        Those that the filter keeps.
    without_profile
        Those of `kept` that have no descriptor.
    covered
        Those of `kept` that are not drawn because another structure covers their peaks.
    candidates
        What is left of `kept`.
    drawn
        Candidates in each set.
    """

    space_group: int
    structures: int
    kept: int
    without_profile: int
    covered: int
    candidates: int
    drawn: tuple[int, ...] = ()


def make_split(
    structures: pa.Table, settings: DisjointSets, others: Mapping[str, pa.Table]
) -> tuple[pa.Table, dict[str, Any]]:
    """Split the structures, as `diffsym.datasets.splits.make_split` does.

    Parameters
    ----------
    structures
        Columns `structure_id` and `space_group` of all structures, in any order.
    settings
        The sets, and which of them tests.
    others
        `filter` and `descriptor`, see `make_disjoint_split`.

    Returns
    -------
    split : pa.Table
        The documented split table.
    report : dict
        Those of `describe_roles` and of `describe_draw`.
    """
    filtered = conform(others["filter"], FILTER, "filter")
    split, groups = make_disjoint_split(structures, filtered, others["descriptor"], settings)
    return split, describe_roles(split) | describe_draw(groups, settings.entries_per_group)


def make_disjoint_split(
    structures: pa.Table, filtered: pa.Table, profiles: pa.Table, settings: DisjointSets
) -> tuple[pa.Table, list[GroupDraw]]:
    """Split the structures so that one of several disjoint sets is the test part.

    A peak is a bin with more than the minimum intensity. With `adapt`, a group with too few
    candidates gives fewer to each set, or one each to some of the sets, or none, as long as a
    structure that the filter keeps is left to train. Without it such a group is an error. The
    validation part and the folds are those of a stratified split, of all that does not test. The
    sets are the same for each `held_out`.

    Parameters
    ----------
    structures
        Columns `structure_id` and `space_group` of all structures, in any order.
    filtered
        Filter table of the class set that is drawn from.
    profiles
        Descriptor table of ideal profiles; the largest value of each is 1.
    settings
        The sets, and which of them tests.

    Returns
    -------
    split : pa.Table
        The documented split table, sorted by `structure_id`.
    groups : list of GroupDraw
        What each space group of the filter table gives, by number.

    Raises
    ------
    DiffsymError
        If a group is too small and `adapt` is false, or nothing can be drawn for the set.
    """
    held_out, sets = settings.held_out, settings.sets
    if held_out is None:
        raise ValueError("the section stands for a series of splits, not for one")
    entries = filtered.sort_by("structure_id").to_pandas()
    described = pd.Index(profiles["structure_id"].to_pandas())
    entries["profile"] = described.get_indexer(entries["structure_id"])
    peaks = csr_array(descriptor_values(profiles) > settings.minimum_intensity)
    groups, candidates = [], []
    for _, members in entries.groupby("space_group"):
        group, free = _judge(members, peaks, settings.tolerance_bins)
        groups.append(group)
        candidates.append(free)
    if not settings.adapt:
        _refuse_small_groups(groups, sets, settings.entries_per_group)
    groups = [
        replace(group, drawn=_shares(group, sets, settings.entries_per_group)) for group in groups
    ]
    drawn = [
        name
        for group, free in zip(groups, candidates, strict=True)
        for name in _draw(free, group, held_out, settings.seed)
    ]
    if not drawn:
        raise DiffsymError(
            f"ozaki2025 split: no structure can be drawn for set {held_out} of {sets}; "
            "lower sets or tolerance_bins, widen the filter or add structures"
        )
    table = structures.select(["structure_id", "space_group"]).sort_by("structure_id")
    split = divide_training_side(
        table,
        pc.is_in(table["structure_id"], pa.array(drawn, pa.string())).to_numpy(),
        kind="stratified",
        validation_fraction=settings.validation_fraction,
        folds=settings.folds,
        seed=settings.seed,
    )
    return split, groups


def _judge(
    members: pd.DataFrame, peaks: csr_array, tolerance_bins: int
) -> tuple[GroupDraw, NDArray[np.object_]]:
    """Which structures of a group are candidates, by their identifiers."""
    kept = members["kept"].to_numpy()
    profile = members["profile"].to_numpy()
    described = profile >= 0
    hidden = np.zeros(len(members), dtype=bool)
    hidden[described] = covered(
        peaks[profile[described]], np.flatnonzero(kept[described]), tolerance_bins=tolerance_bins
    )
    free = members["structure_id"].to_numpy()[kept & described & ~hidden]
    group = GroupDraw(
        space_group=int(members["space_group"].iloc[0]),
        structures=len(members),
        kept=int(kept.sum()),
        without_profile=int((kept & ~described).sum()),
        covered=int(hidden.sum()),
        candidates=len(free),
    )
    return group, free


def _refuse_small_groups(groups: Iterable[GroupDraw], sets: int, entries_per_group: int) -> None:
    needed = sets * entries_per_group
    small = [group for group in groups if group.candidates < needed]
    if small:
        numbers = ", ".join(f"{group.space_group} ({group.candidates})" for group in small)
        raise DiffsymError(
            f"ozaki2025 split: {sets} sets of {entries_per_group} structures of each space group "
            f"need {needed} candidates, but there are fewer of {numbers}; lower sets or "
            "entries_per_group, widen the filter, choose other classes or set adapt: true"
        )


def _shares(group: GroupDraw, sets: int, entries_per_group: int) -> tuple[int, ...]:
    """How many candidates of a group each set gets."""
    if group.kept < 2:  # the only one has to train
        return (0,) * sets
    share = min(entries_per_group, group.candidates // sets)
    if share:
        return (share,) * sets
    return tuple(int(number < group.candidates) for number in range(sets))


def _draw(
    candidates: NDArray[np.object_], group: GroupDraw, held_out: int, seed: int
) -> NDArray[np.object_]:
    """The candidates of a group that one of the sets gets."""
    generator = random_stream(seed, "ozaki2025", str(group.space_group))
    start = sum(group.drawn[: held_out - 1])
    return generator.permutation(candidates)[start : start + group.drawn[held_out - 1]]


def covered(
    peaks: csr_array, candidates: NDArray[np.intp], *, tolerance_bins: int
) -> NDArray[np.bool_]:
    """Whether some other profile has a peak near each peak of a profile.

    All pairs are compared, but not one by one: each bin has a row of bits, one per profile, set
    where the profile has a peak near the bin. The profiles that cover a candidate are the
    conjunction of the rows of its peaks, and for most candidates nothing remains after a few.

    Parameters
    ----------
    peaks
        Which bins of each profile hold a peak, (n, bins), sparse.
    candidates
        Profiles to check, rising row numbers.
    tolerance_bins
        Largest distance of two peaks, in bins, that counts as near.

    Returns
    -------
    (n,)
        False for those not checked. A profile without peaks is covered by any other.
    """
    near = _near_peaks(peaks, tolerance_bins)
    commonness = np.bitwise_count(near).sum(axis=1)
    result = np.zeros(peaks.shape[0], dtype=bool)
    for candidate in candidates:
        bins = peaks.indices[peaks.indptr[candidate] : peaks.indptr[candidate + 1]]
        # Rare peaks first: they rule out the most.
        bins = bins[np.argsort(commonness[bins], kind="stable")]
        others = _all_but(candidate, peaks.shape[0])
        result[candidate] = _any_in_all_rows(near, bins, others)
    return result


def _near_peaks(peaks: csr_array, tolerance_bins: int) -> NDArray[np.uint64]:
    """Which profiles have a peak near a bin, (bins, words): bit i % 64 of word i // 64."""
    profiles, bins = peaks.shape
    at_peak = np.zeros((bins, 8 * _words(profiles)), np.uint8)
    for start in range(0, profiles, DENSE_PROFILES):
        block = peaks[start : start + DENSE_PROFILES].toarray()
        bits = np.packbits(block, axis=0, bitorder="little").T
        at_peak[:, start // 8 : start // 8 + bits.shape[1]] = bits
    near = at_peak.copy()
    for shift in range(1, tolerance_bins + 1):
        near[shift:] |= at_peak[:-shift]
        near[:-shift] |= at_peak[shift:]
    return near.view("<u8")


def _words(profiles: int) -> int:
    """Words of 64 bits that hold a bit for each profile."""
    return -(-profiles // 64)


def _all_but(profile: int, profiles: int) -> NDArray[np.uint64]:
    """Bits of all profiles but one."""
    bits = np.zeros(64 * _words(profiles), np.uint8)
    bits[:profiles] = 1
    bits[profile] = 0
    return np.packbits(bits, bitorder="little").view("<u8")


def _any_in_all_rows(
    rows: NDArray[np.uint64], chosen: NDArray[np.integer], bits: NDArray[np.uint64]
) -> bool:
    """Whether one of the given bits is set in all the chosen rows."""
    words = np.flatnonzero(bits)
    bits = bits[words]
    for start in range(0, len(chosen), PEAKS_AT_A_TIME):
        some = rows[np.ix_(chosen[start : start + PEAKS_AT_A_TIME], words)]
        bits &= np.bitwise_and.reduce(some, axis=0)
        words, bits = words[bits != 0], bits[bits != 0]
        if not len(words):
            break
    return bool(len(words))


def describe_draw(groups: Sequence[GroupDraw], entries_per_group: int) -> dict[str, Any]:
    """The report of a draw: what each group gives, and which ones give less than requested.

    `reduced` are groups that give fewer structures to some set, `empty` those that give none.
    """
    return {
        "groups": [asdict(group) for group in groups],
        "reduced": [
            group.space_group
            for group in groups
            if any(group.drawn) and min(group.drawn) < entries_per_group
        ],
        "empty": [group.space_group for group in groups if not any(group.drawn)],
    }
