"""Trained networks: predict, save, load."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from diffsym.datasets.feeding import LabelledStructures
from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.keras_backend import keras
from diffsym.models.batches import Batches
from diffsym.models.predictions import Answers

PREDICTION_BATCH = 512
# Maps of many channels of each image take much more memory than the images.
IMAGE_PREDICTION_BATCH = 16


def predict(model: keras.Model, partition: LabelledStructures) -> Answers:
    """Predictions of a network for each structure."""
    if not len(partition):
        empty = np.empty((0, len(partition.classes)), np.float32)
        return Answers(empty, np.empty(0, np.float32) if predicts_volumes(model) else None)
    outputs = model.predict(prediction_batches(partition).fed(), verbose=0)
    n = len(partition)
    if predicts_volumes(model):
        return Answers(outputs["class"][:n], outputs["ln_volume"][:n, 0])
    return Answers(outputs[:n])


def prediction_batches(partition: LabelledStructures) -> Batches:
    """Batches of structures in their order, for anything but training steps."""
    of_images = isinstance(partition.size, tuple)
    return Batches(partition, IMAGE_PREDICTION_BATCH if of_images else PREDICTION_BATCH)


def predicts_volumes(model: keras.Model) -> bool:
    """Whether a network has a second output, ln V."""
    return len(model.outputs) > 1


def volume_scale(model: keras.Model) -> tuple[float, float]:
    """Mean and standard deviation of ln V that a network was built with."""
    layer = model.get_layer("ln_volume")
    return float(layer.offset), float(layer.scale)


def computes_in_half(model: keras.Model) -> bool:
    """Whether any layer of a network multiplies in half precision."""
    return any(
        layer.compute_dtype != "float32"
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    )


def in_single_precision(model: keras.Model) -> keras.Model:
    """Return the same network with the same weights, computing in single precision throughout.

    What a training multiplied in half precision then gives the same answers on all machines, and
    none slowly.
    """
    if not computes_in_half(model):
        return model
    single = keras.models.clone_model(
        model,
        clone_function=lambda layer: type(layer).from_config(
            layer.get_config() | {"dtype": "float32"}
        ),
    )
    single.set_weights(model.get_weights())
    return single


def save_model(model: keras.Model, path: str | Path) -> None:
    """Write network and weights as a `.keras` file, without the optimiser's state."""
    bare = keras.models.clone_model(model)
    bare.set_weights(model.get_weights())
    with atomic_path(path) as temporary:
        bare.save(temporary)


def load_model(path: str | Path) -> keras.Model:
    """Read a `.keras` file; code in it is rejected, so files from strangers are safe to open."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, BadZipFile) as error:
        raise DiffsymError(
            f"{path}: not a network that can be loaded ({error}); train it again"
        ) from None
