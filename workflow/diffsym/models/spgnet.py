"""SpgNet: space groups from ideal profiles.

Ozaki, Ishida & Kiyobayashi, J. Appl. Cryst. 58 (2025), section 3.2 and Fig. 2(a).
"""

from collections.abc import Sequence
from typing import Any

from diffsym.keras_backend import keras
from diffsym.models import park2017_cnn


def build(
    input_size: int,
    n_classes: int,
    *,
    hidden_factors: Sequence[int] = (10, 5),
    seed: int,
    **settings: Any,
) -> keras.Model:
    """Build the network of Park et al. (2017), to which the paper refers for the sizes.

    Parameters
    ----------
    input_size
        Number of bins of a profile; 10 001 in the paper.
    n_classes
        Number of space groups.
    hidden_factors
        Units of the fully connected layers, in units of the number of classes.
    seed
        Seed of the initial weights and of the dropout.
    settings
        Others of `diffsym.models.park2017_cnn.build`: the convolutions and rates of dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) profiles -> (batch, n_classes) probabilities. Not compiled.
    """
    return park2017_cnn.build(
        input_size,
        n_classes,
        input_points=input_size,
        hidden_units=[factor * n_classes for factor in hidden_factors],
        seed=seed,
        **settings,
    )
