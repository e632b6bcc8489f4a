"""The convolutional network of Liu et al. 2019, Acta Cryst. A75, 633 (section 3.2 and Fig. 4)."""

from collections.abc import Sequence

from diffsym.keras_backend import keras
from diffsym.models.blocks import he_normal

layers = keras.layers


def build(
    input_size: int,
    n_classes: int,
    *,
    filters: Sequence[int] = (256, 64),
    kernel_size: int = 32,
    hidden_units: int = 128,
    pool_size: int = 2,
    dropout: float = 0.5,
    batch_normalisation: bool = True,
    normalisation_momentum: float = 0.9,
    seed: int,
) -> keras.Model:
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
    filters
        Channels of the two convolutions.
    kernel_size
        Kernel of both convolutions, in grid points.
    hidden_units
        Units of the first fully connected layer.
    pool_size
        Size of the maximum pooling.
    dropout
        Share of the pooled values set to 0 in training.
    batch_normalisation
        Normalise each convolution before its ReLU.
    normalisation_momentum
        Share of the running means, which predictions are normalised by, that outlives a step.
        Keras' own 0.99 lags behind the weights for the first epochs on a few thousand structures.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) descriptors -> (batch, n_classes) probabilities. Not compiled.
    """
    descriptor = keras.Input((input_size,), name="descriptor")
    x = layers.Reshape((input_size, 1), name="channel")(descriptor)
    for number, channels in enumerate(filters, start=1):
        x = layers.Conv1D(
            channels,
            kernel_size,
            padding="same",
            use_bias=not batch_normalisation,
            kernel_initializer=he_normal(seed, number),
            name=f"convolution_{number}",
        )(x)
        if batch_normalisation:
            x = layers.BatchNormalization(
                momentum=normalisation_momentum, name=f"normalisation_{number}"
            )(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
    x = layers.MaxPooling1D(pool_size, name="pooling")(x)
    x = layers.Dropout(dropout, seed=1000 * seed, name="dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(
        hidden_units, activation="relu", kernel_initializer=he_normal(seed, 3), name="hidden"
    )(x)
    probabilities = layers.Dense(
        n_classes,
        activation="softmax",
        kernel_initializer=he_normal(seed, 4),
        dtype="float32",
        name="space_group",
    )(x)
    return keras.Model(descriptor, probabilities, name="liu2019_cnn")
