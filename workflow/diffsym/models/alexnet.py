"""AlexNet, for spot patterns.

Krizhevsky, Sutskever & Hinton, Advances in Neural Information Processing Systems 25 (2012), 1097.
"""

from itertools import count

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier
from diffsym.models.image_blocks import convolution, image_input, scaled
from diffsym.settings.models.alexnet import AlexNet

layers = keras.layers


def build(
    input_shape: tuple[int, int, int], n_classes: int, settings: AlexNet, *, seed: int
) -> keras.Model:
    """Build the network, without the response normalisation, which later networks dropped.

    Parameters
    ----------
    input_shape
        Height, width and channels of an image; (224, 224, 3) in the paper.
    n_classes
        Number of space groups.
    settings
        Sizes and rates, see `diffsym.settings.models.alexnet`.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, height, width, channels) uint8 images -> (batch, n_classes) probabilities. Not
        compiled.
    """
    numbers = count(1)
    first, second, third, fourth, fifth = settings.filters
    images = image_input(input_shape)
    # With two pixels of padding on each side the first convolution gives the paper's 55 x 55.
    x = layers.ZeroPadding2D(2, name="padding")(scaled(images))
    x = convolution(x, first, 11, strides=4, padding="valid", numbers=numbers, seed=seed)
    x = layers.MaxPooling2D(3, 2, name="block_1")(x)
    # The two groups are the halves that the paper computes on two processors.
    x = convolution(x, second, 5, groups=2, numbers=numbers, seed=seed)
    x = layers.MaxPooling2D(3, 2, name="block_2")(x)
    x = convolution(x, third, 3, numbers=numbers, seed=seed)
    x = convolution(x, fourth, 3, groups=2, numbers=numbers, seed=seed)
    x = convolution(x, fifth, 3, groups=2, numbers=numbers, seed=seed)
    x = layers.MaxPooling2D(3, 2, name="block_3")(x)
    probabilities = classifier(
        layers.Flatten(name="flatten")(x),
        n_classes,
        hidden_units=settings.hidden_units,
        dropout=settings.hidden_dropout,
        seed=seed,
        first=next(numbers),
    )
    return keras.Model(images, probabilities, name="alexnet")
