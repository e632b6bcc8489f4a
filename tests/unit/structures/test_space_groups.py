"""Names, crystal systems and centres of inversion of space groups, against pymatgen's."""

import numpy as np
import pytest
import spglib
from pymatgen.symmetry.groups import SpaceGroup

from diffsym.structures.space_groups import (
    CRYSTAL_SYSTEMS,
    crystal_system,
    is_centrosymmetric,
    mirror_image,
    symbol,
    systems_among,
)


@pytest.mark.parametrize("number", range(1, 231))
def test_agreement_with_pymatgen(number):
    assert crystal_system(number) == SpaceGroup.from_int_number(number).crystal_system
    assert crystal_system(number) in CRYSTAL_SYSTEMS


def test_symbols():
    assert [symbol(number) for number in (2, 14, 194, 225)] == [
        "P-1",
        "P2_1/c",
        "P6_3/mmc",
        "Fm-3m",
    ]


@pytest.mark.parametrize("number", [0, -1, 231])
def test_numbers_out_of_range(number):
    with pytest.raises(ValueError, match="no space group"):
        crystal_system(number)


def test_92_groups_have_a_centre_of_inversion():
    assert sum(is_centrosymmetric(number) for number in range(1, 231)) == 92


@pytest.mark.parametrize("number", [1, 2, 9, 15, 48, 62, 70, 82, 88, 148, 155, 176, 198, 205, 227])
def test_pymatgen_lists_the_same_inversions(number):
    operations = SpaceGroup.from_int_number(number).symmetry_ops
    inverted = any(np.allclose(op.rotation_matrix, -np.eye(3)) for op in operations)
    assert is_centrosymmetric(number) == inverted


def test_systems_are_numbered_among_those_that_occur():
    names, index = systems_among((14, 15, 62, 225, 227))
    assert names == ["monoclinic", "orthorhombic", "cubic"]
    assert index.tolist() == [0, 0, 1, 2, 2]
    assert systems_among((230, 2, 166))[1].tolist() == [2, 0, 1]


def test_mirror_images_by_their_operations():
    """The operations of a group, turned inside out, are those of its mirror image."""
    found = {}
    for number in range(1, 231):
        hall_number = next(
            hall for hall in range(1, 531) if spglib.get_spacegroup_type(hall).number == number
        )
        operations = spglib.get_symmetry_from_database(hall_number)
        turned = spglib.get_spacegroup_type_from_symmetry(
            operations["rotations"], -operations["translations"]
        )
        if turned.number != number:
            found[number] = turned.number
    assert len(found) == 22
    assert found == {number: mirror_image(number) for number in found}
    assert [mirror_image(number) for number in range(1, 231)].count(None) == 208
