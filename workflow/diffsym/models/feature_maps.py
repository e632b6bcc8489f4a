"""Feature maps of some structures in the first blocks of a network with streams.

Tiong et al. (2020), Fig. 6 and supplementary Figs. 4 and 5, compare networks by them: maps of a
block that resemble each other are redundant.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffsym.keras_backend import keras
from diffsym.models.streams import stream_maps
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system
from diffsym.tables import as_matrix

BLOCKS = ("block_1", "block_2")
"""Names of the blocks that are shown, of networks that have them."""
STREAM = 0
"""The stream that is shown: the image along x."""


def recognised_examples(
    predictions: pa.Table, classes: Sequence[int], *, most: int
) -> dict[str, int]:
    """One correctly recognised test structure of each of some crystal systems.

    Parameters
    ----------
    predictions
        Predictions table of a network.
    classes
        Space-group numbers that it distinguishes.
    most
        Number of structures; the crystal systems of highest symmetry come first.

    Returns
    -------
    dict
        Identifier -> space group. Of each crystal system it is the first identifier.
    """
    test = predictions.filter(pc.equal(predictions["role"], "test")).sort_by("structure_id")
    answers = np.asarray(classes)[as_matrix(test["probabilities"]).argmax(axis=1)]
    first: dict[str, tuple[str, int]] = {}
    for identifier, number, answer in zip(
        test["structure_id"].to_pylist(), test["space_group"].to_pylist(), answers, strict=True
    ):
        if answer == number:
            first.setdefault(crystal_system(number), (identifier, number))
    return dict([first[system] for system in reversed(CRYSTAL_SYSTEMS) if system in first][:most])


def first_block_maps(
    model: keras.Model, images: NDArray[np.uint8], *, channels: int
) -> dict[str, NDArray[Any]]:
    """Strongest feature maps of the first blocks, and how much all of their maps resemble others.

    Parameters
    ----------
    model
        Network with streams.
    images
        Of n structures, (n, height, width, streams).
    channels
        Number of maps of each block.

    Returns
    -------
    dict
        `images`: those of the stream that is shown, (n, height, width). `blocks`: their names; none
        if there is no structure. For each BLOCK
        `BLOCK_maps`: (n, channels, rows, columns) uint8, each map scaled from its least to its
        greatest value;
        `BLOCK_channels`: their numbers, from 0. They have the greatest standard deviations over
        the pixels (mean over the structures), the greatest first;
        `BLOCK_correlations`: `mean_correlation` of all maps of each structure, (n,);
        `BLOCK_count`: number of all channels;
        `BLOCK_flat`: number of those whose maps are constant, of whatever structure.
    """
    in_network = {layer.name for layer in model.layers}
    names = [name for name in BLOCKS if name in in_network] if len(images) else []
    arrays: dict[str, NDArray[Any]] = {
        "images": images[..., STREAM],
        "blocks": np.array(names, str),
    }
    for name in names:
        maps = stream_maps(model, name).predict(images, verbose=0)[:, STREAM]
        maps = np.moveaxis(maps, -1, 1).astype(np.float64)
        contrast = maps.std(axis=(2, 3))
        strongest = np.argsort(-contrast.mean(axis=0), kind="stable")[:channels]
        arrays |= {
            f"{name}_maps": as_bytes(maps[:, strongest]),
            f"{name}_channels": strongest,
            f"{name}_correlations": np.array([mean_correlation(of_one) for of_one in maps]),
            f"{name}_count": np.array(maps.shape[1]),
            f"{name}_flat": np.array((np.ptp(maps, axis=(2, 3)) == 0).all(axis=0).sum()),
        }
    return arrays


def as_bytes(maps: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Maps, (..., rows, columns), each scaled from its least to its greatest value; 0 if flat."""
    least, greatest = (edge(maps, axis=(-2, -1), keepdims=True) for edge in (np.min, np.max))
    span = np.where(greatest > least, greatest - least, 1)
    return np.rint(255 * (maps - least) / span).astype(np.uint8)


def mean_correlation(maps: NDArray[np.floating]) -> float:
    """Mean absolute correlation between the maps of different channels, a measure of redundancy.

    Parameters
    ----------
    maps
        Of one structure, (channels, rows, columns).

    Returns
    -------
    float
        0: no two maps have anything in common; 1: each is a multiple of any other, up to a
        constant. Flat maps have no correlation and do not count; NaN if fewer than two remain.
    """
    pixels = maps.reshape(len(maps), -1)
    varying = pixels[np.ptp(pixels, axis=1) > 0]
    if len(varying) < 2:
        return float("nan")
    correlations = np.abs(np.corrcoef(varying))
    return float(correlations[np.triu_indices(len(varying), k=1)].mean())
