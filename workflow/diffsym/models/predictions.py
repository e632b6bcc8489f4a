"""Predictions of a model as the documented table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.datasets.feeding import LabelledStructures
from diffsym.tables import fixed_size_rows, predictions_schema

EVALUATED_ROLES = ("validation", "test")


class Answers(NamedTuple):
    """Predictions of a model for n structures.

    Attributes
    ----------
    probabilities : (n, n_classes)
        Class probabilities.
    ln_volumes : (n,) or None
        ln(V / A^3) of the primitive cells, if the model predicts it.
    """

    probabilities: NDArray[np.float32]
    ln_volumes: NDArray[np.float32] | None = None


def predictions_table(
    predict: Callable[[Any], Answers],
    partitions: Mapping[str, LabelledStructures],
    *,
    member: int,
    ln_volume: tuple[float, float] | None = None,
) -> pa.Table:
    """Let a model predict the validation and the test part.

    Parameters
    ----------
    predict
        Partition of n structures -> the model's predictions for them.
    partitions
        Role -> partition.
    member
        Number of the ensemble member.
    ln_volume
        Mean and standard deviation of ln V over the training part, if the model predicts it.

    Returns
    -------
    pa.Table
        The predictions table: validation first, then test, each sorted by `structure_id`.
    """
    return pa.concat_tables(
        answers_table(
            predict(partition),
            structure_ids=partition.structure_ids,
            space_groups=partition.space_groups(),
            classes=partition.classes,
            role=role,
            member=member,
            ln_volume=ln_volume,
            true_ln_volumes=partition.ln_volumes,
        )
        for role, partition in ((role, partitions[role]) for role in EVALUATED_ROLES)
    )


def answers_table(
    answers: Answers,
    *,
    structure_ids: pa.Array,
    space_groups: NDArray[np.uint8] | pa.ChunkedArray,
    classes: Sequence[int],
    role: str,
    member: int,
    ln_volume: tuple[float, float] | None = None,
    true_ln_volumes: NDArray[np.float32] | None = None,
) -> pa.Table:
    """Predictions for n structures or measured patterns, as a predictions table.

    Parameters
    ----------
    answers
        Of the model.
    structure_ids, space_groups
        Identifiers, and true numbers, null where unknown; (n,).
    classes
        Space-group numbers that the model distinguishes.
    role
        "validation", "test" or "measured".
    member, ln_volume
        As in `predictions_table`.
    true_ln_volumes
        True ln(V / A^3), (n,); NaN or None where unknown.

    Returns
    -------
    pa.Table
        Rows as given.
    """
    n = len(structure_ids)
    columns = {
        "structure_id": structure_ids,
        "role": pa.array([role] * n, pa.string()),
        "member": np.full(n, member, np.int16),
        "space_group": space_groups,
        "probabilities": fixed_size_rows(answers.probabilities),
    }
    if answers.ln_volumes is not None:
        columns["volume"] = np.exp(answers.ln_volumes.astype(np.float64))
        columns["true_volume"] = (
            pa.nulls(n, pa.float64())
            if true_ln_volumes is None
            else pa.array(np.exp(true_ln_volumes.astype(np.float64)), from_pandas=True)
        )
    return pa.table(columns, schema=predictions_schema(classes, ln_volume))
