"""Probabilities as the documented predictions table."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.datasets.feeding import LabelledStructures
from diffsym.tables import fixed_size_rows, predictions_schema

EVALUATED_ROLES = ("validation", "test")


def predictions_table(
    predict: Callable[[Any], NDArray[np.float32]],
    partitions: Mapping[str, LabelledStructures],
    *,
    member: int,
) -> pa.Table:
    """Let a model predict the validation and the test part.

    Parameters
    ----------
    predict
        Partition of n structures -> (n, n_classes) probabilities.
    partitions
        Role -> partition.
    member
        Number of the ensemble member.

    Returns
    -------
    pa.Table
        The predictions table: validation first, then test, each sorted by `structure_id`.
    """
    tables = []
    for role in EVALUATED_ROLES:
        partition = partitions[role]
        schema = predictions_schema(partition.classes)
        tables.append(
            pa.table(
                {
                    "structure_id": partition.structure_ids,
                    "role": pa.array([role] * len(partition), pa.string()),
                    "member": np.full(len(partition), member, np.int16),
                    "space_group": partition.space_groups(),
                    "probabilities": fixed_size_rows(predict(partition)),
                },
                schema=schema,
            )
        )
    return pa.concat_tables(tables)
