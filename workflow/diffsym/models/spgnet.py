"""SpgNet: space groups from ideal profiles.

Ozaki, Ishida & Kiyobayashi, J. Appl. Cryst. (2025), section 3.2 and Fig. 2(a).
"""

from collections.abc import Sequence

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier
from diffsym.models.park2017_cnn import trunk

layers = keras.layers


def build(
    input_size: int,
    n_classes: int,
    *,
    filters: int = 80,
    kernel_sizes: Sequence[int] = (100, 50, 25),
    strides: Sequence[int] = (5, 5, 2),
    pool_size: int = 3,
    pool_strides: Sequence[int] = (2, 3, 3),
    convolution_dropout: float = 0.3,
    hidden_factors: Sequence[int] = (10, 5),
    hidden_dropout: float = 0.5,
    seed: int,
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    input_size
        Number of bins of a profile; 10 001 in the paper.
    n_classes
        Number of space groups.
    filters, kernel_sizes, strides, pool_size, pool_strides, convolution_dropout
        Of the convolutions, as in `diffsym.models.park2017_cnn.build`. The paper names that network
        and not its own sizes, so these are Park's.
    hidden_factors
        Units of the fully connected layers, in units of the number of classes.
    hidden_dropout
        Dropout rate after each fully connected layer.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) profiles -> (batch, n_classes) probabilities. Not compiled.
    """
    profile = keras.Input((input_size,), name="profile")
    x = layers.Reshape((input_size, 1), name="channel")(profile)
    x = trunk(
        x,
        filters=filters,
        kernel_sizes=kernel_sizes,
        strides=strides,
        pool_size=pool_size,
        pool_strides=pool_strides,
        dropout=convolution_dropout,
        seed=seed,
    )
    probabilities = classifier(
        x,
        n_classes,
        hidden_units=[factor * n_classes for factor in hidden_factors],
        dropout=hidden_dropout,
        seed=seed,
        first=len(kernel_sizes) + 1,
    )
    return keras.Model(profile, probabilities, name="spgnet")
