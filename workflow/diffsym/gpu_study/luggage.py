"""What travels to the machine with the GPU: names of the files, and the table of labels.

`diffsym.gpu_study.pack` makes it where the workflow runs; nothing here needs the configuration.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diffsym.files import atomic_path
from diffsym.tables import ROLES

PLAN = "plan.json"
STRUCTURES = "structures.parquet"
LABELS = "labels.parquet"
WHEELS = "wheels"
# Results of an earlier call on another machine, with which the study goes on.
RETURNED = "returned"
# Megabytes that may travel in one call, repository included, and what comes back: at most so many
# files of so many bytes.
LIMIT = 64 * 2**20
RETURNED_FILES = 8
RETURNED_BYTES = 16 * 2**20

# Of a structure that is in no role of a split.
NO_ROLE = -1


def labels_table(structures: pa.Table, splits: dict[str, pa.Table]) -> pa.Table:
    """What networks learn, and which structures train, in the order of the structures table.

    Parameters
    ----------
    structures
        Columns `structure_id`, `space_group` and `primitive_volume`.
    splits
        Name -> split table (`diffsym.tables.SPLIT`); it need not hold all structures.

    Returns
    -------
    pa.Table
        `space_group`; `ln_volume`, the logarithm of the primitive volume in A^3; and for each split
        `role:NAME`, index in `diffsym.tables.ROLES` or -1, and `cluster:NAME`, a number for each
        key that the split keeps on one side.
    """
    columns = {
        "space_group": structures["space_group"],
        "ln_volume": pa.array(np.log(structures["primitive_volume"].to_numpy()), pa.float32()),
    }
    identifiers = structures["structure_id"].combine_chunks()
    for name, split in splits.items():
        places = pc.index_in(identifiers, split["structure_id"].combine_chunks())
        roles = pc.index_in(split["role"].combine_chunks(), pa.array(ROLES))
        keys = split["group"].combine_chunks().dictionary_encode().indices
        for column, values in (("role", roles.cast(pa.int8())), ("cluster", keys)):
            columns[f"{column}:{name}"] = pc.fill_null(values.take(places), NO_ROLE)
    return pa.table(columns)


def write_labels(table: pa.Table, path: str | Path) -> None:
    """Write the table of labels as Parquet, whole or not at all."""
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=19)


def read_labels(path: str | Path) -> pa.Table:
    """Read the table of labels."""
    return pq.read_table(path)
