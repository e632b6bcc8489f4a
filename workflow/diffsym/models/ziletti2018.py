"""The network of Ziletti et al. 2018, Nat. Commun. 9, 2775, for spot patterns."""

from itertools import count

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier
from diffsym.models.image_blocks import convolution, image_input, scaled
from diffsym.settings.models.ziletti2018 import Ziletti2018

layers = keras.layers


def build(
    input_shape: tuple[int, int, int], n_classes: int, settings: Ziletti2018, *, seed: int
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    input_shape
        Height, width and channels of an image.
    n_classes
        Number of space groups.
    settings
        Sizes and rates, see `diffsym.settings.models.ziletti2018`.
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
    x = scaled(images, settings.side)
    for block, filters in enumerate(settings.block_filters, start=1):
        if block > 1:
            x = layers.MaxPooling2D(2, name=f"block_{block - 1}")(x)
        for channels in filters:
            x = convolution(x, channels, settings.kernel_size, numbers=numbers, seed=seed)
    probabilities = classifier(
        layers.Flatten(name="flatten")(x),
        n_classes,
        hidden_units=(settings.hidden_units,),
        dropout=settings.dropout,
        seed=seed,
        first=next(numbers),
    )
    return keras.Model(images, probabilities, name="ziletti2018")
