"""Descriptor, split and classes joined as arrays and batches."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.feeding import open_partitions
from diffsym.errors import DiffsymError
from diffsym.models.batches import Batches, shuffled
from diffsym.tables import SPLIT, descriptor_schema, fixed_size_rows, write_table

N, D = 200, 7
CLASSES = [2, 14, 225]
IDS = [f"x:{number:03d}" for number in range(N)]


@pytest.fixture
def tables(tmp_path):
    """Paths of a descriptor and a split table with known contents, in different orders."""
    generator = np.random.default_rng(0)
    values = generator.random((N, D), np.float32)
    space_groups = generator.choice([*CLASSES, 62], N)
    roles = generator.choice(["train", "validation", "test"], N, p=[0.6, 0.2, 0.2])
    order = generator.permutation(N)[:-20]  # 20 structures have no descriptor
    write_table(
        pa.table(
            {
                "structure_id": np.array(IDS)[order].tolist(),
                "descriptor": fixed_size_rows(values[order]),
            }
        ),
        tmp_path / "descriptor.parquet",
        descriptor_schema(D),
        row_groups=[50, 0, 100, 30],
    )
    write_table(
        pa.table(
            {
                "structure_id": IDS,
                "space_group": space_groups,
                "role": roles.tolist(),
                "fold": np.where(roles == "test", -1, np.arange(N) % 5),
                "group": IDS,
            }
        ).take(generator.permutation(N)),
        tmp_path / "split.parquet",
        SPLIT,
    )
    described = np.isin(np.arange(N), order)
    return tmp_path, values, space_groups, roles, described


def test_partitions_hold_exactly_the_joined_rows(tables):
    folder, values, space_groups, roles, described = tables
    partitions = open_partitions(folder / "descriptor.parquet", folder / "split.parquet", CLASSES)
    for role, partition in partitions.items():
        expected = np.flatnonzero((roles == role) & np.isin(space_groups, CLASSES) & described)
        assert partition.structure_ids.to_pylist() == [IDS[row] for row in expected]
        assert np.array_equal(partition.features, values[expected])
        assert np.array_equal(partition.space_groups(), space_groups[expected])
        assert isinstance(partition.features, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            partition.features[0] = 0
    assert set(partitions["train"].folds) == set(range(5))


def test_in_a_cross_validation_each_structure_validates_once_and_else_trains(tables):
    folder, values, space_groups, roles, described = tables
    chosen = np.isin(space_groups, CLASSES) & described
    validated = []
    for fold in range(5):
        parts = open_partitions(
            folder / "descriptor.parquet", folder / "split.parquet", CLASSES, validation_fold=fold
        )
        rows = {
            role: [IDS.index(name) for name in part.structure_ids.to_pylist()]
            for role, part in parts.items()
        }
        assert np.array_equal(parts["validation"].features, values[rows["validation"]])
        assert {row % 5 for row in rows["validation"]} == {fold}
        assert fold not in {row % 5 for row in rows["train"]}
        assert rows["test"] == np.flatnonzero(chosen & (roles == "test")).tolist()
        assert sorted(rows["train"] + rows["validation"]) == (
            np.flatnonzero(chosen & (roles != "test")).tolist()
        )
        validated += rows["validation"]
    assert sorted(validated) == np.flatnonzero(chosen & (roles != "test")).tolist()


def test_a_killed_process_leaves_no_arrays_behind(tables, tmp_path):
    folder = tables[0]
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    paths = folder / "descriptor.parquet", folder / "split.parquet", CLASSES
    parts = open_partitions(*paths, folder=workspace)
    assert parts
    # Files that have no name end with the process.
    assert f"{workspace}/" in Path("/proc/self/maps").read_text()
    assert not list(workspace.iterdir())


def test_arrays_without_room_end_with_a_sentence(tables, tmp_path, small_disk):
    folder = tables[0]
    workspace = tmp_path / "workspace"
    paths = folder / "descriptor.parquet", folder / "split.parquet", CLASSES
    small_disk(workspace, "4k")
    with pytest.raises(DiffsymError, match=rf"temporary file of . MB in {workspace}: no room"):
        open_partitions(*paths, folder=workspace)


def test_no_training_structure_is_a_mistake(tables):
    folder = tables[0]
    paths = folder / "descriptor.parquet", folder / "split.parquet", [1, 230]
    with pytest.raises(DiffsymError, match="choose other classes"):
        open_partitions(*paths)


def test_an_epoch_visits_each_structure_once_with_its_label_and_weight(tables):
    folder = tables[0]
    partitions = open_partitions(folder / "descriptor.parquet", folder / "split.parquet", CLASSES)
    train = partitions["train"]
    order = shuffled(len(train), seed=3, epoch=1)
    weights = np.array([1, 2, 3], np.float32)
    batches = Batches(train, 16, order=order, class_weights=weights)
    drawn = [batches[index] for index in range(len(batches))]
    assert [len(labels) for _, labels, _ in drawn[:-1]] == [16] * (len(drawn) - 1)
    features, labels, weight = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    assert np.array_equal(features, train.features[order])
    assert np.array_equal(labels, train.labels[order])
    assert np.array_equal(weight, weights[labels])


def test_the_order_follows_from_seed_and_epoch():
    assert np.array_equal(shuffled(50, 1, 2), shuffled(50, 1, 2))
    assert not np.array_equal(shuffled(50, 1, 2), shuffled(50, 1, 3))
    assert not np.array_equal(shuffled(50, 1, 2), shuffled(50, 2, 2))
    assert sorted(shuffled(50, 1, 2)) == list(range(50))
