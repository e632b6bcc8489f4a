"""SpgVolNet: space group and volume of the primitive cell from ideal profiles.

Ozaki, Ishida & Kiyobayashi, J. Appl. Cryst. 58 (2025), section 3.2 and Fig. 2(b).
"""

from diffsym.keras_backend import keras
from diffsym.models import spgnet
from diffsym.models.blocks import he_normal
from diffsym.settings.models.spgvolnet import SpgVolNet

layers = keras.layers


def build(
    input_size: int,
    n_classes: int,
    settings: SpgVolNet,
    *,
    ln_volume: tuple[float, float],
    seed: int,
) -> keras.Model:
    """Build the network: SpgNet with a second head after its flatten layer.

    The second head has fully connected layers without dropout and predicts the standardised
    logarithm of the volume (equation 3). A last layer without weights undoes the standardisation,
    so that mean and standard deviation are part of the model file.

    Parameters
    ----------
    input_size, n_classes
        As of `diffsym.models.spgnet.build`.
    settings
        Those of SpgNet, and the units of the second head, which the paper does not give.
    ln_volume
        Mean and standard deviation of ln(V / A^3) over the training part.
    seed
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        (batch, input_size) profiles -> dict of `class`, (batch, n_classes) probabilities, and
        `ln_volume`, (batch, 1), the logarithm of the volume in A^3. Not compiled.
    """
    groups = spgnet.build(input_size, n_classes, settings, seed=seed)
    x = groups.get_layer("flatten").output
    for number, units in enumerate(settings.volume_units, start=1):
        x = layers.Dense(
            units,
            activation="relu",
            # Numbers beyond those of the first head's layers.
            kernel_initializer=he_normal(seed, 100 + number),
            name=f"volume_hidden_{number}",
        )(x)
    x = layers.Dense(
        1,
        kernel_initializer=keras.initializers.GlorotUniform(seed=1000 * seed + 100),
        dtype="float32",
        name="standardised_ln_volume",
    )(x)
    mean, deviation = ln_volume
    volume = layers.Rescaling(deviation, offset=mean, dtype="float32", name="ln_volume")(x)
    return keras.Model(
        groups.inputs, {"class": groups.outputs[0], "ln_volume": volume}, name="spgvolnet"
    )
