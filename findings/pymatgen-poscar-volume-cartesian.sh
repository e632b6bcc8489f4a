#!/usr/bin/env bash
# pymatgen scales Cartesian positions of a POSCAR by the negative number that states the volume.
#
# Version:   pymatgen 2026.10.24, pymatgen-core 2026.10.16
# Expected:  a negative second line of a POSCAR is the volume of the cell; VASP then scales lattice and
#            Cartesian positions by the one factor that gives this volume. In a cubic cell of 27 A^3 a
#            position of 0.25 of the unit lattice is 0.25 of the cell.
# Behaviour: the lattice is right (3 A), but Cartesian positions are multiplied by -27 instead of 3, so
#            this one is at -2.25 of the cell: another place, and another structure. With "Direct" all
#            is well.
# Output:    printed below for a second atom at (0.25, 0.25, 0.25) of the unit lattice.
# The script fails if the fraction printed is 0.25.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pymatgen==2026.10.24 pymatgen-core==2026.10.16

venv/bin/python -W ignore - <<'PYTHON'
from pymatgen.io.vasp import Poscar

LINES = "cell of 27 A^3\n-27\n1 0 0\n0 1 0\n0 0 1\nNi Ti\n1 1\n{}\n0 0 0\n0.25 0.25 0.25\n"
fractions = {}
for kind in ("Direct", "Cartesian"):
    structure = Poscar.from_str(LINES.format(kind)).structure
    fractions[kind] = float(structure.frac_coords[1][0])
    print(f"{kind}: a = {structure.lattice.a:.3f} A, second atom at {fractions[kind]:.3f} of a")
assert abs(fractions["Direct"] - 0.25) < 1e-9, "changed: Direct positions"
assert abs(fractions["Cartesian"] - 0.25) > 1e-6, "changed: the positions are right now"
PYTHON
