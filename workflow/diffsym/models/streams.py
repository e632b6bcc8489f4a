"""Several images of one structure through one network: streams that share all weights.

Tiong et al. (2020), "Deep learning experiment" and equations 2 to 5. The images of a structure, the
stored channels, are concatenated along the batch. A network applied to this longer batch is a
network with as many streams as channels and a single set of weights.

A training minimises the sum over the streams s of their cross entropies (equation 2), and the
groups are predicted from the sum of their logits. With P_s(c) the softmax of stream s, that is

    P(c) = product of the P_s(c) / Z,  Z = sum over the classes c of the product of the P_s(c)

so that for the right class y

    sum over s of -ln P_s(y) = -ln P(y) - ln Z.

The network therefore has one output, P, whose cross entropy is minimised like that of any other,
and adds -ln Z to the cost by itself: it does not depend on the right class, is not negative, and
0 only where all streams are certain of one and the same class.
"""

from typing import Any

from diffsym.keras_backend import keras

layers = keras.layers
ops = keras.ops


def one_image_each(images: Any) -> Any:
    """Give each stream its image.

    Parameters
    ----------
    images
        (batch, height, width, streams) tensor.

    Returns
    -------
    tensor
        (batch * streams, height, width, 1); all images of a structure follow each other.
    """
    _, height, width, _ = images.shape
    return ops.reshape(ops.transpose(images, (0, 3, 1, 2)), (-1, height, width, 1))


def joint_probabilities(features: Any, n_streams: int, n_classes: int, *, seed: int) -> Any:
    """Output layer of each stream, and the probabilities of all of them together.

    Parameters
    ----------
    features
        (batch * n_streams, n_features) tensor.
    n_streams
        Number of streams.
    n_classes
        Number of space groups.
    seed
        Seed of the initial weights.

    Returns
    -------
    tensor
        (batch, n_classes), float32 whatever the precision of the rest. It adds -ln Z to the cost.
    """
    logits = layers.Dense(
        n_classes,
        kernel_initializer=keras.initializers.GlorotUniform(seed=1000 * seed),
        dtype="float32",
        name="logits",
    )(features)
    of_streams = ops.log_softmax(ops.reshape(logits, (-1, n_streams, n_classes)), axis=-1)
    ln_product = ops.sum(of_streams, axis=1)
    # The mean absolute value of what passes this layer is its cost, and -ln Z is not negative.
    minus_ln_z = layers.ActivityRegularization(l1=1.0, dtype="float32", name="disagreement")(
        -ops.logsumexp(ln_product, axis=-1, keepdims=True)
    )
    # The softmax of ln P is P.
    return layers.Activation("softmax", dtype="float32", name="class")(ln_product + minus_ln_z)


def stream_features(model: keras.Model) -> keras.Model:
    """Features that serve to recognise groups that a network was not trained for.

    Parameters
    ----------
    model
        Network with streams.

    Returns
    -------
    keras.Model
        (batch, height, width, streams) images -> (batch, streams, n_features), what each stream's
        output layer sees.
    """
    return _by_stream(model, model.get_layer("logits").input)


def stream_maps(model: keras.Model, block: str) -> keras.Model:
    """Feature maps of a block, to be looked at.

    Parameters
    ----------
    model
        Network with streams.
    block
        Name of the block, such as "block_2".

    Returns
    -------
    keras.Model
        (batch, height, width, streams) images -> (batch, streams, rows, columns, n_maps).
    """
    return _by_stream(model, model.get_layer(block).output)


def _by_stream(model: keras.Model, values: Any) -> keras.Model:
    """Model of some layer's values with an axis for the streams, (batch, streams, ...)."""
    of_structure = (model.inputs[0].shape[-1], *values.shape[1:])
    # With its own name: in a network read from a file, an unnamed operation may get a name that the
    # network already has.
    by_stream = layers.Lambda(
        lambda of_all: ops.reshape(of_all, (-1, *of_structure)),
        output_shape=of_structure,
        name="by_stream",
    )
    return keras.Model(model.inputs, by_stream(values))
