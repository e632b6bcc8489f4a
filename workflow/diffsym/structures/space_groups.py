"""Names of space groups, their crystal systems and centres of inversion."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache

import numpy as np
import spglib
from numpy.typing import ArrayLike, NDArray

CRYSTAL_SYSTEMS = (
    "triclinic",
    "monoclinic",
    "orthorhombic",
    "tetragonal",
    "trigonal",
    "hexagonal",
    "cubic",
)
"""In the order of the International Tables."""

LAST_NUMBERS = (2, 15, 74, 142, 167, 194, 230)
"""Number of the last space group of each crystal system."""

ENANTIOMORPHS = (
    (76, 78),
    (91, 95),
    (92, 96),
    (144, 145),
    (151, 153),
    (152, 154),
    (169, 170),
    (171, 172),
    (178, 179),
    (180, 181),
    (212, 213),
)
"""Pairs of space groups that are mirror images of each other, as their crystals are."""


def mirror_image(number: int) -> int | None:
    """The other space group of an enantiomorphic pair; None for all others.

    Examples
    --------
    >>> mirror_image(152), mirror_image(154), mirror_image(225)
    (154, 152, None)
    """
    for pair in ENANTIOMORPHS:
        if number in pair:
            return sum(pair) - number
    return None


def crystal_system(number: int) -> str:
    """Crystal system of a space group (1 ... 230)."""
    if not 1 <= number <= LAST_NUMBERS[-1]:
        raise ValueError(f"there is no space group {number}")
    return CRYSTAL_SYSTEMS[bisect_left(LAST_NUMBERS, number)]


def systems_among(numbers: Sequence[int]) -> tuple[list[str], NDArray[np.int64]]:
    """Crystal systems that some space groups belong to, and the index of each group's in them."""
    found = {crystal_system(number) for number in numbers}
    systems = [system for system in CRYSTAL_SYSTEMS if system in found]
    return systems, np.array([systems.index(crystal_system(number)) for number in numbers])


def spread_over_groups(
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


def is_centrosymmetric(number: int) -> bool:
    """Whether a space group (1 ... 230) is one of the 92 with a centre of inversion."""
    return number in _centrosymmetric_groups()


@cache
def _centrosymmetric_groups() -> frozenset[int]:
    """Numbers of the groups in whose operations, as spglib lists them, -1 is a rotation part."""
    inversion = -np.eye(3, dtype=int)
    groups = set()
    for hall_number in range(1, 531):
        group = spglib.get_spacegroup_type(hall_number)
        operations = spglib.get_symmetry_from_database(hall_number)
        assert group is not None
        assert operations is not None
        if (operations["rotations"] == inversion).all(axis=(1, 2)).any():
            groups.add(group.number)
    return frozenset(groups)


def symbol(number: int) -> str:
    """Short Hermann-Mauguin symbol of a space group, such as 'Fm-3m' or 'P6_3/mmc'."""
    return short_symbols()[number]


@cache
def short_symbols() -> dict[int, str]:
    """Symbol of each space group in its standard setting, the first that spglib lists."""
    types = (spglib.get_spacegroup_type(hall_number) for hall_number in range(530, 0, -1))
    return {kind.number: kind.international_short for kind in types if kind is not None}
