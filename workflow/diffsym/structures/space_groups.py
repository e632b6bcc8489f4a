"""Names of space groups and crystal systems."""

from bisect import bisect_left
from functools import cache

import spglib

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


def crystal_system(number: int) -> str:
    """Crystal system of a space group (1 ... 230)."""
    if not 1 <= number <= LAST_NUMBERS[-1]:
        raise ValueError(f"there is no space group {number}")
    return CRYSTAL_SYSTEMS[bisect_left(LAST_NUMBERS, number)]


def symbol(number: int) -> str:
    """Short Hermann-Mauguin symbol of a space group, such as 'Fm-3m' or 'P6_3/mmc'."""
    return short_symbols()[number]


@cache
def short_symbols() -> dict[int, str]:
    """Symbol of each space group in its standard setting, the first that spglib lists."""
    types = (spglib.get_spacegroup_type(hall_number) for hall_number in range(530, 0, -1))
    return {kind.number: kind.international_short for kind in types if kind is not None}
