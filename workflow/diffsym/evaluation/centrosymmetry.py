"""Which space groups have a centre of inversion."""

from functools import cache

import numpy as np
import spglib


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


def is_centrosymmetric(space_group: int) -> bool:
    """Whether a space group (1 ... 230) is one of the 92 with a centre of inversion."""
    return space_group in _centrosymmetric_groups()
