"""Batches of structures for Keras, shuffled reproducibly."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffsym.datasets.feeding import LabelledStructures
from diffsym.keras_backend import keras, shares, untuned


def shuffled(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Order in which an epoch visits `n` structures: a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(n)


class Batches(keras.utils.PyDataset):
    """Batches of descriptors, labels and weights for Keras.

    If several devices share each batch, all batches divide among them: the first structures are
    repeated at the end to fill up the last one. The same happens if the partition wants whole
    batches.

    Parameters
    ----------
    partition
        What to gather from.
    batch_size
        Structures per batch, rounded up for the devices; the last batch has the rest.
    order
        Rows to visit, in this order; by default all in their stored order.
    class_weights
        Weight of a structure of each class in the loss, (n_classes,); 1 by default.
    """

    def __init__(
        self,
        partition: LabelledStructures,
        batch_size: int,
        *,
        order: NDArray[np.int64] | None = None,
        class_weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(workers=partition.workers, max_queue_size=4)
        self.partition = partition
        self.batch_size = _multiple(batch_size, shares())
        order = np.arange(len(partition)) if order is None else order
        divisor = self.batch_size if partition.whole_batches else shares()
        self.order = np.resize(order, _multiple(len(order), divisor))
        self.class_weights = (
            np.ones(len(partition.classes), np.float32) if class_weights is None else class_weights
        )

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray, Any, Any]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        labels = self.partition.labels[rows]
        weights = self.class_weights[labels]
        ln_volumes = self.partition.ln_volumes
        if ln_volumes is None:
            return self.partition.take(rows), labels, weights
        return (
            self.partition.take(rows),
            {"class": labels, "ln_volume": ln_volumes[rows]},
            {"class": weights, "ln_volume": np.ones_like(weights)},
        )

    def fed(self) -> Any:
        """These batches as `fit` and `predict` take them."""
        return self if self.workers > 1 else untuned(self)


def _multiple(number: int, divisor: int) -> int:
    """Smallest multiple of a divisor that is not less than a number."""
    return math.ceil(number / divisor) * divisor
