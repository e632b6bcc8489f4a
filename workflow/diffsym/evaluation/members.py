"""Predictions of each ensemble member and their mean for one structure or measured pattern.

After Tables 4 and 6 of Ozaki, Ishida & Kiyobayashi 2025, J. Appl. Cryst. 58.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.errors import DiffsymError
from diffsym.evaluation.volumes import ensemble_volume


@dataclass(frozen=True)
class Answer:
    """A space group and the probability that a member or the ensemble gives it."""

    space_group: int
    probability: float


@dataclass(frozen=True)
class MemberVolumes:
    """Predicted volumes of one primitive cell, A^3."""

    members: Sequence[float]
    """Volume from each member."""
    ensemble: float
    """Their geometric mean."""
    true: float | None
    """The true volume; None if unknown."""


def _row_of(predictions: pa.Table, structure_id: str) -> dict[str, Any]:
    """The only row of a structure in a member's predictions table."""
    rows = predictions.filter(pc.equal(predictions["structure_id"], structure_id)).to_pylist()
    if len(rows) != 1:
        raise DiffsymError(
            f"the predictions of a member have {len(rows)} rows for {structure_id}, not one; "
            "delete them and rerun the training"
        )
    return rows[0]


def answers_by_member(
    predictions: Sequence[pa.Table], structure_id: str, *, top: int = 3
) -> list[list[Answer]]:
    """Most probable space groups from each member and from the mean probability.

    Parameters
    ----------
    predictions
        One predictions table per member (see `diffsym.tables.predictions_schema`).
    structure_id
        Structure or measured pattern.
    top
        Number of space groups.

    Returns
    -------
    list
        One row for the first, second, ... prediction, each with one `Answer` per member and
        a last one for the mean. Equal probabilities are in the order of the classes.
    """
    classes = json.loads(predictions[0].schema.metadata[b"classes"])
    members = np.array(
        [_row_of(table, structure_id)["probabilities"] for table in predictions], dtype=np.float64
    )
    columns = np.vstack([members, members.mean(axis=0)])
    order = np.argsort(-columns, axis=1, kind="stable")[:, :top]
    return [
        [
            Answer(classes[answer], float(column[answer]))
            for column, answer in zip(columns, answers, strict=True)
        ]
        for answers in order.T
    ]


def volumes_by_member(predictions: Sequence[pa.Table], structure_id: str) -> MemberVolumes:
    """Primitive volume from each member and from the ensemble.

    Parameters
    ----------
    predictions
        One predictions table per member, each with volume columns.
    structure_id
        Structure or measured pattern.
    """
    rows = [_row_of(table, structure_id) for table in predictions]
    members = [row["volume"] for row in rows]
    return MemberVolumes(members, float(ensemble_volume(np.array(members))), rows[0]["true_volume"])
