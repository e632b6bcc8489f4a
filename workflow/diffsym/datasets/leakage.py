"""How much of the test part a model could have memorised."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances_argmin_min

from diffsym.datasets.feeding import Partition


def measure_leakage(
    train: Partition, test: Partition, structures: pa.Table, *, threshold: float
) -> dict[str, float | int]:
    """Compare the test structures with the training structures.

    Parameters
    ----------
    train, test
        The two parts.
    structures
        Columns `structure_id`, `formula` and `structure_type` of all structures of both parts.
    threshold
        Two descriptors are near if the root of the mean squared difference of their values is below
        this (the normalised pair distribution function runs from 0 to 1). Images are compared at
        reduced size, see `diffsym.datasets.feeding.ImagePartition.matrix`.

    Returns
    -------
    dict
        Numbers of structures; `share_...` of the test structures whose formula or type occurs in
        the training part, whose nearest training descriptor is near, and is near and of the same
        space group; the accuracy of guessing the nearest descriptor's space group, which is what
        memory alone reaches; the median distance to the nearest. Shares of an empty test part
        are 0.
    """
    index, distance = _nearest(train.matrix(), test.matrix())
    same_group = train.labels[index] == test.labels
    near = distance < threshold
    return {
        "training_structures": len(train),
        "test_structures": len(test),
        "share_with_training_formula": _share(_shared(structures, "formula", train, test)),
        "share_with_training_type": _share(_shared(structures, "structure_type", train, test)),
        "threshold": threshold,
        "share_near": _share(near),
        "share_near_same_group": _share(near & same_group),
        "share_nearest_has_same_group": _share(same_group),
        "median_distance": float(np.median(distance)) if len(test) else 0.0,
    }


def _nearest(
    train: NDArray[np.float32] | csr_array, test: NDArray[np.float32] | csr_array
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Nearest training row of each test row, and the root-mean-square distance to it.

    scikit-learn goes through the pairs in blocks, so no matrix of all distances exists.
    """
    if not test.shape[0]:
        return np.empty(0, np.intp), np.empty(0)
    index, distance = pairwise_distances_argmin_min(test, train)
    return index, distance / np.sqrt(train.shape[1])


def _shared(structures: pa.Table, column: str, train: Partition, test: Partition) -> NDArray:
    """Which test structures share a value of the column with a training structure."""

    def values(part: Partition) -> pa.Array:
        rows = pc.index_in(part.structure_ids, structures["structure_id"].combine_chunks())
        return structures[column].combine_chunks().take(rows)

    return pc.is_in(values(test), values(train)).to_numpy(zero_copy_only=False)


def _share(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else 0.0
