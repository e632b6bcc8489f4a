"""What several networks are made of."""

from collections.abc import Sequence
from typing import Any

from diffsym.keras_backend import keras

layers = keras.layers


def he_normal(seed: int, layer: int) -> keras.Initializer:
    """Initial weights of a numbered layer that is followed by a ReLU (He et al. 2015)."""
    return keras.initializers.HeNormal(seed=1000 * seed + layer)


def hidden_layers(
    x: Any, *, hidden_units: Sequence[int], dropout: float, seed: int, first: int = 1
) -> Any:
    """Fully connected layers, each with ReLU and dropout.

    Parameters
    ----------
    x
        (batch, n) tensor.
    hidden_units
        Units of each layer.
    dropout
        Dropout rate after each of them.
    seed
        Seed of the initial weights and of the dropout.
    first
        Number of the first layer, for its name and its random numbers.

    Returns
    -------
    tensor
        (batch, units of the last layer).
    """
    for number, units in enumerate(hidden_units, start=first):
        x = layers.Dense(
            units,
            activation="relu",
            kernel_initializer=he_normal(seed, number),
            name=f"hidden_{number}",
        )(x)
        x = layers.Dropout(dropout, seed=1000 * seed + number, name=f"dropout_{number}")(x)
    return x


def classifier(
    x: Any,
    n_classes: int,
    *,
    hidden_units: Sequence[int],
    dropout: float,
    seed: int,
    first: int = 1,
) -> Any:
    """Hidden layers and a softmax over the classes.

    Parameters
    ----------
    x
        (batch, n) tensor.
    n_classes
        Number of classes.
    hidden_units, dropout, seed, first
        As in `hidden_layers`.

    Returns
    -------
    tensor
        (batch, n_classes) probabilities, float32 whatever the precision of the rest.
    """
    x = hidden_layers(x, hidden_units=hidden_units, dropout=dropout, seed=seed, first=first)
    return layers.Dense(
        n_classes,
        activation="softmax",
        kernel_initializer=keras.initializers.GlorotUniform(seed=1000 * seed),
        dtype="float32",
        name="class",
    )(x)
