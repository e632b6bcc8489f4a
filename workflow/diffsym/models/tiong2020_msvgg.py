"""MSVGG: three streams of one VGG network, for shaped patterns.

Tiong et al. (2020), supplementary Table 4.
"""

from itertools import count

from diffsym.keras_backend import keras
from diffsym.models.blocks import hidden_layers
from diffsym.models.image_blocks import convolution, image_input, scaled
from diffsym.models.streams import joint_probabilities, one_image_each
from diffsym.settings.models.tiong2020_msvgg import Tiong2020Msvgg

layers = keras.layers


def build(
    input_shape: tuple[int, int, int], n_classes: int, settings: Tiong2020Msvgg, *, seed: int
) -> keras.Model:
    """Build the network; its convolutions are those of VGG-11 (Simonyan & Zisserman 2015).

    The paper's 128.85 M parameters are those of VGG-11 with its two fully connected layers and 20
    groups. The table has one such layer, `hidden_units=(4096,)`, and image sizes that do not
    follow from its input.

    Parameters
    ----------
    input_shape
        Height, width and number of the images of a structure; (224, 224, 3) in the paper.
    n_classes
        Number of space groups.
    settings
        Sizes and rates, see `diffsym.settings.models.tiong2020_msvgg`.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, height, width, streams) uint8 images -> (batch, n_classes) probabilities. Not
        compiled.
    """
    numbers = count(1)
    images = image_input(input_shape)
    x = one_image_each(scaled(images, settings.side))
    for block, filters in enumerate(settings.block_filters, start=1):
        for channels in filters:
            x = convolution(x, channels, 3, numbers=numbers, seed=seed)
        x = layers.MaxPooling2D(2, name=f"block_{block}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = hidden_layers(
        x,
        hidden_units=settings.hidden_units,
        dropout=settings.hidden_dropout,
        seed=seed,
        first=next(numbers),
    )
    probabilities = joint_probabilities(x, input_shape[-1], n_classes, seed=seed)
    return keras.Model(images, probabilities, name="tiong2020_msvgg")
