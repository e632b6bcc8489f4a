"""VGG, ResNet and DenseNet as Keras has them, for spot patterns.

Simonyan & Zisserman (2015), arXiv:1409.1556; He, Zhang, Ren & Sun (2016), arXiv:1512.03385; Huang,
Liu, van der Maaten & Weinberger (2017), arXiv:1608.06993.
"""

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier, he_normal
from diffsym.models.image_blocks import image_input, scaled
from diffsym.settings.models.applications import Applications


def build(
    input_shape: tuple[int, int, int], n_classes: int, settings: Applications, *, seed: int
) -> keras.Model:
    """Build a network without trained weights.

    Parameters
    ----------
    input_shape
        Height, width and channels of an image, no side shorter than 32; (224, 224, 3) in the
        papers.
    n_classes
        Number of space groups.
    settings
        Sizes and rates, see `diffsym.settings.models.applications`.
    seed
        Seed of the initial weights.

    Returns
    -------
    keras.Model
        (batch, height, width, channels) uint8 images -> (batch, n_classes) probabilities. Not
        compiled.
    """
    images = image_input(input_shape)
    network = getattr(keras.applications, settings.architecture)(
        weights=None, input_tensor=scaled(images), input_shape=input_shape, classes=n_classes
    )
    _initialise(network, seed)
    # Of the last layer, the softmax, we have our own: its precision does not follow the rest.
    last_hidden = network.layers[-2].output
    probabilities = classifier(last_hidden, n_classes, hidden_units=(), dropout=0, seed=seed)
    return keras.Model(images, probabilities, name=settings.architecture.lower())


def _initialise(network: keras.Model, seed: int) -> None:
    """Redraw the initial weights: Keras' own take no seed."""
    weighted = (layer for layer in network.layers if hasattr(layer, "kernel"))
    for number, layer in enumerate(weighted, start=1):
        layer.kernel.assign(he_normal(seed, number)(layer.kernel.shape))
