"""Accuracy of a network after each of its epochs, on parts that its training never sees."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffsym.datasets.feeding import LabelledStructures
from diffsym.keras_backend import keras
from diffsym.models.networks import predict
from diffsym.models.snapshots import read_snapshots


def accuracy_over_epochs(
    model: keras.Model, archive: str | Path, parts: Mapping[str, LabelledStructures]
) -> dict[str, Any]:
    """Accuracy after the epochs that have a snapshot.

    It influences no choice; afterwards the model has the weights of the last snapshot.

    Parameters
    ----------
    model
        The network.
    archive
        Its snapshots.
    parts
        Name -> structures or measured patterns; those without a label are left out.

    Returns
    -------
    dict
        `epochs`, counted from 1, and under `accuracy` for each part one value for each of them;
        parts without a label have none.
    """
    epochs: list[int] = []
    accuracy: dict[str, list[float]] = {
        name: [] for name, part in parts.items() if (part.labels >= 0).any()
    }
    for epoch, weights in read_snapshots(archive):
        epochs.append(epoch)
        model.set_weights(weights)
        for name, values in accuracy.items():
            labels = parts[name].labels
            answers = predict(model, parts[name]).probabilities.argmax(axis=1)
            values.append(float((answers == labels)[labels >= 0].mean()))
    return {"epochs": epochs, "accuracy": accuracy}
