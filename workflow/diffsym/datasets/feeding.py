"""From the descriptor table to the input of models: joined and memory-mapped.

The descriptor table is read one row group at a time into arrays on disk, apart for each role of the
split. Batches are gathered from these maps, so the memory of a training does not grow with the data
set beyond identifiers and labels; sparse descriptors are filled with zeros batch by batch.
Images are unpacked on the way to these arrays, once, and stay bytes until they are in the network.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffsym.datasets.lists import gather_lists, scratch_array
from diffsym.errors import DiffsymError
from diffsym.tables import (
    FILTER,
    ROLES,
    SPLIT,
    descriptor_size,
    descriptor_values,
    image_shape,
    is_image,
    is_sparse,
    open_table,
    read_table,
)

# Images are compared by means over this many blocks of pixels along each side.
BLOCKS = 32
# Rows of a table of descriptors in memory; a row of images has 150 kB.
ROWS_AT_A_TIME = 256


@dataclass(frozen=True, kw_only=True)
class LabelledStructures(ABC):
    """The structures of one role that belong to a class set, whatever describes them.

    Attributes
    ----------
    labels
        Index of each structure's space group in `classes`, (n,); -1 if it is none of them, or
        unknown, which happens with measured patterns alone.
    folds
        Cross-validation fold, (n,); -1 in the test part.
    structure_ids
        Identifiers, (n,), in increasing order.
    classes
        Space-group numbers.
    ln_volumes
        ln(V / A^3) of the volume V of each primitive cell, (n,), for networks that predict it.
    """

    labels: NDArray[np.int32]
    folds: NDArray[np.int8]
    structure_ids: pa.Array
    classes: tuple[int, ...]
    ln_volumes: NDArray[np.float32] | None = None
    # Threads that take descriptors ahead of the training, for those that take time to make.
    workers: ClassVar[int] = 1
    # Whether the first structures are repeated to fill the last batch: a batch of another size is
    # compiled anew, which takes longer than the repetition.
    whole_batches: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.labels)

    def space_groups(self) -> NDArray[np.uint8]:
        """Space-group number of each structure."""
        return np.array(self.classes, np.uint8)[self.labels]

    def digest(self) -> str:
        """Digest of everything that a training sees of the structures."""
        digest = hashlib.sha256(json.dumps(self.classes).encode())
        digest.update(self.labels.data)
        if self.ln_volumes is not None:
            digest.update(self.ln_volumes.data)
        for content in self._contents():
            digest.update(content)
        return digest.hexdigest()

    @property
    @abstractmethod
    def size(self) -> int | tuple[int, int, int]:
        """Number of values that describe a structure; of an image height, width and channels."""

    @abstractmethod
    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32] | NDArray[np.uint8]:
        """Descriptors of some structures, (b, size), or images, (b, height, width, channels)."""

    @abstractmethod
    def at_epoch(self, epoch: int) -> Self:
        """The structures as an epoch of a training, counted from 1, sees them."""

    @abstractmethod
    def _contents(self) -> Iterable[bytes | memoryview]:
        """Everything that the descriptors depend on."""


@dataclass(frozen=True, kw_only=True)
class Partition(LabelledStructures):
    """Structures with a stored descriptor.

    Attributes
    ----------
    features
        Descriptors, (n, d) float32; a read-only map of a temporary file.
    """

    features: NDArray

    @property
    def size(self) -> int | tuple[int, int, int]:
        """Number of values that describe a structure."""
        return self.features.shape[1]

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32] | NDArray[np.uint8]:
        """Descriptors of some structures, (b, size)."""
        return self.features[rows]

    def matrix(self) -> NDArray[np.float32] | csr_array:
        """Descriptors as the rows of a matrix, by which structures are compared."""
        return self.features

    def at_epoch(self, epoch: int) -> Self:  # noqa: ARG002 - all epochs see the same
        """These structures: what is stored is the same in each epoch."""
        return self

    def _contents(self) -> Iterable[bytes | memoryview]:
        return [self.features.data]


@dataclass(frozen=True, kw_only=True)
class SparsePartition(Partition):
    """Structures with a stored descriptor that is mostly zero; zeros are filled in when taken.

    Attributes
    ----------
    features
        Descriptors, (n, d) float32, in the sparse form that scikit-learn takes as well; its arrays
        are read-only maps of temporary files.
    """

    features: csr_array

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Descriptors of some structures, (b, size)."""
        return self.features[rows].toarray()

    def _contents(self) -> Iterable[bytes | memoryview]:
        return [self.features.indptr.data, self.features.indices.data, self.features.data.data]


@dataclass(frozen=True, kw_only=True)
class ImagePartition(Partition):
    """Structures with a stored image.

    Attributes
    ----------
    features
        (n, height, width, channels) uint8; a read-only map of a temporary file.
    """

    # Megabytes per batch: they are gathered in parallel with the training, not between its steps.
    workers: ClassVar[int] = 2

    @property
    def size(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        _, height, width, channels = self.features.shape
        return height, width, channels

    def matrix(self) -> NDArray[np.float32]:
        """Small images as the rows of a matrix, from 0 to 1, by which structures are compared.

        Each value is the mean over a block of pixels, 32 x 32 blocks per channel, so that distances
        between all pairs are affordable.
        """
        n, height, width, channels = self.features.shape
        blocks = (BLOCKS, height // BLOCKS, BLOCKS, width // BLOCKS, channels)
        rows = np.empty((n, BLOCKS * BLOCKS * channels), np.float32)
        for row, image in enumerate(self.features):
            rows[row] = image.reshape(blocks).mean(axis=(1, 3), dtype=np.float32).ravel() / 255
        return rows


Structures = TypeVar("Structures", bound=LabelledStructures)


def open_partitions(
    descriptor: str | Path,
    split: str | Path,
    classes: Sequence[int],
    *,
    training_filter: str | Path | None = None,
    validation_fold: int | None = None,
    folder: str | Path | None = None,
) -> dict[str, Partition]:
    """Join descriptors, split and classes.

    Structures of other space groups, and those without a descriptor, are left out.

    Parameters
    ----------
    descriptor
        Descriptor table (Parquet).
    split
        Split table (Parquet).
    classes
        Space-group numbers.
    training_filter
        Filter table (Parquet): what it does not keep is left out of the training part only, so that
        models trained on more or on less are tested alike.
    validation_fold
        Fold that validates in a turn of a cross-validation, see `hold_out`; None: the roles are
        those of the split.
    folder
        Where temporary files lie, see `diffsym.datasets.lists.scratch_array`.

    Returns
    -------
    dict
        Role -> `Partition`, sorted by identifier, so that neither the number of shards nor the
        order of the tables changes what a model sees.

    Raises
    ------
    DiffsymError
        If the training part is empty.
    """
    with open_table(descriptor) as table:
        described = table.read(columns=["structure_id"])["structure_id"]
        stored = _sparse_partition if is_sparse(table.schema_arrow) else _dense_partition
    return {
        role: stored(descriptor, folder, labels_of(rows, classes))
        for role, rows in assignments_by_role(
            described, split, classes, training_filter, validation_fold
        ).items()
    }


def assignments_by_role(
    described: pa.ChunkedArray,
    split: str | Path,
    classes: Sequence[int],
    training_filter: str | Path | None,
    validation_fold: int | None,
) -> dict[str, pd.DataFrame]:
    """Rows of the split table that belong to the classes and are described, by role.

    Outliers are left out of the training part, but not out of a validating fold.
    """
    rows = read_table(split, SPLIT).sort_by("structure_id").to_pandas()
    rows = rows[
        rows["space_group"].isin(classes) & rows["structure_id"].isin(described.to_pandas())
    ]
    if validation_fold is not None:
        rows = hold_out(rows, validation_fold)
    if training_filter is not None:
        inliers = read_table(training_filter, FILTER, ["structure_id", "kept"])
        kept = rows["structure_id"].isin(
            inliers.filter(inliers["kept"])["structure_id"].to_pandas()
        )
        rows = rows[kept | (rows["role"] != "train")]
    if not (rows["role"] == "train").any():
        raise DiffsymError(
            f"{split}: no training structure of the chosen classes has a descriptor "
            "and is no outlier; choose other classes, a smaller test_fraction or a wider filter"
        )
    return {role: rows[rows["role"] == role] for role in ROLES}


def hold_out(rows: pd.DataFrame, fold: int) -> pd.DataFrame:
    """Rows of a split table in one turn of a cross-validation.

    Parameters
    ----------
    rows
        Columns `role` and `fold`.
    fold
        The fold that validates; all others train, whether their structures train or validate in the
        split. The test part stays what it is.
    """
    turn = np.where(rows["fold"] == fold, "validation", "train")
    return rows.assign(role=rows["role"].where(rows["role"] == "test", turn))


def labels_of(rows: pd.DataFrame, classes: Sequence[int]) -> dict[str, Any]:
    """The fields of `LabelledStructures` for some rows of the split table."""
    return {
        "labels": np.searchsorted(sorted(classes), rows["space_group"]).astype(np.int32),
        "folds": rows["fold"].to_numpy(),
        "structure_ids": pa.array(rows["structure_id"], pa.string()),
        "classes": tuple(sorted(classes)),
    }


def _dense_partition(
    descriptor: str | Path, folder: str | Path | None, labels: Mapping[str, Any]
) -> Partition:
    """Write the descriptors of the labelled structures, in their order, to a scratch array."""
    wanted = pd.Index(labels["structure_ids"])
    with open_table(descriptor) as table:
        schema = table.schema_arrow
        kind, dtype, size = (
            (ImagePartition, np.uint8, image_shape(schema))
            if is_image(schema)
            else (Partition, np.float32, (descriptor_size(schema),))
        )
        features = scratch_array((len(wanted), *size), dtype, folder)
        for batch in table.iter_batches(ROWS_AT_A_TIME):
            part = pa.Table.from_batches([batch])
            rows = wanted.get_indexer(part["structure_id"].to_pandas())
            features[rows[rows >= 0]] = descriptor_values(part)[rows >= 0]
    features.flags.writeable = False
    return kind(features=features, **labels)


def _sparse_partition(
    descriptor: str | Path, folder: str | Path | None, labels: Mapping[str, Any]
) -> SparsePartition:
    """Write what is not zero of the labelled structures' descriptors to scratch arrays."""
    wanted = pd.Index(labels["structure_ids"])
    # scipy copies the bins into memory unless they have the type of the offsets.
    columns = {"bins": np.int64, "values": np.float32}
    arrays, offsets = gather_lists([descriptor], columns, wanted, folder)
    with open_table(descriptor) as table:
        shape = len(wanted), descriptor_size(table.schema_arrow)
    features = csr_array((arrays["values"], arrays["bins"], offsets), shape=shape)
    return SparsePartition(features=features, **labels)
