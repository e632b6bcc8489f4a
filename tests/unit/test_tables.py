"""Every table is checked against its documented schema when it is written and read."""

import pyarrow as pa
import pytest

from diffsym.errors import DiffsymError
from diffsym.tables import (
    DUPLICATES,
    SPLIT,
    descriptor_schema,
    open_table,
    read_table,
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
