"""The convolutional network of Park et al. 2017, IUCrJ 4, 486, as Vecsei et al. 2019 use it.

Vecsei, Choo, Chang & Neupert, Phys. Rev. B 99, 245120 (2019), section III and Fig. 2(a).
"""

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier, he_normal
from diffsym.settings.models.park2017_cnn import Park2017Cnn

layers = keras.layers


def build(input_size: int, n_classes: int, settings: Park2017Cnn, *, seed: int) -> keras.Model:
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
    settings
        Sizes and rates, see `diffsym.settings.models.park2017_cnn`.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) patterns -> (batch, n_classes) probabilities. Not compiled.
    """
    pattern = keras.Input((input_size,), name="pattern")
    x = layers.Reshape((input_size, 1), name="channel")(pattern)
    x = layers.ZeroPadding1D((0, max(0, settings.input_points - input_size)), name="padding")(x)
    stages = zip(settings.kernel_sizes, settings.strides, settings.pool_strides, strict=True)
    for number, (kernel_size, stride, pool_stride) in enumerate(stages, start=1):
        x = layers.Conv1D(
            settings.filters,
            kernel_size,
            strides=stride,
            padding="same",
            activation="relu",
            kernel_initializer=he_normal(seed, number),
            name=f"convolution_{number}",
        )(x)
        x = layers.Dropout(
            settings.convolution_dropout, seed=1000 * seed + number, name=f"dropout_{number}"
        )(x)
        x = layers.AveragePooling1D(settings.pool_size, pool_stride, name=f"pooling_{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    probabilities = classifier(
        x,
        n_classes,
        hidden_units=settings.hidden_units,
        dropout=settings.hidden_dropout,
        seed=seed,
        first=len(settings.kernel_sizes) + 1,
    )
    return keras.Model(pattern, probabilities, name="park2017_cnn")
