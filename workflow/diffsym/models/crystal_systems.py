"""Networks that classify crystal systems, compared with those that classify space groups."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffsym.datasets.feeding import Structures
from diffsym.structures.space_groups import systems_among


def label_by_system(structures: Structures) -> Structures:
    """The same structures with the index of their crystal system as label and class."""
    names, systems = systems_among(structures.classes)
    return replace(
        structures,
        labels=np.where(structures.labels < 0, -1, systems[structures.labels]).astype(np.int32),
        classes=tuple(range(len(names))),
    )


def spread(
    probabilities: NDArray[np.float32], classes: Sequence[int], training_counts: ArrayLike
) -> NDArray[np.float32]:
    """Probabilities of space groups that follow from those of the crystal systems.

    The probability of a system is divided among its groups in proportion to their training
    structures. The sum over the groups of a system gives its probability back; the top-1 space
    group is the best guess given only the crystal system.

    Parameters
    ----------
    probabilities
        Of the systems that the classes belong to, (n, n_systems).
    classes
        Space-group numbers.
    training_counts
        Number of training structures of each class.

    Returns
    -------
    ndarray
        (n, n_classes).
    """
    _, systems = systems_among(classes)
    counts = np.asarray(training_counts, np.float32)
    totals = np.bincount(systems, weights=counts)
    # A system without a training structure gives its groups equal shares.
    shares = np.where(
        totals[systems] > 0,
        counts / np.maximum(totals[systems], 1),
        1 / np.bincount(systems)[systems],
    )
    return (probabilities[:, systems] * shares).astype(np.float32)
