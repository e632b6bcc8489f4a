"""The network of Ziletti et al. 2018, Nat. Commun. 9, 2775, for spot patterns."""

from collections.abc import Sequence
from itertools import count

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier
from diffsym.models.image_blocks import convolution, image_input, scaled

layers = keras.layers


def build(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    side: int = 64,
    block_filters: Sequence[Sequence[int]] = ((32, 32), (16, 16), (8, 8)),
    kernel_size: int = 7,
    hidden_units: int = 128,
    dropout: float = 0.25,
    seed: int,
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    input_shape
        Height, width and channels of an image.
    n_classes
        Number of space groups.
    side
        Height and width in pixels that the image is downsampled to.
    block_filters
        Channels of the convolutions of each block; with a maximum pooling between blocks.
    kernel_size
        Of the convolutions, in pixels.
    hidden_units
        Units of the fully connected layer.
    dropout
        Dropout rate after it.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, height, width, channels) uint8 images -> (batch, n_classes) probabilities. Not
        compiled.
    """
    numbers = count(1)
    images = image_input(input_shape)
    x = scaled(images, side)
    for block, filters in enumerate(block_filters, start=1):
        if block > 1:
            x = layers.MaxPooling2D(2, name=f"block_{block - 1}")(x)
        for channels in filters:
            x = convolution(x, channels, kernel_size, numbers=numbers, seed=seed)
    probabilities = classifier(
        layers.Flatten(name="flatten")(x),
        n_classes,
        hidden_units=(hidden_units,),
        dropout=dropout,
        seed=seed,
        first=next(numbers),
    )
    return keras.Model(images, probabilities, name="ziletti2018")
