"""Leakage against a plain double loop and planted copies."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.feeding import Partition
from diffsym.datasets.leakage import measure_leakage


def partition(features, labels, prefix):
    return Partition(
        features=features.astype(np.float32),
        labels=np.asarray(labels, np.int32),
        folds=np.full(len(labels), -1, np.int8),
        structure_ids=pa.array([f"{prefix}:{i}" for i in range(len(labels))], pa.string()),
        classes=(2, 225),
    )


def test_planted_copies_formulae_and_types_are_counted():
    generator = np.random.default_rng(0)
    features = generator.random((60, 30))
    labels = generator.integers(0, 2, 60)
    # Of 20 test structures, five are near-copies of training structures; two of them have
    # another space group.
    copies = generator.random((20, 30))
    copies[:5] = features[:5] + 1e-3
    test_labels = np.concatenate([labels[:3], 1 - labels[3:5], generator.integers(0, 2, 15)])
    train, test = partition(features, labels, "a"), partition(copies, test_labels, "b")
    ids = train.structure_ids.to_pylist() + test.structure_ids.to_pylist()
    structures = pa.table(
        {
            "structure_id": ids[::-1],
            "formula": [f"F{i % 70}" for i in range(80)][::-1],
            "structure_type": [f"T{i % 65}" for i in range(80)][::-1],
        }
    )
    report = measure_leakage(train, test, structures, threshold=0.01)
    distance = np.sqrt(((copies[:, None] - features[None]) ** 2).mean(axis=2))
    nearest = distance.argmin(axis=1)
    assert (report["training_structures"], report["test_structures"]) == (60, 20)
    assert report["share_near"] == 5 / 20
    assert report["share_near_same_group"] == 3 / 20
    assert report["share_with_training_formula"] == 10 / 20
    assert report["share_with_training_type"] == 15 / 20
    assert report["share_nearest_has_same_group"] == np.mean(labels[nearest] == test_labels)
    assert report["median_distance"] == pytest.approx(np.median(distance.min(axis=1)), rel=1e-4)


def test_an_empty_test_part_has_no_leakage():
    train = partition(np.zeros((3, 4)), [0, 1, 1], "a")
    test = partition(np.zeros((0, 4)), [], "b")
    structures = pa.table(
        {"structure_id": ["a:0", "a:1", "a:2"], "formula": ["X"] * 3, "structure_type": ["T"] * 3}
    )
    report = measure_leakage(train, test, structures, threshold=0.01)
    assert report["test_structures"] == 0
    assert report["share_near"] == 0
