"""A sparse descriptor table feeds what a dense one of the same values feeds."""

from dataclasses import replace
from mmap import mmap

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_array, issparse

from diffsym.datasets.feeding import Partition, SparsePartition, open_partitions
from diffsym.datasets.leakage import measure_leakage
from diffsym.datasets.lists import gather_lists
from diffsym.models.batches import Batches, shuffled
from diffsym.models.logistic import fit_member
from diffsym.settings.models.logistic import Logistic
from diffsym.tables import SPLIT, descriptor_table, write_table

N, D = 240, 300
CLASSES = [2, 14, 225]
IDS = [f"x:{number:03d}" for number in range(N)]


@pytest.fixture
def tables(tmp_path):
    """Folder with the same values as a sparse and as a dense table, and a split."""
    generator = np.random.default_rng(0)
    values = np.where(generator.random((N, D)) < 0.05, generator.random((N, D)), 0)
    values = values.astype(np.float32)
    values[5] = 0  # a row of no values
    order = generator.permutation(N)[:-20]  # 20 structures have no descriptor
    for name, rows in (("sparse", csr_array(values[order])), ("dense", values[order])):
        table = descriptor_table(pa.array([IDS[row] for row in order]), rows)
        write_table(table, tmp_path / name, table.schema, row_groups=[60, 0, 120, 40])
    split = {
        "structure_id": IDS,
        "space_group": generator.choice([*CLASSES, 62], N),
        "role": generator.choice(["train", "validation", "test"], N, p=[0.6, 0.2, 0.2]).tolist(),
        "fold": np.arange(N) % 2,
        "group": IDS,
    }
    write_table(pa.table(split), tmp_path / "split", SPLIT)
    return tmp_path


@pytest.fixture
def parts(tables):
    """Role -> partition, of the sparse and of the dense table."""
    forms = ("sparse", "dense")
    return [open_partitions(tables / form, tables / "split", CLASSES) for form in forms]


def test_structures_taken_are_those_of_the_dense_table(parts):
    for role, dense in parts[1].items():
        sparse = parts[0][role]
        assert type(sparse) is SparsePartition
        assert type(dense) is Partition
        assert sparse.structure_ids.equals(dense.structure_ids)
        assert sparse.size == dense.size == D
        rows = np.random.default_rng(1).integers(0, len(dense), 50)
        taken = sparse.take(rows)
        assert taken.dtype == np.float32
        assert np.array_equal(taken, dense.take(rows))
        assert sparse.take(rows[:0]).shape == (0, D)


def owner(array):
    """What holds the memory of an array."""
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return array


def test_what_is_stored_is_mapped_from_files_and_read_only(parts):
    features = parts[0]["train"].features
    assert issparse(features)
    for array in (features.data, features.indices):
        assert isinstance(owner(array), mmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_batches_in_the_order_of_an_epoch(parts):
    fed = []
    for opened in parts:
        train = opened["train"]
        batches = Batches(train, 16, order=shuffled(len(train), seed=2, epoch=3))
        fed.append([batches[index] for index in range(len(batches))])
    for one, other in zip(*fed, strict=True):
        for array, same in zip(one, other, strict=True):
            assert np.array_equal(array, same)


def test_a_digest_knows_places_values_and_bounds_of_the_rows(parts, tables):
    train = parts[0]["train"]
    again = open_partitions(tables / "sparse", tables / "split", CLASSES)
    assert again["train"].digest() == train.digest()
    data, indices, starts = (
        getattr(train.features, name) for name in ("data", "indices", "indptr")
    )
    first = np.flatnonzero(np.diff(starts) > 0)[0] + 1
    later = starts.copy()
    later[first] -= 1
    changed = [
        (data * 2, indices, starts),
        (data, indices[::-1].copy(), starts),
        (data, indices, later),
    ]
    digests = {
        replace(train, features=csr_array(arrays, shape=train.features.shape)).digest()
        for arrays in changed
    }
    assert len(digests | {train.digest()}) == 4
    assert train.at_epoch(2).digest() == train.digest()


def test_a_role_without_structures(tables):
    split = pa.table(
        {
            "structure_id": IDS,
            "space_group": [2, 14] * (N // 2),
            "role": ["train"] * N,
            "fold": [0] * N,
            "group": IDS,
        }
    )
    write_table(split, tables / "training", SPLIT)
    opened = open_partitions(tables / "sparse", tables / "training", [2, 14])
    assert len(opened["train"]) == N - 20
    assert opened["test"].features.shape == (0, D)
    assert opened["test"].take(np.empty(0, np.int64)).shape == (0, D)
    structures = pa.table({"structure_id": IDS, "formula": IDS, "structure_type": IDS})
    leakage = measure_leakage(opened["train"], opened["test"], structures, threshold=0.1)
    assert leakage["median_distance"] == 0


def test_leakage_is_that_of_the_dense_table(parts):
    structures = pa.table(
        {"structure_id": IDS, "formula": [name[:4] for name in IDS], "structure_type": ["a"] * N}
    )
    sparse, dense = (
        measure_leakage(opened["train"], opened["test"], structures, threshold=0.15)
        for opened in parts
    )
    assert 0 < dense["share_near"] < 1
    assert sparse == pytest.approx(dense, rel=1e-6)


def test_a_logistic_regression_is_that_of_the_dense_table(parts):
    settings = Logistic(features="linear", alphas=(1e-4, 1e-2), l1_ratios=(0.5,), max_epochs=5)
    models = [fit_member(opened["train"], settings) for opened in parts]
    assert models[0][1] == models[1][1]
    predictions = [model.predict(parts[0]["test"]) for model, _ in models]
    assert np.array_equal(predictions[0], predictions[1])
    assert np.array_equal(predictions[0], models[0][0].predict(parts[1]["test"]))


def test_lists_of_several_tables_in_the_wanted_order(tmp_path):
    lists = {"a": [1, 2, 3], "b": [], "c": [4], "d": [5, 6]}
    for name, rows in (("one", "ca"), ("none", ""), ("two", "bd")):
        table = {
            "structure_id": pa.array(list(rows), pa.string()),
            "bins": pa.array([lists[row] for row in rows], pa.list_(pa.uint16())),
            "values": pa.array([lists[row] for row in rows], pa.list_(pa.float32())),
        }
        write_table(pa.table(table), tmp_path / name, pa.table(table).schema)
    arrays, offsets = gather_lists(
        [tmp_path / name for name in ("one", "none", "two")],
        {"bins": np.int32, "values": np.float32},
        pd.Index(["d", "x", "a", "b", "c"]),
    )
    assert offsets.tolist() == [0, 2, 2, 5, 5, 6]
    assert arrays["bins"].dtype == np.int32
    assert arrays["bins"].tolist() == arrays["values"].tolist() == [5, 6, 1, 2, 3, 4]
