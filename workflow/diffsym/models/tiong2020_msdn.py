"""MSDN: three streams of one DenseNet, for shaped patterns.

Tiong et al. (2020), "Shaped diffraction patterns in a multistream DenseNet", "Deep learning
experiment", Fig. 1c and supplementary Table 1.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from diffsym.keras_backend import keras
from diffsym.models.image_blocks import convolution, image_input, scaled
from diffsym.models.streams import joint_probabilities, one_image_each
from diffsym.settings.models.tiong2020_msdn import Tiong2020Msdn

layers = keras.layers


def build(
    input_shape: tuple[int, int, int], n_classes: int, settings: Tiong2020Msdn, *, seed: int
) -> keras.Model:
    """Build the network; the defaults are the reading nearest to the paper's 1.54 M parameters.

    The paper gives the layers of the blocks and the 960 features they end in. Two readings fit:
    growth, stem and bottleneck 40 without compression have 1.549 M parameters with 72 groups;
    growth, stem and bottleneck 80 with a compression of 0.5 have 3.04 M. A convolution is followed
    by ReLU and dropout as in the paper, which gives no rate and mentions no normalisation.

    Parameters
    ----------
    input_shape
        Height, width and number of the images of a structure; (224, 224, 3) in the paper.
    n_classes
        Number of space groups.
    settings
        Sizes and rates, see `diffsym.settings.models.tiong2020_msdn`.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, height, width, streams) uint8 images -> (batch, n_classes) probabilities. Not
        compiled.
    """
    convolve = partial(
        convolution,
        numbers=count(1),
        dropout=settings.dropout,
        batch_normalisation=settings.batch_normalisation,
        seed=seed,
    )
    images = image_input(input_shape)
    x = convolve(one_image_each(scaled(images, settings.side)), settings.stem_filters, 3)
    x = layers.AveragePooling2D(2, name="pooling")(x)
    for number, n_layers in enumerate(settings.block_layers, start=1):
        if number > 1:
            x = convolve(x, int(settings.compression * x.shape[-1]), 1)
            x = layers.AveragePooling2D(2, name=f"transition_{number - 1}")(x)
        x = dense_block(
            x, n_layers, settings.growth, settings.bottleneck, convolve, name=f"block_{number}"
        )
    # The table's pooling of 2 before the features changes nothing: it is a mean of means.
    features = layers.GlobalAveragePooling2D(name="features")(x)
    probabilities = joint_probabilities(features, input_shape[-1], n_classes, seed=seed)
    return keras.Model(images, probabilities, name="tiong2020_msdn")


def dense_block(
    x: Any,
    n_layers: int,
    growth: int,
    bottleneck: int,
    convolve: Callable[[Any, int, int], Any],
    *,
    name: str,
) -> Any:
    """Layers that each see the channels of all before them (equation 1).

    Parameters
    ----------
    x
        (batch, height, width, channels) tensor.
    n_layers, growth, bottleneck
        Number of layers, and channels of the 3 x 3 and of the 1 x 1 convolution of each.
    convolve
        Convolution of a tensor, given channels and kernel.
    name
        Of the block.

    Returns
    -------
    tensor
        (batch, height, width, channels + n_layers * growth).
    """
    parts = [x]
    for number in range(1, n_layers + 1):
        new = convolve(convolve(x, bottleneck, 1), growth, 3)
        parts.append(new)
        last = number == n_layers
        x = layers.Concatenate(name=name if last else f"{name}_layer_{number}")(parts)
    return x
