"""Measured patterns in the form that networks are fed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.datasets.feeding import Partition, SparsePartition
from diffsym.tables import MEASURED, descriptor_values, is_sparse, read_table


def measured_partition(
    descriptor: str | Path, patterns: str | Path, classes: Sequence[int]
) -> tuple[Partition, pa.Array]:
    """Join converted patterns with their space groups.

    Parameters
    ----------
    descriptor
        Descriptor table of the patterns (Parquet).
    patterns
        Measured table (Parquet).
    classes
        Space-group numbers.

    Returns
    -------
    partition
        All converted patterns in the order of the descriptor table; the label of one whose group is
        unknown, or none of the classes, is -1, and an unknown volume is NaN.
    space_groups
        Their space-group numbers, null where unknown.
    """
    converted = read_table(descriptor)
    names = converted["structure_id"].combine_chunks()
    known = read_table(patterns, MEASURED, ["pattern_id", "space_group", "primitive_volume"])
    known = known.take(pc.index_in(names, known["pattern_id"].combine_chunks()))
    space_groups = known["space_group"].combine_chunks()
    kind = SparsePartition if is_sparse(converted.schema) else Partition
    partition = kind(
        features=descriptor_values(converted),
        labels=pd.Index(sorted(classes)).get_indexer(space_groups.to_pandas()).astype(np.int32),
        folds=np.full(len(names), -1, np.int8),
        structure_ids=names,
        classes=tuple(sorted(classes)),
        ln_volumes=np.log(known["primitive_volume"].to_numpy()).astype(np.float32),
    )
    return partition, space_groups
