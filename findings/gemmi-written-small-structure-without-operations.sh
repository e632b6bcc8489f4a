#!/usr/bin/env bash
# gemmi writes a small structure without the symmetry operations that it has read.
#
# Version:   gemmi 0.7.5
# Expected:  a small structure that was read from a CIF with symmetry operations, written by
#            make_cif_block and read again, has the same atoms in the cell: the block gets the
#            operations, or the symbol of the space group with its setting.
# Behaviour: the block gets the text of the H-M symbol as the file had it, and nothing else. Without a
#            symbol, which a CIF need not have, the operations are lost and 8 atoms become 1. With the
#            symbol 'F d -3 m' beside operations of the first origin, the symbol alone is read as the
#            second origin, and 8 atoms become 16. There is no warning. Setting spacegroup_hm to
#            spacegroup.xhm() before writing keeps the setting.
# Output:    printed below for silicon at the origin: the setting and the number of atoms in the cell.
# The script fails if the atoms written are those read.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet gemmi==0.7.5

venv/bin/python - <<'PYTHON'
import gemmi

OPERATIONS = [operation.triplet() for operation in gemmi.SpaceGroup("F d -3 m:1").operations()]
CELL = "\n".join(f"_cell_length_{axis} 5.43" for axis in "abc")
ANGLES = "\n".join(f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma"))
LOOP = "\n".join(["loop_", "_space_group_symop_operation_xyz", *(f"'{o}'" for o in OPERATIONS)])
ATOMS = "\n".join(["loop_", "_atom_site_label", *(f"_atom_site_fract_{x}" for x in "xyz"), "Si1 0 0 0"])


def read(text):
    return gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block())


def describe(structure):
    setting = structure.spacegroup.xhm() if structure.spacegroup else "none"
    return f"{setting}, {len(structure.get_all_unit_cell_sites())} atoms"


for symbol in ("", "_space_group_name_H-M_alt 'F d -3 m'"):
    first = read("\n".join(["data_silicon", CELL, ANGLES, symbol, LOOP, ATOMS, ""]))
    second = read(first.make_cif_block().as_string())
    print(f"{symbol or 'operations alone'}: read {describe(first)}; written and read {describe(second)}")
    assert describe(first) == "F d -3 m:1, 8 atoms", "changed: the reading"
    assert describe(first) != describe(second), "changed: the symmetry is written"
PYTHON
