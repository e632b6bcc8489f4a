"""The convolutional network of Park et al. 2017, IUCrJ 4, 486, as Vecsei et al. 2019 use it.

Vecsei, Choo, Chang & Neupert, Phys. Rev. B 99, 245120 (2019), section III and Fig. 2(a).
"""

from collections.abc import Sequence

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier, he_normal

layers = keras.layers


def build(
    input_size: int,
    n_classes: int,
    *,
    input_points: int = 10_001,
    filters: int = 80,
    kernel_sizes: Sequence[int] = (100, 50, 25),
    strides: Sequence[int] = (5, 5, 2),
    pool_size: int = 3,
    pool_strides: Sequence[int] = (2, 3, 3),
    convolution_dropout: float = 0.3,
    hidden_units: Sequence[int] = (2300, 1150),
    hidden_dropout: float = 0.5,
    seed: int,
) -> keras.Model:
    """Build the network; the defaults are those for space groups.

    Each convolution is padded so that it keeps the length that its stride leaves, poolings are
    not; with 230 groups this has 5.4 million parameters. Public versions of the network differ in
    the strides of the second and third pooling: `pool_strides=(2, 1, 1)` has 21.2 million.

    Parameters
    ----------
    input_size
        Number of points of a pattern; 8501 in the paper.
    n_classes
        Number of space groups or crystal systems.
    input_points
        Zeros are appended to the pattern up to this length, that of Park et al.; a longer pattern
        stays as it is.
    filters
        Channels of each convolution.
    kernel_sizes, strides
        Of each convolution, in points.
    pool_size, pool_strides
        Of the average pooling after each convolution.
    convolution_dropout
        Dropout rate after each convolution.
    hidden_units
        Units of the fully connected layers; (700, 70) for crystal systems.
    hidden_dropout
        Dropout rate after each fully connected layer.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) patterns -> (batch, n_classes) probabilities. Not compiled.
    """
    pattern = keras.Input((input_size,), name="pattern")
    x = layers.Reshape((input_size, 1), name="channel")(pattern)
    x = layers.ZeroPadding1D((0, max(0, input_points - input_size)), name="padding")(x)
    stages = zip(kernel_sizes, strides, pool_strides, strict=True)
    for number, (kernel_size, stride, pool_stride) in enumerate(stages, start=1):
        x = layers.Conv1D(
            filters,
            kernel_size,
            strides=stride,
            padding="same",
            activation="relu",
            kernel_initializer=he_normal(seed, number),
            name=f"convolution_{number}",
        )(x)
        x = layers.Dropout(
            convolution_dropout, seed=1000 * seed + number, name=f"dropout_{number}"
        )(x)
        x = layers.AveragePooling1D(pool_size, pool_stride, name=f"pooling_{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    probabilities = classifier(
        x,
        n_classes,
        hidden_units=hidden_units,
        dropout=hidden_dropout,
        seed=seed,
        first=len(kernel_sizes) + 1,
    )
    return keras.Model(pattern, probabilities, name="park2017_cnn")
