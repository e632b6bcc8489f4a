"""What the networks for images are made of."""

from collections.abc import Iterator
from typing import Any, Literal

from diffsym.keras_backend import keras
from diffsym.models.blocks import he_normal

layers = keras.layers

# Keras' own 0.99 lags behind the weights for the first epochs on a few thousand structures.
NORMALISATION_MOMENTUM = 0.9


def image_input(input_shape: tuple[int, int, int]) -> Any:
    """Images as they are stored and fed, (batch, height, width, channels) uint8."""
    return keras.Input(input_shape, dtype="uint8", name="images")


def scaled(images: Any, side: int | None = None) -> Any:
    """Images as numbers from 0 to 1.

    Parameters
    ----------
    images
        (batch, height, width, channels) uint8 tensor.
    side
        Height and width in pixels that the images are downsampled to, by averages over each new
        pixel; None: they stay as they are.
    """
    x = layers.Rescaling(1 / 255, name="scaling")(images)
    return x if side is None else keras.ops.image.resize(x, (side, side), antialias=True)


def convolution(
    x: Any,
    filters: int,
    kernel_size: int,
    *,
    numbers: Iterator[int],
    strides: int = 1,
    padding: Literal["same", "valid"] = "same",
    groups: int = 1,
    dropout: float = 0.0,
    batch_normalisation: bool = False,
    seed: int,
) -> Any:
    """Convolution, ReLU and dropout.

    Parameters
    ----------
    x
        (batch, height, width, channels) tensor.
    filters, kernel_size, strides, padding, groups
        Of the convolution, whose kernel is a square.
    numbers
        Gives the layer its number, which determines its name and its random numbers.
    dropout
        Share of the values set to 0 in training.
    batch_normalisation
        Normalise between convolution and ReLU; the convolution has no bias then.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    tensor
        (batch, height, width, filters), smaller by the strides.
    """
    number = next(numbers)
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        groups=groups,
        use_bias=not batch_normalisation,
        kernel_initializer=he_normal(seed, number),
        name=f"convolution_{number}",
    )(x)
    if batch_normalisation:
        x = layers.BatchNormalization(
            momentum=NORMALISATION_MOMENTUM, name=f"normalisation_{number}"
        )(x)
    x = layers.ReLU(name=f"relu_{number}")(x)
    if dropout:
        x = layers.Dropout(
            dropout, seed=1000 * seed + number, name=f"convolution_dropout_{number}"
        )(x)
    return x
