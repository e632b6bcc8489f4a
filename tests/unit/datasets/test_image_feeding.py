"""Images of a table reach networks byte by byte, and are compared in small."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.feeding import ImagePartition, open_partitions
from diffsym.datasets.leakage import measure_leakage
from diffsym.models.batches import Batches, shuffled
from diffsym.tables import SPLIT, descriptor_table, write_table

N = 40
SHAPE = (64, 32, 3)
CLASSES = [2, 225]
IDS = [f"x:{number:02d}" for number in range(N)]
IMAGES = np.random.default_rng(0).integers(0, 256, (N, *SHAPE), np.uint8)
ROLES = ["train"] * 24 + ["validation"] * 6 + ["test"] * 10


def written(folder, order, row_groups, images=IMAGES):
    """Descriptor and split table of the structures in some order."""
    table = descriptor_table(pa.array([IDS[row] for row in order]), images[order])
    write_table(table, folder / "images", table.schema, row_groups=row_groups)
    split = {
        "structure_id": IDS,
        "space_group": [CLASSES[number % 2] for number in range(N)],
        "role": ROLES,
        "fold": np.arange(N) % 2,
        "group": IDS,
    }
    write_table(pa.table(split), folder / "split", SPLIT)
    return folder / "images", folder / "split"


def test_images_are_those_of_the_table_whatever_its_order(tmp_path):
    order = np.random.default_rng(1).permutation(N)
    digests = []
    for name, rows, groups in (("one", np.arange(N), [N]), ("two", order, [10, 0, 30])):
        (tmp_path / name).mkdir()
        parts = open_partitions(*written(tmp_path / name, rows, groups), CLASSES)
        train = parts["train"]
        assert type(train) is ImagePartition
        assert train.size == SHAPE
        assert train.structure_ids.to_pylist() == IDS[:24]
        taken = train.take(np.array([5, 0, 23]))
        assert taken.dtype == np.uint8
        assert np.array_equal(taken, IMAGES[[5, 0, 23]])
        digests.append(train.digest())
    assert digests[0] == digests[1]


def test_a_pixel_is_part_of_the_digest(tmp_path):
    other = IMAGES.copy()
    other[7, 3, 5, 1] ^= 1
    digests = []
    for name, images in (("one", IMAGES), ("two", other)):
        (tmp_path / name).mkdir()
        tables = written(tmp_path / name, np.arange(N), [N], images)
        parts = open_partitions(*tables, CLASSES)
        digests.append(parts["train"].digest())
    assert digests[0] != digests[1]


def test_batches_hold_images_and_labels_of_their_structures(tmp_path):
    parts = open_partitions(*written(tmp_path, np.arange(N), [N]), CLASSES)
    order = shuffled(24, 3, 1)
    images, labels, _ = Batches(parts["train"], 10, order=order)[2]
    assert np.array_equal(images, IMAGES[order[20:]])
    assert np.array_equal(labels, order[20:] % 2)


def test_in_small_an_image_is_the_means_of_its_blocks(tmp_path):
    parts = open_partitions(*written(tmp_path, np.arange(N), [N]), CLASSES)
    rows = parts["test"].matrix()
    assert rows.shape == (10, 32 * 32 * 3)
    # Blocks of 2 x 1 pixels.
    expected = IMAGES[30:, 2:4, 7, 1].mean(axis=1) / 255
    assert rows.reshape(10, 32, 32, 3)[:, 1, 7, 1] == pytest.approx(expected, abs=1e-6)


def test_copies_of_training_images_leak(tmp_path):
    images = IMAGES.copy()
    images[30:33] = images[:3]  # of the same groups
    images[33] = images[4]  # of the other one
    structures = pa.table({"structure_id": IDS, "formula": IDS, "structure_type": IDS})
    tables = written(tmp_path, np.arange(N), [20, 20], images)
    parts = open_partitions(*tables, CLASSES)
    report = measure_leakage(parts["train"], parts["test"], structures, threshold=1e-3)
    assert report["share_near"] == pytest.approx(0.4)
    assert report["share_near_same_group"] == pytest.approx(0.3)
