"""A dense network for powder patterns, after Vecsei et al. 2019, Phys. Rev. B 99, 245120.

The paper shows the sizes of its layers only in a figure, which is not available to us. The sizes
are therefore settings with our own values, and results of this network are not those of the paper.
"""

from collections.abc import Sequence

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier


def build(
    input_size: int,
    n_classes: int,
    *,
    hidden_units: Sequence[int] = (1024, 512, 256),
    dropout: float = 0.3,
    seed: int,
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    input_size
        Number of points of a pattern.
    n_classes
        Number of space groups or crystal systems.
    hidden_units
        Units of the fully connected layers, each with a ReLU.
    dropout
        Dropout rate after each of them.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) patterns -> (batch, n_classes) probabilities. Not compiled.
    """
    pattern = keras.Input((input_size,), name="pattern")
    probabilities = classifier(
        pattern, n_classes, hidden_units=hidden_units, dropout=dropout, seed=seed
    )
    return keras.Model(pattern, probabilities, name="vecsei2019_dense")
