"""How structures of untrained groups are compared: by features of a network, or by their images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffsym.datasets.feeding import ImagePartition
from diffsym.keras_backend import keras
from diffsym.models.networks import prediction_batches
from diffsym.models.streams import stream_features


def features_of(model: keras.Model, partitions: Sequence[ImagePartition]) -> NDArray[np.float32]:
    """What the output layer of each stream of a network sees of some structures.

    Returns
    -------
    ndarray
        (n, streams, n_features), the partitions one after the other.
    """
    network = stream_features(model)
    return np.concatenate(
        [
            network.predict(prediction_batches(partition).fed(), verbose=0).astype(np.float32)
            for partition in partitions
            if len(partition)
        ]
    )


def images_of(partitions: Sequence[ImagePartition]) -> NDArray[np.float32]:
    """Small images of some structures, see `diffsym.datasets.feeding.ImagePartition.matrix`.

    Returns
    -------
    ndarray
        (n, streams, n_blocks), the partitions one after the other.
    """
    streams = partitions[0].size[-1]
    blocks = np.concatenate([partition.matrix() for partition in partitions])
    return blocks.reshape(len(blocks), -1, streams).swapaxes(1, 2)
