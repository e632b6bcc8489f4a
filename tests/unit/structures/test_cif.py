"""CIF files: what is read, what is refused with which sentence, and never another structure."""

import gemmi
import numpy as np
import pytest
from pymatgen.core import Element

from diffsym.structures.entries import Entry, EntryError
from diffsym.structures.readers import opinion, read_file
from diffsym.structures.readers.cif import read_cif
from diffsym.structures.readers.statements import parse_operation

CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
ATOMS = "label type_symbol fract_x fract_y fract_z occupancy"
CUBIC = (6.6, 6.6, 6.6, 90, 90, 90)
SYLVITE = ["K1 K 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1"]
MONOCLINIC = (5.1, 6.2, 7.3, 90, 98, 90)
PAIR = ["Ti1 Ti 0.1 0.2 0.3 1", "S1 S 0.4 0.1 0.2 1"]


def operations(symbol, tag="_space_group_symop_operation_xyz"):
    group = gemmi.SpaceGroup(symbol).operations()
    return "\n".join(["loop_", tag, *(f"'{operation.triplet()}'" for operation in group)])


def block(*statements, cell=CUBIC, atoms=SYLVITE, columns=ATOMS, name="b"):
    lines = [f"data_{name}"]
    lines += [f"_cell_{key} {value}" for key, value in zip(CELL, cell, strict=True)]
    lines += [*statements, "loop_"]
    lines += [f"_atom_site_{column}" for column in columns.split()]
    return "\n".join([*lines, *atoms, ""])


def read(*blocks):
    return read_cif("\n".join(blocks).encode(), "file.cif", "me")


def contents(entry):
    """Atoms per cell, such as 'Cl4 K4'; of a rejection its code."""
    if not isinstance(entry, Entry):
        assert entry.reason.startswith("file.cif, block '")
        return str(entry.code)
    amounts = {Element.from_Z(z).symbol: amount for z, amount in entry.amounts().items()}
    return " ".join(f"{symbol}{amounts[symbol]:g}" for symbol in sorted(amounts))


def outcome(*statements, **changes):
    (entry,) = read(block(*statements, **changes))
    return contents(entry)


def named(symbol):
    return f"_space_group_name_H-M_alt '{symbol}'"


FM3M = operations("F m -3 m")
P21C = operations("P 1 21/c 1")


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([FM3M], "Cl4 K4"),
        ([operations("F m -3 m", "_Symmetry_Equiv_Pos_As_XYZ")], "Cl4 K4"),
        ([operations("F m -3 m", "_space_group_symop.operation_xyz")], "Cl4 K4"),
        (["_cell_formula_units_Z", FM3M], "Cl4 K4"),  # a blank value
        ([FM3M, "loop_\n_geom_bond_distance\n_geom_bond_publ_flag"], "Cl4 K4"),  # an empty loop
        ([FM3M, "_note\n;\ndata_hidden\n_cell_length_a 9\n;"], "Cl4 K4"),
        (["_space_group_name_Hall '-F 4 2 3'"], "Cl4 K4"),
        ([named("F 4/m -3 2/m")], "Cl4 K4"),
        ([named("P n x y"), FM3M], "Cl4 K4"),
        ([FM3M, "_space_group_IT_number 225"], "Cl4 K4"),
        ([FM3M, named("F m -3 m"), "_space_group_IT_number 224"], "Cl4 K4"),
        (["_space_group_IT_number 225"], "Cl4 K4"),
        ([], "no_symmetry"),
        ([named("P n x y")], "no_symmetry"),
        ([named("C 4/m m m"), "_space_group_IT_number 225"], "no_symmetry"),
        ([named("F m -3 m"), "_symmetry_space_group_name_H-M 'F m -3'"], "Cl4 K4"),  # alike
        ([named("F m -3 m"), "_symmetry_space_group_name_H-M P23"], "ambiguous_symmetry"),
        ([FM3M, "_space_group_IT_number 2250"], "contradiction"),
        ([FM3M, "_space_group_IT_number 221"], "contradiction"),
        ([FM3M, "_cell_length_a 6.7"], "contradiction"),  # two values of one item
        ([operations("P 1"), named("F m -3 m")], "contradiction"),
        ([named("F m -3 m"), "_space_group_IT_number 221"], "contradiction"),
        (["_space_group_name_Hall '-F 4 2 3'", named("P m -3 m")], "contradiction"),
        ([FM3M, operations("P m -3 m", "_symmetry_equiv_pos_as_xyz")], "contradiction"),
        ([FM3M, "loop_\n_cell_measurement_temperature\n100\n200"], "Cl4 K4"),
        ([FM3M, "loop_\n_cell_formula_units_Z\n1\n4"], "contradiction"),
        ([named("P 63/m m c")], "cell"),
        ([operations("P 63/m m c")], "cell"),
        (["loop_\n_space_group_symop_operation_xyz\nx,y,z\n-y,x,z"], "operations"),
        (["_space_group_symop_operation_xyz 'x,x,z'"], "operations"),
        (["loop_\n_space_group_symop_operation_xyz", *["x,y,z"] * 800], "operations"),
        (["_space_group_symop_operation_xyz 'a,b,c'"], "operations"),
        (["_space_group_symop_operation_xyz 'x+1/0,y,z'"], "operations"),
        (["_space_group_symop_operation_xyz 'x+.,y,z'"], "operations"),
        (["_space_group_symop_operation_xyz 'x1/2,y,z'"], "operations"),
        (["_space_group_symop_operation_xyz 'x+1/2/3,y,z'"], "operations"),
        (["_cell_modulation_dimension 1"], "modulated"),
        (["_cell_modulation_dimension 1", FM3M], "Cl4 K4"),
        (["_cell_subsystems_number 2", FM3M], "modulated"),
        ([FM3M, "_atom_site_moment_label K1\n_atom_site_moment_crystalaxis_x 1"], "Cl4 K4"),
        (
            ["loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n-x,-y,-z,-1"],
            "Cl1 K1",
        ),
        (
            [
                "_space_group_symop_magn_operation.xyz x,y,z,+1",
                "loop_\n_space_group_symop_magn_centering.xyz\nx,y,z,+1\nx+1/2,y+1/2,z,-1",
            ],
            "Cl2 K2",
        ),
    ],
)
def test_statements_of_symmetry(statements, found):
    assert outcome(*statements) == found


@pytest.mark.parametrize(
    ("contents_stated", "found"),
    [
        (["_chemical_formula_sum 'K Cl'", "_cell_formula_units_Z 4"], "Cl4 K4"),
        (["_chemical_formula_sum 'K Cl'", "_cell_formula_units_Z 1"], "Cl1 K1"),
        (["_exptl_crystal_density_diffrn 1.72"], "Cl4 K4"),
        (["_chemical_formula_sum 'K Cl'"], "contradiction"),
        (["_chemical_formula_sum 'K Cl'", "_cell_formula_units_Z 2"], "contradiction"),
    ],
)
def test_the_contents_decide_a_contradiction(contents_stated, found):
    assert outcome(operations("P 1"), named("F m -3 m"), *contents_stated) == found


@pytest.mark.parametrize(
    ("statements", "cell", "found"),
    [
        ([named("P 21/n")], MONOCLINIC, "P 1 21/n 1"),
        ([named("P 21/n")], (*MONOCLINIC[:3], 90, 90, 98), "P 1 1 21/n"),
        ([named("P 21/n")], (*MONOCLINIC[:3], 90, 90, 90), "ambiguous_symmetry"),
        (["_space_group_IT_number 14"], MONOCLINIC, "ambiguous_symmetry"),
        (
            ["_space_group_IT_number 14", "_space_group_IT_coordinate_system_code b2"],
            MONOCLINIC,
            "P 1 21/n 1",
        ),
        ([named("P n m a"), "_space_group_IT_number 62"], (5, 7, 11, 90, 90, 90), "P n m a"),
        (["_space_group_IT_number 62"], (5, 7, 11, 90, 90, 90), "ambiguous_symmetry"),
        (
            ["_space_group_IT_number 62", "_space_group_IT_coordinate_system_code abc"],
            (5, 7, 11, 90, 90, 90),
            "P n m a",
        ),
        (
            [named("P n m a"), "_space_group_IT_coordinate_system_code cab"],
            (5, 7, 11, 90, 90, 90),
            "no_symmetry",
        ),
        ([named("R 3 2")], (6, 6, 6, 80, 80, 80), "R 3 2:R"),
        ([named("R 3 2 RS")], (6, 6, 6, 80, 80, 80), "R 3 2:R"),
        ([named("R 3 2 H")], (6, 6, 6, 80, 80, 80), "cell"),
        ([named("R 3 2")], (8, 8, 9, 90, 90, 120), "R 3 2:H"),
    ],
)
def test_the_cell_chooses_among_settings(statements, cell, found):
    (entry,) = read(block(*statements, cell=cell, atoms=PAIR))
    if not isinstance(entry, Entry):
        assert entry.code == found
        return
    images = [
        operation.apply_to_xyz([0.1, 0.2, 0.3])
        for operation in gemmi.SpaceGroup(found).operations()
    ]
    titanium = entry.frac_coords[entry.site_mixtures == 1]
    vectors = np.array(images)[:, None] - titanium[None, :]
    assert len(images) == len(titanium)
    assert np.abs(vectors - np.rint(vectors)).max(axis=2).min(axis=1).max() < 1e-6


SPINEL = ["Zn1 Zn 0.125 0.125 0.125 1", "Cr1 Cr 0.5 0.5 0.5 1", "S1 S 0.258 0.258 0.258 1"]


def test_atoms_exclude_an_origin_only_if_they_are_convincing():
    cell = (9.99, 9.99, 9.99, 90, 90, 90)
    assert outcome("_space_group_IT_number 227", cell=cell, atoms=SPINEL) == "Cr16 S32 Zn8"
    silicon = {"cell": (5.43, 5.43, 5.43, 90, 90, 90), "atoms": ["Si1 Si 0 0 0 1"]}
    assert outcome(named("F d -3 m"), **silicon) == "ambiguous_symmetry"
    density = "_exptl_crystal_density_diffrn 2.33"
    assert outcome(named("F d -3 m"), density, **silicon) == "Si8"
    wrong = "_exptl_crystal_density_diffrn 3.5"
    assert outcome(named("F d -3 m"), wrong, **silicon) == "contradiction"
    assert outcome(named("F d -3 m :1"), wrong, **silicon) == "contradiction"


@pytest.mark.parametrize(
    ("atoms", "found"),
    [
        (["K1 K 0 0 0 .", "Cl1 Cl 0.5 0.5 0.5 ?"], "Cl4 K4"),
        (["K1 K 0 0 0 1.0(1)", "Cl1 Cl 1/2 1/2 0.500(3) 1"], "Cl4 K4"),
        ([*SYLVITE, "Rb1 Rb 0.25 0.25 0.25 0"], "Cl4 K4"),
        ([*SYLVITE, "Va1 Va 0.25 0.25 0.25 1"], "Cl4 K4"),
        ([*SYLVITE, "H1 H ? ? ? 1"], "Cl4 K4"),
        ([*SYLVITE, "H1 H . . . 1"], "Cl4 K4"),
        ([*SYLVITE, "O1 O ? ? ? 1"], "coordinates"),
        ([*SYLVITE, "O1 O 0.2 0,2 0.2 1"], "coordinates"),
        (["K1 K 0 0 0 one"], "occupancy"),
        (["K1 K 0 0 0 -1"], "occupancy"),
        (["K1 K 0 0 0 0"], "no_atoms"),
        # The whole cell beside the operations.
        (["K1 K 0 0 0 1", "K2 K 0 0.5 0.5 1", "K3 K 0.5 0 0.5 1", "K4 K 0.5 0.5 0 1"], "K4"),
        (["K1 K 0 0 0 .5", "K2 K 0 .5 .5 .5", "K3 K .5 0 .5 .5", "K4 K .5 .5 0 .5"], "K2"),
        (["K1 K 0 0 0 1", "K2 K 0 0.5 0.5 1"], "K4"),
        (["K1 K 0 0 0 0.5", "K2 K 0 0.5 0.5 0.5"], "contradiction"),
        # Shared sites.
        (["K1 K 0 0 0 0.5", "K2 K 0 0 0 0.25", "Rb1 Rb 0.001 0 0 0.25"], "K3 Rb1"),
        (["H1 H 0 0 0 0.9", "O1 O 0 0 0 0.1"], "H3.6 O0.4"),
        (["K1 K 0 0 0 1", "Cl1 Cl 0.4999 0.5 0.5 1"], "Cl4 K4"),
    ],
)
def test_lists_of_atoms(atoms, found):
    assert outcome(FM3M, atoms=atoms) == found


@pytest.mark.parametrize("column", ["label", "occupancy", "fract_z"])
def test_a_column_of_its_own_length_is_refused(column):
    columns = ATOMS.replace(column, "note")
    extra = f"loop_\n_atom_site_{column}\n0.1\n0.2\n0.3"
    assert outcome(FM3M, extra, columns=columns) == "coordinates"


def test_unlocated_hydrogen_is_counted(caplog):
    with caplog.at_level("INFO"):
        outcome(FM3M, atoms=[*SYLVITE, "H1 H ? ? ? 1", "H2 H ? ? ? 1"])
    assert "2 hydrogen atoms without coordinates" in caplog.text


def test_rounded_special_positions():
    hexagonal = {"cell": (3.2, 3.2, 5.2, 90, 90, 120)}
    symmetry = operations("P 63/m m c")
    assert outcome(symmetry, atoms=["Mg1 Mg 0.333 0.667 0.25 1"], **hexagonal) == "Mg2"
    assert outcome(symmetry, atoms=["Mg1 Mg 0.3340 0.6660 0.2501 1"], **hexagonal) == "Mg2"


@pytest.mark.parametrize(
    ("symbol", "found"),
    [
        ("NI2+", "Ni1"),
        ("Fe+3", "Fe1"),
        ("Cval", "C1"),
        ("O2-", "O1"),
        ("O1", "O1"),
        ("cl", "Cl1"),
        ("2H", "H1"),
        ("D", "H1"),
        ("35Cl", "Cl1"),
        ("CO2+", "Co1"),
        ("ND3+", "Nd1"),
        ("Nd", "Nd1"),
        ("ND4", "N1"),
        ("ND3", "unknown_label"),
        ("OH", "O1"),
        ("OH-", "O1"),
        ("Wat", "O1"),
        ("H2O", "O1"),
        ("NH4", "N1"),
        ("Va", "no_atoms"),
        ("dummy", "no_atoms"),
        ("'0.75Nb + 0.25Zr'", "Nb0.75 Zr0.25"),
        ("Fe0.5Ni0.5", "Fe0.5 Ni0.5"),
        ("'(Al,Si)'", "mixture"),
        ("Al/Si", "mixture"),
        ("AlSi", "mixture"),
        ("T", "unknown_label"),
        ("M1", "unknown_label"),
        ("CO3", "unknown_label"),
        ("1O", "unknown_label"),
        ("Cent", "unknown_label"),
        ("Q", "unknown_label"),
    ],
)
def test_type_symbols(symbol, found):
    assert outcome(operations("P 1"), atoms=[f"X1 {symbol} 0.1 0.2 0.3 1"]) == found


@pytest.mark.parametrize(
    ("label", "formula", "found"),
    [
        ("Fe1", "", "Fe1"),
        ("FeM1", "", "Fe1"),
        ("OXT", "", "O1"),
        ("OH", "", "O1"),
        ("O-H2", "", "O1"),
        ("H2O", "", "O1"),
        ("Wat4", "W O", "O1"),
        ("NH4", "N H4 Cl", "N1"),
        ("CA", "C H2 N O", "C1"),
        ("CA", "Ca C O3", "unknown_label"),
        ("Ca1", "Ca C O3", "Ca1"),
        ("CA1", "Ca O", "Ca1"),
        ("CA", "", "unknown_label"),
        ("NA1", "", "unknown_label"),
        ("T1", "", "unknown_label"),
        ("T1", "H2 O", "unknown_label"),
        ("Va1", "", "unknown_label"),
        ("HO1", "H2 O", "unknown_label"),
        ("Ho1", "Ho O", "Ho1"),
        ("D1", "D2 O", "H1"),
        ("ND1", "C N O", "N1"),
        ("ND1", "Nd O", "Nd1"),
        ("Cent", "C", "unknown_label"),
        ("Uani", "U O2", "unknown_label"),
        ("AlSi", "Al Si O2", "mixture"),
        ("SiT1", "SI O2", "Si1"),
        ("CO3", "C O3", "C1"),
    ],
)
def test_labels_without_type_symbols(label, formula, found):
    stated = [f"_chemical_formula_sum '{formula}'"] if formula else []
    atoms = [f"{label} 0.1 0.2 0.3"]
    columns = "label fract_x fract_y fract_z"
    assert outcome(operations("P 1"), *stated, atoms=atoms, columns=columns) == found


def test_a_list_of_atom_types_decides_labels():
    types = "loop_\n_atom_type_symbol\nC\nN\nO"
    atoms, columns = ["CA 0.1 0.2 0.3"], "label fract_x fract_y fract_z"
    assert outcome(operations("P 1"), types, atoms=atoms, columns=columns) == "C1"
    atoms = ["CA ? 0.1 0.2 0.3 1"]
    assert outcome(operations("P 1"), types, atoms=atoms) == "C1"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("AL2 O3", {13: 2, 8: 3}),
        ("SI O2", {14: 1, 8: 2}),
        ("D2 O", {1: 2, 8: 1}),
        ("NaCl", {11: 1, 17: 1}),
        ("(Mg0.75 Fe0.25)2 Si O4", {12: 1.5, 26: 0.5, 14: 1, 8: 4}),
        ("C2 O4 2-", {6: 2, 8: 4}),
        ("A2 B O4", {}),
        ("Ln", {}),
    ],
)
def test_formulae(formula, expected):
    text = block(operations("P 1"), f"_chemical_formula_sum '{formula}'")
    (entry,) = read(text)
    assert entry.expected_composition == expected


def test_density_of_deuterium_is_that_of_hydrogen():
    atoms = ["O1 O 0 0 0 1", "D1 D 0.2 0.2 0.2 1", "D2 D 0.2 0.8 0.8 1"]
    stated = ["_chemical_formula_sum 'D2 O'", "_exptl_crystal_density_diffrn 1.107"]
    cell = (3.107, 3.107, 3.107, 90, 90, 90)
    (entry,) = read(block(operations("P 1"), *stated, cell=cell, atoms=atoms))
    assert entry.expected_density == pytest.approx(0.9956, abs=1e-3)


def test_several_blocks_are_several_entries():
    other = block(named("P m -3 m"), name="other")
    powder = "data_powder_pattern\n_pd_meas_counts_total 5\n"
    twins = [block(FM3M, name="twin")] * 2
    entries = read(
        "data_global\n_audit_author_name x\n", powder, *twins, other, block(FM3M, name="")
    )
    names = [entry.entry_id for entry in entries]
    assert names == [
        "file.cif#twin(1)",
        "file.cif#twin(2)",
        "file.cif#other",
        "file.cif#(4)",
    ]
    entries = read(block(FM3M, name="good"), block(name="bad"))
    assert [contents(entry) for entry in entries] == ["Cl4 K4", "no_symmetry"]


@pytest.mark.parametrize(
    ("blocks", "found", "words"),
    [
        (["ok", "broken", "ok"], ["Cl4 K4", "unreadable", "Cl4 K4"], "line 26"),
        (["broken", "ok"], ["unreadable", "Cl4 K4"], "line 8"),
        (["ok", "broken"], ["Cl4 K4", "unreadable"], "line 26"),
        (["hidden", "broken"], ["Cl4 K4", "unreadable"], "line 31"),
    ],
)
def test_a_broken_block_leaves_the_others(blocks, found, words):
    kinds = {
        "ok": ["_space_group_name_Hall '-F 4 2 3'"],
        "hidden": ["_space_group_name_Hall '-F 4 2 3'", "_note\n;\ndata_c\n_cell_length_a 9 9\n;"],
        "broken": ["_space_group_name_Hall '-F 4 2 3' twice"],
    }
    items = read(*(block(*kinds[kind], name=kind) for kind in blocks))
    assert [contents(item) for item in items] == found
    (broken,) = (item for item in items if not isinstance(item, Entry))
    assert "block 'broken'" in broken.reason
    assert words in broken.reason


def test_a_broken_block_makes_none_of_a_block_without_atoms():
    items = read(block(FM3M), "data_blank\n_cell_length_a", block("twice 2", name="broken"))
    assert [contents(item) for item in items] == ["Cl4 K4", "unreadable"]


def test_nothing_is_read_behind_a_field_without_end():
    with pytest.raises(EntryError, match="rules of CIF"):
        read(block(FM3M), block("_note\n;\nno end"), block(FM3M))


def test_a_cell_without_atoms_lends_nothing_to_the_structure():
    impurity = "data_x\n_cell_length_a 4\n_chemical_name_mineral impurity\n"
    (entry,) = read(impurity, block(FM3M, "_chemical_name_mineral sylvite"))
    assert (entry.entry_id, entry.name) == ("file.cif", "sylvite")
    assert entry.declared_space_group == 225


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("data_b", "data_b\n_author 'Andr\xe9'").encode("latin-1"),
        lambda text: text.replace("-", "\u2212").encode(),
        lambda text: text.replace("data_b", "data_b\n_author Andr\xe9").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
)
def test_encodings(encode):
    (entry,) = read_cif(encode(block(P21C, cell=MONOCLINIC, atoms=PAIR)), "file.cif", "")
    assert contents(entry) == "S4 Ti4"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", "no_structure", "holds no data block"),
        ("data_a\n_cell_length_a 4\n", "no_structure", "none of the 1 blocks lists atoms"),
        ("data_a\n_cell_length_a 4 5\n", "unreadable", "line 2: parse error"),
        (block(FM3M).replace("_cell_length_b 6.6", ""), "cell", "_cell_length_b is missing"),
        (block(FM3M, cell=("six", *CUBIC[1:])), "cell", "_cell_length_a is 'six'"),
        (block(FM3M, cell=(*CUBIC[:3], 30, 30, 90)), "cell", "no cell has the angles"),
        (block(FM3M).replace("fract_z", "z"), "coordinates", "_atom_site_fract_z is missing"),
        (block(FM3M).replace("fract_", "Cartn_"), "coordinates", "only Cartesian"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, code, words):
    path = tmp_path / "file.cif"
    path.write_text(content)
    (rejection,) = read_file(path.read_bytes, path.name, "file.cif", "")
    assert rejection.code == code
    assert words in rejection.reason


@pytest.mark.parametrize(
    ("triplet", "image"),
    [
        ("1/2-X, y ,Z+.25", (0.4, 0.2, 0.55)),
        ("3 -x,y,z", (-0.1, 0.2, 0.3)),
        ("(3) -x,y,z", (-0.1, 0.2, 0.3)),
        ("3,-x,y,z", (-0.1, 0.2, 0.3)),
        ("x-y,x,z+0.3333", (-0.1, 0.1, 0.3 + 1 / 3)),
        ("x,y,z+218/869", (0.1, 0.2, 0.3 + 218 / 869)),
        (" + x , y - 2z,z+ 1/2", (0.1, -0.4, 0.8)),
    ],
)
def test_operations(triplet, image):
    rotation, vector = parse_operation(triplet)
    np.testing.assert_allclose(rotation @ (0.1, 0.2, 0.3) + vector, image, atol=1e-12)


def test_readers_that_disagree_refuse(monkeypatch):
    atoms, columns = ["Fe1 0.1 0.2 0.3", "O1 0.6 0.2 0.3"], "label fract_x fract_y fract_z"
    assert outcome(operations("P 1"), atoms=atoms, columns=columns) == "Fe1 O1"
    original = opinion.pymatgen_reading

    def other_element(*arguments):
        structure = original(*arguments)
        structure.replace(0, "Co")
        return structure

    def other_place(*arguments):
        structure = original(*arguments)
        structure.translate_sites([0], [0.1, 0, 0])
        return structure

    def no_reading(*_):
        raise ValueError("no")

    for reading in (other_element, no_reading):
        monkeypatch.setattr(opinion, "pymatgen_reading", reading)
        found = outcome(operations("P 1"), atoms=atoms, columns=columns)
        assert found == "readers_disagree"
        # The file's own statements decide.
        formula = "_chemical_formula_sum 'Fe O'"
        assert outcome(operations("P 1"), formula, atoms=atoms, columns=columns) == "Fe1 O1"
        assert outcome(FM3M) == "Cl4 K4"
    monkeypatch.setattr(opinion, "pymatgen_reading", other_place)
    assert outcome(FM3M) == "readers_disagree"


def test_large_cells_are_compared_in_parts(monkeypatch):
    counts = []
    original = opinion.pymatgen_reading

    def counting(cell, sites, points):
        counts.append(len(sites))
        return original(cell, sites, points)

    monkeypatch.setattr(opinion, "pymatgen_reading", counting)
    places = np.arange(250) / 250
    atoms = [f"Fe{index} Fe {place} 0.2 0.3 1" for index, place in enumerate(places)]
    assert outcome(operations("P 1"), cell=(500, 5, 5, 90, 90, 90), atoms=atoms) == "Fe250"
    assert counts == [100, 100, 50]
