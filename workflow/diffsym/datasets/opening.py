"""One way to open the input of experiments, stored or rendered, with or without volumes."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from diffsym.datasets.feeding import LabelledStructures, Structures, open_partitions
from diffsym.settings.descriptors.powder import Powder
from diffsym.tables import STRUCTURES, read_table


def open_described(
    files: Mapping[str, Any],
    classes: Sequence[int],
    *,
    rendered: Powder | None,
    seed: int = 0,
    validation_fold: int | None = None,
) -> Mapping[str, LabelledStructures]:
    """Open the structures of an experiment.

    Parameters
    ----------
    files
        `split`; `descriptor`, the descriptor table or, for patterns that are rendered, the shards
        of the reflections table; optionally `filter`, see
        `diffsym.datasets.feeding.open_partitions`, and `structures`, the structures table, if
        volumes are needed.
    classes
        Space-group numbers.
    rendered
        Settings of patterns that are rendered while a network trains; None: the descriptor is
        stored.
    seed
        Seed of rendered training patterns.
    validation_fold
        Fold that validates in a cross-validation, see `diffsym.datasets.feeding.hold_out`.

    Returns
    -------
    mapping
        Role -> structures.
    """
    tables = files["descriptor"], files["split"], classes
    parts_of_split: dict[str, Any] = {
        "training_filter": files.get("filter"),
        "validation_fold": validation_fold,
    }
    if rendered is None:
        parts = open_partitions(*tables, **parts_of_split)
    else:
        # By name, so that a change of how patterns are rendered leaves other trainings alone.
        augmented = importlib.import_module("diffsym.datasets.augmented")
        parts = augmented.open_augmented_partitions(*tables, rendered, seed=seed, **parts_of_split)
    if "structures" not in files:
        return parts
    columns = ["structure_id", "primitive_volume"]
    volumes = read_table(files["structures"], STRUCTURES, columns)
    return {role: with_volumes(part, volumes) for role, part in parts.items()}


def with_volumes(partition: Structures, structures: pa.Table) -> Structures:
    """The same structures with the volumes of their primitive cells.

    Parameters
    ----------
    partition
        Some structures.
    structures
        Columns `structure_id` and `primitive_volume` of all of them.
    """
    volumes = structures.to_pandas().set_index("structure_id")["primitive_volume"]
    own = volumes.loc[partition.structure_ids.to_pylist()].to_numpy()
    return replace(partition, ln_volumes=np.log(own).astype(np.float32))
