"""Trained networks in half precision: small files that hold all it takes to build them again."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.keras_backend import keras
from diffsym.settings import settings_of


def build(recipe: Mapping[str, Any]) -> keras.Model:
    """Build a network from its recipe, with initial weights.

    Parameters
    ----------
    recipe
        `model`, its section as plain values; `size`, of the input; `classes`, space-group numbers;
        `seed`; `ln_volume`, mean and standard deviation of ln V, for networks that predict it.
    """
    settings = settings_of(recipe["model"])
    size = recipe["size"]
    volume = {"ln_volume": tuple(recipe["ln_volume"])} if settings.has_volume else {}
    return importlib.import_module(settings.module).build(
        tuple(size) if isinstance(size, list | tuple) else size,
        len(recipe["classes"]),
        settings,
        seed=recipe["seed"],
        **volume,
    )


def save_half(model: keras.Model, recipe: Mapping[str, Any], path: str | Path) -> None:
    """Write recipe and weights, these in half precision, as HDF5 (compressed).

    A weight beyond the range of half precision is stored in single precision.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["recipe"] = json.dumps(dict(recipe))
        for number, weight in enumerate(model.get_weights()):
            with np.errstate(over="ignore"):
                half = weight.astype(np.float16)
            stored = half if np.isfinite(half).all() else weight
            filters = {"compression": "gzip", "shuffle": True} if stored.ndim else {}
            file.create_dataset(f"{number:03d}", data=stored, **filters)


def load_half(path: str | Path) -> tuple[keras.Model, dict[str, Any]]:
    """Build the network of a file of `save_half`, with the stored weights; also its recipe."""
    try:
        with h5py.File(path) as file:
            recipe = json.loads(file.attrs["recipe"])
            weights = [np.asarray(file[name], np.float32) for name in sorted(file)]
    except (OSError, KeyError) as error:
        raise DiffsymError(
            f"{path}: not a network of the GPU study ({error}); train it again"
        ) from None
    model = build(recipe)
    model.set_weights(weights)
    return model, recipe
