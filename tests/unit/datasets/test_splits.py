"""Splits: exact shares, no key on two sides, nothing lost, the same whatever the row order."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffsym.datasets.splits import KEYS, SMALLEST_DRAWN, make_split
from diffsym.errors import DiffsymError
from diffsym.settings.splits import DrawnSplit
from diffsym.tables import SPLIT, conform

RULE = {"test_fraction": 0.2, "validation_fraction": 0.1, "folds": 3, "seed": 7}


def structures(n: int, seed: int, *, groups: int = 12, formulae: int = 0) -> pa.Table:
    """Random structures whose space groups and formulae have very different sizes."""
    generator = np.random.default_rng(seed)
    space_groups = np.minimum(generator.geometric(0.25, n), groups)
    formulae = generator.integers(0, formulae or max(n // 2, 1), n)
    types = generator.zipf(1.7, n) % max(n // 3, 1)
    return pa.table(
        {
            "structure_id": [f"x:{number}" for number in generator.permutation(n)],
            "space_group": pa.array(space_groups, pa.uint8()),
            "formula": [f"F{number}" for number in formulae],
            "structure_type": [f"{g}_{t}" for g, t in zip(space_groups, types, strict=True)],
        }
    )


def split(table: pa.Table, kind: str, **changes: float):
    drawn, _ = make_split(table, DrawnSplit(kind=kind, **{**RULE, **changes}), {})
    return drawn.to_pandas()


@pytest.mark.parametrize("kind", KEYS)
@given(n=st.integers(60, 300), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_every_structure_has_one_place_and_no_key_two_sides(kind, n, seed):
    table = structures(n, seed)
    result = split(table, kind)
    assert sorted(result["structure_id"]) == sorted(table["structure_id"].to_pylist())
    assert result["structure_id"].is_monotonic_increasing
    assert (result.groupby("group")["role"].nunique() == 1).all()
    # The folds cover the whole training side; a regression finds all of them in what trains.
    side = result[result["role"] != "test"]
    assert (side.groupby("group")["fold"].nunique() == 1).all()
    assert set(side["fold"]) == {0, 1, 2}
    assert set(side.loc[side["role"] == "train", "fold"]) == {0, 1, 2}
    assert (result.loc[result["role"] == "test", "fold"] == -1).all()
    expected = table.to_pandas().set_index("structure_id").loc[result["structure_id"]]
    assert result["group"].tolist() == expected.reset_index()[KEYS[kind]].tolist()
    assert result["space_group"].tolist() == expected["space_group"].tolist()


@given(
    n=st.integers(60, 300),
    seed=st.integers(0, 1000),
    test=st.floats(0.05, 0.5),
    validation=st.floats(0.05, 0.5),
)
@settings(max_examples=40, deadline=None)
def test_stratified_shares_are_exact(n, seed, test, validation):
    result = split(
        structures(n, seed), "stratified", test_fraction=test, validation_fraction=validation
    )
    for _, group in result.groupby("space_group"):
        roles = group["role"].value_counts()
        drawn = round(test * len(group)) if len(group) >= SMALLEST_DRAWN else 0
        rest = len(group) - drawn
        assert roles.get("test", 0) == drawn
        expected = round(validation * rest) if rest >= SMALLEST_DRAWN else 0
        assert roles.get("validation", 0) == expected


@pytest.mark.parametrize("kind", KEYS)
def test_small_groups_train_and_none_vanishes_from_training(kind):
    table = structures(400, 3, groups=40)
    result = split(table, kind)
    assert set(result["space_group"]) == set(result[result["role"] == "train"]["space_group"])
    sizes = result["space_group"].map(result["space_group"].value_counts())
    assert (result[sizes < SMALLEST_DRAWN]["role"] == "train").all()
    assert (sizes < SMALLEST_DRAWN).any()


@pytest.mark.parametrize("kind", KEYS)
def test_row_order_does_not_matter_but_the_seed_does(kind):
    table = structures(500, 1)
    shuffled = table.take(np.random.default_rng(0).permutation(500))
    first = split(table, kind)
    assert first.equals(split(shuffled, kind))
    assert not first.equals(split(table, kind, seed=8))


def test_the_test_part_does_not_depend_on_the_validation_fraction():
    table = structures(500, 1)
    small, large = (split(table, "formula", validation_fraction=f) for f in (0.1, 0.3))
    assert ((small["role"] == "test") == (large["role"] == "test")).all()


def test_folds_have_the_same_share_of_each_group_whatever_validates():
    table = structures(2000, 4)
    small, large = (split(table, "stratified", validation_fraction=f) for f in (0.1, 0.3))
    assert (small["fold"] == large["fold"]).all()
    side = small[small["role"] != "test"]
    counts = side.groupby(["space_group", "fold"]).size().unstack(fill_value=0)
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()


@pytest.mark.parametrize("kind", ["formula", "prototype"])
def test_grouped_shares_are_near_the_fractions(kind):
    result = split(structures(4000, 5), kind)
    for _, group in result.groupby("space_group"):
        # Whole keys cannot come closer than half of the largest one.
        slack = group["group"].value_counts().max() / 2 + 1
        assert abs((group["role"] == "test").sum() - 0.2 * len(group)) <= slack
    assert 0.17 < (result["role"] == "test").mean() < 0.23


def test_real_structures(amcsd_structures):
    for kind in KEYS:
        rule = DrawnSplit(kind=kind, **{**RULE, "folds": 2})
        table, report = make_split(amcsd_structures, rule, {})
        assert conform(table, SPLIT, kind).num_rows == amcsd_structures.num_rows
        assert len(set(table["role"].to_pylist())) == 3
        counts = [row["train"] + row["validation"] + row["test"] for row in report["roles"]]
        assert sum(counts) == table.num_rows


def test_too_few_structures_for_the_folds():
    table = structures(20, 0).slice(0, 6)
    with pytest.raises(DiffsymError, match="lower folds"):
        make_split(table, DrawnSplit(kind="stratified", **{**RULE, "folds": 6}), {})


def test_a_database_is_split_in_seconds():
    table = structures(60_000, 2, groups=200, formulae=40_000)
    started = time.perf_counter()
    make_split(table, DrawnSplit(kind="formula", **RULE), {})
    assert time.perf_counter() - started < 40
