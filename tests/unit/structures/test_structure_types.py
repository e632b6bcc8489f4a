"""Structure types, against pymatgen's protostructure labels."""

import pytest
from pymatgen.analysis.prototypes import (
    get_protostructure_label_from_spglib,
    get_prototype_from_protostructure,
)
from pymatgen.core import Structure

from diffsym.structures.shards import list_orbits
from diffsym.structures.standardise import conventional_cell, primitive_cell
from diffsym.structures.structure_types import anonymous_symbol, structure_type
from diffsym.structures.symmetry import find_symmetry


def type_of(entry):
    symmetry = find_symmetry(entry, 0.01)
    primitive = primitive_cell(symmetry)
    return structure_type(
        symmetry.number, list_orbits(primitive), len(conventional_cell(symmetry).frac_coords)
    )


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (11153, "A_cF4_225_a"),  # nickel
        (11243, "A_cF8_227_a"),  # silicon
        (11686, "AB2_cF12_225_a_c"),  # ceria, fluorite
        (3, "AB_cF8_225_a_b"),  # galena, rock salt
        (6, "AB2_cP12_205_a_c"),  # pyrite
    ],
)
def test_known_types(read_entry, identifier, expected):
    assert type_of(read_entry(identifier)) == expected


def test_ordered_structures_agree_with_pymatgen(source):
    """Every 150th entry of the database, where it is ordered."""
    compared = 0
    for entry in source.read(source.identifiers()[::150]):
        if any(len(mixture) > 1 or mixture[0][1] < 1 for mixture in entry.mixtures):
            continue
        numbers = [entry.mixtures[index][0][0] for index in entry.site_mixtures]
        structure = Structure(entry.lattice, numbers, entry.frac_coords)
        if len(set(numbers)) > 8:
            continue  # pymatgen tries all permutations of species
        label = get_protostructure_label_from_spglib(
            structure, raise_errors=True, init_symprec=0.01, fallback_symprec=None
        )
        assert type_of(entry) == get_prototype_from_protostructure(label)
        compared += 1
    assert compared > 20


def test_chemistry_does_not_matter():
    """Exchanging the species of equal amount, or the choice of origin, changes nothing."""
    assert structure_type(225, [(0, "a", 1), (1, "b", 1)], 8) == "AB_cF8_225_a_b"
    assert structure_type(225, [(0, "b", 1), (1, "a", 1)], 8) == "AB_cF8_225_a_b"
    assert structure_type(227, [(0, "b", 2)], 8) == structure_type(227, [(7, "a", 2)], 8)


def test_mixed_sites_count_as_one_species(read_entry):
    """Hercynite with Fe, Mg and Al on both of its cation sites is of the type of spinel."""
    hercynite = read_entry(4917)
    assert max(len(mixture) for mixture in hercynite.mixtures) == 3
    assert type_of(hercynite) == "AB2C4_cF56_227_a_d_e"


def test_many_species_have_names():
    names = [anonymous_symbol(index) for index in range(80)]
    assert names[:2] == ["A", "B"]
    assert names[25:28] == ["Z", "Aa", "Ab"]
    assert len(set(names)) == 80
