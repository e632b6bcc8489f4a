"""The convolutional network of Liu et al. 2019, Acta Cryst. A75, 633 (section 3.2 and Fig. 4)."""

from diffsym.keras_backend import keras
from diffsym.models.blocks import he_normal
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn

layers = keras.layers


def build(input_size: int, n_classes: int, settings: Liu2019Cnn, *, seed: int) -> keras.Model:
    """Build the network; the defaults are the paper's final hyper-parameters (last row, Table 4).

    The paper mentions batch normalisation and dropout without their place and rate. As in the work
    it refers to (He et al. 2016), each convolution is normalised before its ReLU, and needs no
    bias then; dropout follows the pooling.

    Parameters
    ----------
    input_size
        Number of values of the descriptor; 209 in the paper.
    n_classes
        Number of space groups; 45 in the paper.
    settings
        Sizes and rates, see `diffsym.settings.models.liu2019_cnn`.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) descriptors -> (batch, n_classes) probabilities. Not compiled.
    """
    descriptor = keras.Input((input_size,), name="descriptor")
    x = layers.Reshape((input_size, 1), name="channel")(descriptor)
    for number, channels in enumerate(settings.filters, start=1):
        x = layers.Conv1D(
            channels,
            settings.kernel_size,
            padding="same",
            use_bias=not settings.batch_normalisation,
            kernel_initializer=he_normal(seed, number),
            name=f"convolution_{number}",
        )(x)
        if settings.batch_normalisation:
            x = layers.BatchNormalization(
                momentum=settings.normalisation_momentum, name=f"normalisation_{number}"
            )(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
    x = layers.MaxPooling1D(settings.pool_size, name="pooling")(x)
    x = layers.Dropout(settings.dropout, seed=1000 * seed, name="dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(
        settings.hidden_units,
        activation="relu",
        kernel_initializer=he_normal(seed, 3),
        name="hidden",
    )(x)
    probabilities = layers.Dense(
        n_classes,
        activation="softmax",
        kernel_initializer=he_normal(seed, 4),
        dtype="float32",
        name="space_group",
    )(x)
    return keras.Model(descriptor, probabilities, name="liu2019_cnn")
