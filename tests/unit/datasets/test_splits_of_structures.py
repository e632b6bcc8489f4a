"""Splits are exact, leak nothing they promise to keep apart, and do not depend on row order."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.splits import KEYS, make_split

SETTINGS = {"test_fraction": 0.2, "validation_fraction": 0.1, "folds": 3, "seed": 4}


@pytest.fixture(scope="module")
def structures():
    """Structures of a few groups, formulae and types of very unequal frequency."""
    random = np.random.default_rng(0)
    n = 1000
    types = random.zipf(1.6, n) % 60
    return pa.table(
        {
            "structure_id": [f"a:{number}" for number in range(n)],
            "space_group": pa.array(
                np.array([2, 14, 62, 166, 194, 225, 227])[types % 7], pa.uint8()
            ),
            "formula": [f"formula {number}" for number in random.zipf(1.8, n) % 300],
            "structure_type": [f"type {number}" for number in types],
        }
    )


def test_stratified_shares_are_exact(structures):
    split = make_split(structures, kind="stratified", **SETTINGS).to_pandas()
    for _, group in split.groupby("space_group"):
        assert (group["role"] == "test").sum() == round(0.2 * len(group))


@pytest.mark.parametrize("kind", KEYS)
def test_no_key_stands_on_two_sides(structures, kind):
    split = make_split(structures, kind=kind, **SETTINGS).to_pandas()
    ordered = structures.sort_by("structure_id")
    assert split["group"].tolist() == ordered[KEYS[kind]].to_pylist()
    assert split.groupby("group")["role"].nunique().max() == 1
    train = split[split["role"] == "train"]
    assert train.groupby("group")["fold"].nunique().max() == 1
    assert set(train["fold"]) == {0, 1, 2}
    assert set(split.loc[split["role"] != "train", "fold"]) == {-1}
    assert 0.1 < (split["role"] == "test").mean() < 0.3


@pytest.mark.parametrize("kind", KEYS)
def test_order_of_rows_does_not_matter(structures, kind):
    split = make_split(structures, kind=kind, **SETTINGS).sort_by("structure_id")
    shuffled = structures.take(np.random.default_rng(1).permutation(structures.num_rows))
    assert make_split(shuffled, kind=kind, **SETTINGS).sort_by("structure_id").equals(split)


def test_the_seed_matters(structures):
    split = make_split(structures, kind="stratified", **SETTINGS)
    other = make_split(structures, kind="stratified", **{**SETTINGS, "seed": 5})
    assert not other.equals(split)
