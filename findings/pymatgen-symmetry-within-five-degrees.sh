#!/usr/bin/env bash
# pymatgen finds symmetry that a structure misses by 30 times the tolerance asked for.
#
# Version:   pymatgen 2026.10.24, pymatgen-core 2026.10.16, spglib 2.8.0
# Expected:  SpacegroupAnalyzer(structure, symprec=0.01) finds symmetry that holds within 0.01 A, as
#            spglib does with that symprec. A cell with a = 5.6 A and b = 5.9 A is not tetragonal.
# Behaviour: angle_tolerance is 5 degrees by default, and spglib then compares angles in place of the
#            lengths that follow from symprec. The primitive cell of a body-centred cell has edges of
#            one length, and its angles differ by less than that. So Ibam becomes I4/mcm: another
#            label, and CifWriter with symprec writes a cell with a = b = 5.75 A. With
#            angle_tolerance=-1 all is well.
# Output:    printed below for silver azide.
# The script fails if the space group no longer depends on angle_tolerance.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pymatgen==2026.10.24 pymatgen-core==2026.10.16 spglib==2.8.0

venv/bin/python -W ignore - <<'PYTHON'
import re

import spglib
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

azide = Structure.from_spacegroup(
    "Ibam",
    Lattice.orthorhombic(5.6, 5.9, 6.0),
    ["Ag", "N", "N"],
    [[0, 0, 0.25], [0.145, 0.355, 0.5], [0, 0.5, 0]],
)
cell = (azide.lattice.matrix, azide.frac_coords, azide.atomic_numbers)
by_spglib = spglib.get_spacegroup(cell, symprec=0.01)
by_default = SpacegroupAnalyzer(azide, symprec=0.01).get_space_group_symbol()
by_lengths = SpacegroupAnalyzer(azide, symprec=0.01, angle_tolerance=-1).get_space_group_symbol()
written = re.findall(r"_cell_length_([ab])\s+(\S+)", str(CifWriter(azide, symprec=0.01)))
print(f"a = {azide.lattice.a} A, b = {azide.lattice.b} A")
print(f"spglib: {by_spglib}; pymatgen: {by_default}; with angle_tolerance=-1: {by_lengths}")
print("written:", ", ".join(f"{axis} = {length} A" for axis, length in written))
assert by_spglib == "Ibam (72)" and by_lengths == "Ibam", "changed: the tolerance in A"
assert by_default == "I4/mcm", "changed: the default"
PYTHON
