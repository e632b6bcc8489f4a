"""Names of space groups."""

import pytest
from pymatgen.symmetry.groups import SpaceGroup

from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system, symbol


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
