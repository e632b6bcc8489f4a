"""Every table is checked against its documented schema when it is written and read."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from diffsym.errors import DiffsymError
from diffsym.tables import (
    DUPLICATES,
    SPLIT,
    descriptor_schema,
    descriptor_size,
    descriptor_table,
    descriptor_values,
    image_descriptor_schema,
    image_shape,
    is_image,
    is_sparse,
    open_table,
    read_table,
    sparse_descriptor_schema,
    write_table,
)

PAIRS = pa.table({"structure_id": ["a:1", "a:2", "a:3"], "representative_id": ["a:1"] * 3})


def test_row_groups_are_shards_even_when_empty(tmp_path):
    path = tmp_path / "pairs.parquet"
    write_table(PAIRS, path, DUPLICATES, row_groups=[2, 0, 1])
    sizes = [read_table(path, DUPLICATES, row_group=k).num_rows for k in range(3)]
    assert sizes == [2, 0, 1]
    assert read_table(path, DUPLICATES).equals(PAIRS.cast(DUPLICATES))


def test_same_table_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_table(PAIRS, tmp_path / name, DUPLICATES)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (PAIRS.drop_columns("representative_id"), "missing or unknown: representative_id"),
        (PAIRS.append_column("note", pa.array(["x"] * 3)), "missing or unknown: note"),
        (
            PAIRS.set_column(1, "representative_id", pa.array(["a:1", None, "a:1"])),
            "column representative_id has 1 empty values",
        ),
    ],
)
def test_what_does_not_fit_is_refused_on_writing(tmp_path, table, sentence):
    with pytest.raises(DiffsymError, match=sentence):
        write_table(table, tmp_path / "pairs.parquet", DUPLICATES)
    assert not (tmp_path / "pairs.parquet").exists()


def test_descriptors_have_one_size(tmp_path):
    table = pa.table({"structure_id": ["a"], "descriptor": [[1.0, 2.0]]})
    with pytest.raises(DiffsymError, match="column descriptor is"):
        write_table(table, tmp_path / "descriptor.parquet", descriptor_schema(3))


def test_another_schema_is_refused_on_reading(tmp_path):
    path = tmp_path / "pairs.parquet"
    write_table(PAIRS, path, DUPLICATES)
    with pytest.raises(DiffsymError, match="written with another schema"):
        open_table(path, SPLIT)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "pairs.parquet"
    write_table(PAIRS, path, DUPLICATES)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DiffsymError, match=r"pairs\.parquet: not a readable Parquet file"):
        read_table(path, DUPLICATES)


def test_sparse_descriptors_come_back_as_they_were(tmp_path):
    values = csr_array(np.array([[0, 0.5, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]], np.float32))
    table = descriptor_table(pa.array(["a", "b", "c"]), values)
    write_table(table, tmp_path / "sparse", sparse_descriptor_schema(4), row_groups=[1, 2])
    read = read_table(tmp_path / "sparse", sparse_descriptor_schema(4))
    assert read["bins"].to_pylist() == [[1, 3], [], [0]]
    assert read["values"].to_pylist() == [[0.5, 1.0], [], [1.0]]
    assert is_sparse(read.schema)
    assert descriptor_size(read.schema) == 4
    assert np.array_equal(descriptor_values(read).toarray(), values.toarray())
    assert np.array_equal(descriptor_values(read.slice(2, 1)).toarray(), [[1, 0, 0, 0]])


def test_dense_descriptors_keep_their_precision(tmp_path):
    values = np.array([[0, 0.5], [1, 0.25]], np.float16)
    table = descriptor_table(pa.array(["a", "b"]), values)
    write_table(table, tmp_path / "dense", descriptor_schema(2, np.float16))
    read = read_table(tmp_path / "dense")
    assert not is_sparse(read.schema)
    assert descriptor_size(read.schema) == 2
    assert np.array_equal(descriptor_values(read), values)


def test_the_last_of_65536_bins_can_be_stored(tmp_path):
    values = csr_array(([1.0], [65_535], [0, 1]), shape=(1, 65_536), dtype=np.float32)
    table = descriptor_table(pa.array(["a"]), values)
    write_table(table, tmp_path / "sparse", table.schema)
    assert descriptor_values(read_table(tmp_path / "sparse")).indices.tolist() == [65_535]


def test_images_come_back_as_they_were_and_lie_channel_after_channel(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    table = descriptor_table(pa.array([f"a:{row}" for row in range(5)]), images)
    write_table(table, tmp_path / "images", table.schema, row_groups=[2, 0, 3])
    read = read_table(tmp_path / "images", image_descriptor_schema((4, 6, 3)))
    assert is_image(read.schema)
    assert not is_sparse(read.schema)
    assert image_shape(read.schema) == (4, 6, 3)
    assert descriptor_size(read.schema) == 72
    assert np.array_equal(descriptor_values(read), images)
    # Rows of a slice, of several row groups and of none.
    assert np.array_equal(descriptor_values(read.slice(1, 3)), images[1:4])
    assert descriptor_values(read.slice(0, 0)).shape == (0, 4, 6, 3)
    assert read["descriptor"][4].as_py() == images[4].transpose(2, 0, 1).tobytes()


def test_images_of_another_shape_are_refused(tmp_path):
    table = descriptor_table(pa.array(["a:1"]), np.zeros((1, 4, 6, 3), np.uint8))
    write_table(table, tmp_path / "images", table.schema)
    with pytest.raises(DiffsymError, match="written with another schema"):
        read_table(tmp_path / "images", image_descriptor_schema((4, 5, 3)))
