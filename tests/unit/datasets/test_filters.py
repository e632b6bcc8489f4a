"""Outliers are those beyond some deviations of the logarithms, and only training misses them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from diffsym.datasets.classes import read_named_list
from diffsym.datasets.feeding import open_partitions
from diffsym.datasets.filters import filter_outliers, normal_histogram
from diffsym.datasets.splits import make_split
from diffsym.generated import REPOSITORY
from diffsym.settings.filters import Filter
from diffsym.settings.splits import DrawnSplit
from diffsym.tables import FILTER, SPLIT, conform, descriptor_schema, fixed_size_rows, write_table

# The deviations of the paper's seven data sets and its numbers of entries (Table 2), in volume and
# density: each is the share that a normal distribution has within so many deviations.
PAPER = {
    (None, None): 62_830,
    (None, 2): 60_550,
    (2, None): 59_701,
    (2, 2): 57_576,
    (None, 1): 44_248,
    (1, None): 43_896,
    (1, 1): 31_041,
}


@pytest.fixture(scope="module")
def structures() -> pa.Table:
    """Structures whose U and eta are normally distributed, as in Fig. 1 of the paper."""
    generator = np.random.default_rng(3)
    n = 40_000
    return pa.table(
        {
            "structure_id": [f"x:{number}" for number in generator.permutation(n)],
            "space_group": pa.array(generator.choice([2, 14, 62], n), pa.uint8()),
            "primitive_volume": np.exp(generator.normal(5.5, 0.9, n)),
            "number_density": np.exp(generator.normal(-2.7, 0.35, n)),
        }
    )


@pytest.mark.parametrize(("deviations", "entries"), PAPER.items(), ids=str)
def test_shares_of_the_seven_sets(structures, deviations, entries):
    volume, density = deviations
    table, statistics = filter_outliers(
        structures, [2, 14, 62], Filter(volume=volume, density=density)
    )
    assert statistics["structures"] == structures.num_rows
    assert statistics["kept"] == table["kept"].to_pandas().sum()
    # The real distributions are not quite normal: 44 248 of 62 830 are 70.4 %, not 68.3 %.
    assert statistics["kept"] / structures.num_rows == pytest.approx(entries / 62_830, abs=0.035)
    assert statistics["ln_volume"]["mean"] == pytest.approx(5.5, abs=0.02)
    assert statistics["ln_density"]["standard_deviation"] == pytest.approx(0.35, abs=0.01)


def test_rule_by_hand():
    structures = pa.table(
        {
            "structure_id": ["x:5", "x:1", "x:2", "x:3", "x:4"],
            "space_group": pa.array([1, 2, 2, 2, 2], pa.uint8()),
            # Of group 2: U = -3, -1, 1, 3 with mean 0 and standard deviation sqrt(5) = 2.236.
            "primitive_volume": np.exp([9.0, -3, -1, 1, 3]),
            # eta = 1, 1, 1, -3 with mean 0 and standard deviation sqrt(3) = 1.732.
            "number_density": np.exp([9.0, 1, 1, 1, -3]),
        }
    )

    def kept(**deviations):
        table, _ = filter_outliers(structures, [2, 5], Filter(**deviations))
        conform(table, FILTER, "filter")
        assert table["structure_id"].to_pylist() == ["x:1", "x:2", "x:3", "x:4"]
        return table["kept"].to_pylist()

    assert kept(volume=None, density=None) == [True, True, True, True]
    assert kept(volume=1.34, density=None) == [False, True, True, False]
    assert kept(volume=1.35, density=None) == [True, True, True, True]
    assert kept(volume=None, density=1) == [True, True, True, False]
    assert kept(volume=1, density=1) == [False, True, True, False]


def test_intersection_of_both_rules(structures):
    def kept(**deviations):
        return filter_outliers(structures, [2, 14], Filter(**deviations))[0]["kept"].to_numpy()

    both = kept(volume=1, density=2)
    assert (both == (kept(volume=1, density=None) & kept(volume=None, density=2))).all()


def test_only_training_misses_outliers(structures, tmp_path):
    some = structures.slice(0, 600)
    split, _ = make_split(some, DrawnSplit(kind="stratified", folds=2), {})
    table, _ = filter_outliers(some, [2, 14], Filter(volume=1))
    write_table(split, tmp_path / "split.parquet", SPLIT)
    write_table(table, tmp_path / "filter.parquet", FILTER)
    features = fixed_size_rows(np.ones((600, 3), np.float32))
    descriptors = pa.table({"structure_id": some["structure_id"], "descriptor": features})
    write_table(descriptors, tmp_path / "descriptor.parquet", descriptor_schema(3))

    def parts(**keywords):
        tables = (tmp_path / "descriptor.parquet", tmp_path / "split.parquet", [2, 14])
        opened = open_partitions(*tables, **keywords)
        return {role: set(part.structure_ids.to_pylist()) for role, part in opened.items()}

    everything = parts()
    filtered = parts(training_filter=tmp_path / "filter.parquet")
    assert filtered["test"] == everything["test"]
    assert filtered["validation"] == everything["validation"]
    kept = set(table.filter(table["kept"])["structure_id"].to_pylist())
    assert filtered["train"] == everything["train"] & kept
    assert filtered["train"] < everything["train"]

    # In a cross-validation outliers validate, whatever part they have in the split.
    side = everything["train"] | everything["validation"]
    turn = parts(training_filter=tmp_path / "filter.parquet", validation_fold=1)
    fold = set(split.filter(pc.equal(split["fold"], 1))["structure_id"].to_pylist())
    assert turn["validation"] == side & fold
    assert turn["train"] == (side - fold) & kept
    assert turn["validation"] - kept


def test_real_structures_spread_as_in_the_paper(amcsd_structures):
    """Nine in ten are within two deviations of the volume; the fit is the sample's own."""
    classes = read_named_list(REPOSITORY / "data" / "class_sets" / "ozaki2025-57.csv")
    table, statistics = filter_outliers(amcsd_structures, classes, Filter(volume=2))
    assert 0.9 < statistics["kept"] / statistics["structures"] < 1
    volumes = np.exp(table["ln_volume"].to_numpy())
    assert set(volumes.round(6)) <= set(amcsd_structures["primitive_volume"].to_numpy().round(6))
    histogram = normal_histogram(table["ln_volume"].to_numpy(), bins=20)
    assert histogram.counts.sum() == statistics["structures"]
    assert histogram.mean == statistics["ln_volume"]["mean"]


def test_normal_fit_of_a_histogram(structures):
    histogram = normal_histogram(np.log(structures["primitive_volume"].to_numpy()), bins=40)
    assert len(histogram.edges) == 41
    assert histogram.standard_deviation == pytest.approx(0.9, abs=0.01)
    # Chi-squared of a true normal distribution is near the number of bins.
    frequent = histogram.expected > 5
    deviations = (histogram.counts - histogram.expected)[frequent]
    assert (deviations**2 / histogram.expected[frequent]).sum() < 70
