"""How much of a processor's speed a training uses, measured against its own matrix products."""

import time

import numpy as np

from diffsym.keras_backend import keras

# Large enough for the processor's full speed, small enough for its cache.
MATRIX_SIZE = 1024
MEASURED_SECONDS = 0.2
# Operations of a training step for each of a prediction: forwards once, backwards for the weights
# and for what comes into a layer.
TRAINING_FACTOR = 3


def matmul_rate() -> float:
    """Operations in a processor second when this process multiplies large matrices.

    In single precision, with the threads that Keras' backend has; of several threads, the mean of
    one. A multiplication and the addition that follows are two operations.
    """
    matrix = keras.ops.convert_to_tensor(
        np.random.default_rng(0).random((MATRIX_SIZE, MATRIX_SIZE), np.float32)
    )
    keras.ops.convert_to_numpy(keras.ops.matmul(matrix, matrix))
    started = time.process_time()
    products = 0
    while time.process_time() - started < MEASURED_SECONDS:
        keras.ops.convert_to_numpy(keras.ops.matmul(matrix, matrix))
        products += 1
    return 2 * MATRIX_SIZE**3 * products / (time.process_time() - started)


def training_rate(flops: int, *, trained: int, validated: int, processor_seconds: float) -> float:
    """Operations of a network in a processor second of its training.

    Parameters
    ----------
    flops
        Of one prediction, see `diffsym.models.complexity`.
    trained, validated
        Structures that steps were made with, and that were predicted, over all epochs.
    processor_seconds
        Of all epochs.
    """
    return flops * (TRAINING_FACTOR * trained + validated) / processor_seconds
