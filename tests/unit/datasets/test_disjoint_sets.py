"""Disjoint test sets: what is covered is found exactly, and each set has what it should have."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from diffsym.datasets.disjoint_sets import covered, describe_draw, make_disjoint_split, make_split
from diffsym.datasets.filters import filter_outliers
from diffsym.descriptors import ideal, reflections
from diffsym.errors import DiffsymError
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.disjoint_sets import DisjointSets
from diffsym.settings.filters import Filter
from diffsym.settings.reflections import Reflections
from diffsym.tables import FILTER, SPLIT, conform, descriptor_table

RULE = {
    "kind": "ozaki2025",
    "descriptor": "ideal",
    "classes": "frequent",
    "filter": "ordinary",
    "sets": 3,
    "entries_per_group": 4,
    "tolerance_bins": 5,
    "minimum_intensity": 0.0,
    "adapt": False,
    "validation_fraction": 0.2,
    "folds": 3,
    "seed": 7,
}


def is_covered(peaks, others, tolerance):
    """The definition, pair by pair and peak by peak."""
    return any(
        all(any(abs(peak - near) <= tolerance for near in other) for peak in peaks)
        for other in others
    )


def sparse(profiles, bins):
    """Lists of bins as a matrix."""
    matrix = np.zeros((len(profiles), bins), dtype=bool)
    for row, profile in enumerate(profiles):
        matrix[row, profile] = True
    return csr_array(matrix)


@given(
    profiles=st.lists(st.sets(st.integers(0, 60), max_size=5).map(sorted), min_size=1, max_size=80),
    tolerance=st.integers(0, 7),
)
@settings(max_examples=200, deadline=None)
def test_covered_profiles_are_those_of_the_definition(profiles, tolerance):
    expected = [
        is_covered(profile, profiles[:row] + profiles[row + 1 :], tolerance)
        for row, profile in enumerate(profiles)
    ]
    peaks = sparse(profiles, 61)
    found = covered(peaks, np.arange(len(profiles)), tolerance_bins=tolerance)
    assert found.tolist() == expected


def test_covered_profiles_in_several_blocks_and_with_many_peaks():
    """More profiles than are written out at once, more peaks than are looked up at once."""
    generator = np.random.default_rng(5)
    parents = [np.sort(generator.choice(2000, 60, replace=False)) for _ in range(40)]
    profiles = [
        np.unique(np.clip(parent[generator.random(60) < 0.93] + generator.integers(-1, 2), 0, 1999))
        for parent in parents
        for _ in range(60)
    ]
    peaks = sparse(profiles, 2000)
    near = np.array([[np.abs(p[:, None] - q).min(1).max() <= 1 for q in profiles[:60]]
                     for p in profiles[:60]])  # fmt: skip
    np.fill_diagonal(near, val=False)
    found = covered(peaks, np.arange(60), tolerance_bins=1)
    assert found[:60].tolist() == near.any(axis=1).tolist()
    assert 0 < found[:60].sum() < 60
    assert not found[60:].any()  # not asked for


def test_the_edge_of_the_tolerance():
    peaks = sparse([[10, 20], [15, 25, 40], [10, 31]], 50)
    everything = np.arange(3)
    assert covered(peaks, everything, tolerance_bins=5).tolist() == [True, False, False]
    assert covered(peaks, everything, tolerance_bins=6).tolist() == [True, False, True]
    assert covered(peaks, everything, tolerance_bins=4).tolist() == [False, False, False]
    # Copies cover each other, and a single profile is covered by none.
    copies = covered(sparse([[3, 9], [3, 9]], 50), np.arange(2), tolerance_bins=0)
    assert copies.tolist() == [True, True]
    assert covered(sparse([[3, 9]], 50), np.arange(1), tolerance_bins=5).tolist() == [False]


def study(sizes, *, seed=0, kept=0.8, bins=400, undescribed=0):
    """Structures, filter table and profiles of groups of given sizes, some of them covered."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(list(sizes), list(sizes.values()))
    n = len(groups)
    ids = [f"x:{number:05d}" for number in generator.permutation(n)]
    values = np.zeros((n, bins))
    for row in range(n):
        if row and generator.random() < 0.2 and groups[row] == groups[row - 1]:
            values[row] = np.roll(values[row - 1], 2)
        else:
            values[row, generator.choice(bins, 8, replace=False)] = generator.uniform(0.1, 1, 8)
    filtered = pa.table(
        {
            "structure_id": ids,
            "space_group": pa.array(groups, pa.uint8()),
            "ln_volume": generator.normal(size=n),
            "ln_density": generator.normal(size=n),
            "kept": generator.random(n) < kept,
        },
        schema=FILTER,
    )
    # A structure of another group that the filter knows nothing of.
    structures = pa.table(
        {
            "structure_id": [*ids, "x:other"],
            "space_group": pa.array([*groups, 230], pa.uint8()),
        }
    )
    described = n - undescribed
    profiles = descriptor_table(
        pa.array(ids[:described]), csr_array(values[:described].astype(np.float32))
    )
    return structures, filtered, profiles


def split(tables, held_out=1, **changes):
    table, groups = make_disjoint_split(
        *tables, DisjointSets(held_out=held_out, **{**RULE, **changes})
    )
    return conform(table, SPLIT, "split").to_pandas(), groups


def test_sets_are_disjoint_and_have_the_same_number_of_each_group():
    structures, filtered, profiles = tables = study({2: 60, 14: 90, 62: 150})
    tests = []
    for held_out in (1, 2, 3):
        result, groups = split(tables, held_out)
        assert result["structure_id"].tolist() == sorted(structures["structure_id"].to_pylist())
        test = result[result["role"] == "test"]
        assert test["space_group"].value_counts().to_dict() == {2: 4, 14: 4, 62: 4}
        assert (result.loc[result["structure_id"] == "x:other", "role"] == "train").all()
        assert set(result.loc[result["role"] == "train", "fold"]) == {0, 1, 2}
        assert set(result.loc[result["role"] == "validation", "fold"]) <= {0, 1, 2}
        assert set(test["fold"]) == {-1}
        assert (result["role"] == "validation").any()
        tests.append(set(test["structure_id"]))
    assert not tests[0] & tests[1]
    assert not tests[0] & tests[2]
    assert not tests[1] & tests[2]

    # None is an outlier, none is covered by another structure of its group, in a set or not.
    rows = filtered.to_pandas().set_index("structure_id")
    drawn = set().union(*tests)
    assert rows.loc[sorted(drawn), "kept"].all()
    bins = dict(
        zip(profiles["structure_id"].to_pylist(), profiles["bins"].to_pylist(), strict=True)
    )
    counts = {group.space_group: group for group in groups}
    for space_group, members in rows.groupby("space_group").groups.items():
        hidden = {
            name
            for name in members
            if is_covered(bins[name], [bins[other] for other in members if other != name], 5)
        }
        assert hidden
        assert not hidden & drawn
        assert counts[space_group].covered == len(hidden & set(rows.index[rows["kept"]]))
        assert counts[space_group].structures == len(members)


def test_the_door_of_all_splits_gives_the_table_and_its_report():
    structures, filtered, profiles = tables = study({2: 60, 14: 90})
    settings_ = DisjointSets(held_out=2, **RULE)
    others = {"filter": filtered, "descriptor": profiles}
    table, report = make_split(structures, settings_, others)
    assert table.to_pandas().equals(split(tables, 2)[0])
    assert [row["test"] for row in report["roles"]] == [4, 4, 0]
    assert [group["space_group"] for group in report["groups"]] == [2, 14]
    with pytest.raises(ValueError, match="series"):
        make_split(structures, DisjointSets(**RULE), others)


def test_what_does_not_pass_the_filter_covers_all_the_same():
    tables = structures, filtered, profiles = study({2: 40}, kept=1)
    _, groups = split(tables)
    outliers = filtered.set_column(4, "kept", pa.array([n % 2 == 0 for n in range(40)]))
    _, half = split((structures, outliers, profiles))
    assert 0 < half[0].covered < groups[0].covered
    assert half[0].candidates == 20 - half[0].covered


def test_the_draw_depends_on_the_seed_and_not_on_the_order():
    tables = study({2: 60, 14: 90})
    shuffled = [table.take(np.random.default_rng(1).permutation(len(table))) for table in tables]
    first, _ = split(tables, 2)
    assert first.equals(split(shuffled, 2)[0])
    assert not first.equals(split(tables, 2, seed=8)[0])


def test_a_group_is_drawn_alike_whatever_other_groups_there_are():
    tables = study({2: 60, 14: 90})
    _, filtered, profiles = tables
    alone = filtered.filter(np.equal(filtered["space_group"].to_numpy(), 14))
    both, _ = split(tables)
    one, _ = split((tables[0], alone, profiles))
    names = [set(t[(t["role"] == "test") & (t["space_group"] == 14)]["structure_id"])
             for t in (both, one)]  # fmt: skip
    assert names[0] == names[1] != set()


def test_too_small_groups_are_refused_by_name_and_number():
    tables = study({2: 60, 14: 12, 19: 5})
    with pytest.raises(DiffsymError) as error:
        split(tables)
    _, groups = split(tables, adapt=True)
    small = {group.space_group: group.candidates for group in groups}
    assert "need 12 candidates" in str(error.value)
    assert f"fewer of 14 ({small[14]}), 19 ({small[19]});" in str(error.value)
    assert " 2 (" not in str(error.value)


def test_small_groups_give_what_they_have_if_the_rule_may_adapt():
    tables = study({2: 60, 14: 13, 19: 2, 33: 1}, kept=1, seed=2)
    results = [split(tables, held_out, adapt=True) for held_out in (1, 2, 3)]
    groups = {group.space_group: group for group in results[0][1]}
    assert groups[2].drawn == (4, 4, 4)
    assert groups[14].drawn == (groups[14].candidates // 3,) * 3
    assert 0 < groups[14].drawn[0] < 4
    assert groups[19].drawn == (1, 1, 0)
    assert groups[33].drawn == (0, 0, 0)
    for number, (result, _) in enumerate(results):
        test = result[result["role"] == "test"]["space_group"].value_counts().to_dict()
        assert test == {g: draw.drawn[number] for g, draw in groups.items() if draw.drawn[number]}
        assert set(result[result["role"] == "train"]["space_group"]) == {2, 14, 19, 33, 230}
    report = describe_draw(list(groups.values()), 4)
    assert report["reduced"] == [14, 19]
    assert report["empty"] == [33]
    assert [group["space_group"] for group in report["groups"]] == [2, 14, 19, 33]


def test_weak_peaks_are_no_peaks():
    """With a threshold a profile differs from another by its strong peaks alone."""
    values = np.zeros((2, 50), np.float32)
    values[0, [10, 20, 30]] = 1, 0.5, 0.01
    values[1, [10, 20]] = 1, 0.5
    structures, filtered, _ = study({2: 2}, kept=1)
    profiles = descriptor_table(pa.array(filtered["structure_id"].to_pylist()), csr_array(values))
    rule = {"sets": 2, "entries_per_group": 1, "adapt": True, "folds": 2}
    rows = pa.table({"structure_id": [f"y:{n}" for n in range(9)],
                     "space_group": pa.array([5] * 9, pa.uint8())})  # fmt: skip
    tables = pa.concat_tables([structures, rows]), filtered, profiles
    _, [group] = split(tables, **rule)
    assert (group.covered, group.candidates) == (1, 1)
    with pytest.raises(DiffsymError, match="no structure can be drawn for set 1 of 2"):
        split(tables, **rule, minimum_intensity=0.01)


def test_structures_without_a_profile_are_counted_and_train():
    tables = study({2: 80}, kept=1, undescribed=7)
    result, [group] = split(tables)
    assert group.without_profile == 7
    assert group.structures == group.covered + group.candidates + 7
    missing = set(result["structure_id"]) - set(tables[2]["structure_id"].to_pylist())
    assert not set(result[result["role"] == "test"]["structure_id"]) & missing


def test_real_structures(amcsd_structures):
    lines = reflections.compute(amcsd_structures, Reflections())
    values, _ = ideal.compute(lines, Ideal(kind="ideal"))
    profiles = descriptor_table(lines["structure_id"], values)
    frequent = pd.Series(amcsd_structures["space_group"].to_pylist()).value_counts().index[:6]
    filtered, _ = filter_outliers(amcsd_structures, sorted(frequent), Filter(volume=1, density=1))
    tables = amcsd_structures, filtered, profiles
    rule = {"adapt": True, "sets": 2, "entries_per_group": 2, "folds": 2}
    first, groups = split(tables, 1, **rule)
    second, _ = split(tables, 2, **rule)
    assert not ((first["role"] == "test") & (second["role"] == "test")).any()
    drawn = sum(group.drawn[0] for group in groups)
    assert (first["role"] == "test").sum() == drawn > 0
    bins = profiles["bins"].to_pylist()
    rows = {name: row for row, name in enumerate(profiles["structure_id"].to_pylist())}
    for name, number in first[first["role"] == "test"][["structure_id", "space_group"]].to_numpy():
        others = first[(first["space_group"] == number) & (first["structure_id"] != name)]
        peaks = [bins[rows[other]] for other in others["structure_id"]]
        assert not is_covered(bins[rows[name]], peaks, 5)
