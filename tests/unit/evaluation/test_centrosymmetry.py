"""Centres of inversion against pymatgen's own list of symmetry operations."""

import numpy as np
import pytest
from pymatgen.symmetry.groups import SpaceGroup

from diffsym.evaluation.centrosymmetry import is_centrosymmetric


def test_92_groups_have_a_centre_of_inversion():
    assert sum(is_centrosymmetric(number) for number in range(1, 231)) == 92


@pytest.mark.parametrize("number", [1, 2, 9, 15, 48, 62, 70, 82, 88, 148, 155, 176, 198, 205, 227])
def test_pymatgen_lists_the_same_inversions(number):
    operations = SpaceGroup.from_int_number(number).symmetry_ops
    inverted = any(np.allclose(op.rotation_matrix, -np.eye(3)) for op in operations)
    assert is_centrosymmetric(number) == inverted
