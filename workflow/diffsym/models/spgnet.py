"""SpgNet: space groups from ideal profiles.

Ozaki, Ishida & Kiyobayashi, J. Appl. Cryst. 58 (2025), section 3.2 and Fig. 2(a).
"""

from dataclasses import fields

from diffsym.keras_backend import keras
from diffsym.models import park2017_cnn
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.settings.models.park_trunk import ParkTrunk
from diffsym.settings.models.spg_trunk import SpgTrunk


def build(input_size: int, n_classes: int, settings: SpgTrunk, *, seed: int) -> keras.Model:
    """Build the network of Park et al. (2017), to which the paper refers for the sizes.

    Parameters
    ----------
    input_size
        Number of bins of a profile; 10 001 in the paper.
    n_classes
        Number of space groups.
    settings
        Convolutions, rates of dropout, and units of the fully connected layers.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) profiles -> (batch, n_classes) probabilities. Not compiled.
    """
    trunk = {field.name: getattr(settings, field.name) for field in fields(ParkTrunk)}
    parks = Park2017Cnn(
        input_points=input_size,
        hidden_units=tuple(factor * n_classes for factor in settings.hidden_factors),
        **trunk,
    )
    return park2017_cnn.build(input_size, n_classes, parks, seed=seed)
