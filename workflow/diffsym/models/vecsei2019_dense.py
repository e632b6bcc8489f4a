"""A dense network for powder patterns, after Vecsei et al. 2019, Phys. Rev. B 99, 245120.

The paper shows the sizes of its layers only in a figure, which is not available to us. The sizes
are therefore settings with our own values, and results of this network are not those of the paper.
"""

from diffsym.keras_backend import keras
from diffsym.models.blocks import classifier
from diffsym.settings.models.vecsei2019_dense import Vecsei2019Dense


def build(input_size: int, n_classes: int, settings: Vecsei2019Dense, *, seed: int) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    input_size
        Number of points of a pattern.
    n_classes
        Number of space groups or crystal systems.
    settings
        Sizes and rates, see `diffsym.settings.models.vecsei2019_dense`.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) patterns -> (batch, n_classes) probabilities. Not compiled.
    """
    pattern = keras.Input((input_size,), name="pattern")
    probabilities = classifier(
        pattern, n_classes, hidden_units=settings.hidden_units, dropout=settings.dropout, seed=seed
    )
    return keras.Model(pattern, probabilities, name="vecsei2019_dense")
