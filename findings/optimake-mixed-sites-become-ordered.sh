#!/usr/bin/env bash
# optimake publishes a mixed crystal as an ordered one, without the minor element.
#
# Version:   optimade-maker 1.0.0, optimade 1.5.0, ase 3.29.0
# Expected:  optimake convert turns a folder of CIF files into OPTIMADE structures. OPTIMADE describes a
#            mixed site (a species with concentrations, and the feature "disorder"), so a CIF with
#            occupancies becomes that, or is refused, or brings a warning.
# Behaviour: each site gets the element with the highest occupancy, at a concentration of 1, and
#            vacancies are filled. Magnesiowuestite with 70 % Mg, 20 % Fe and 10 % vacancies on the site
#            of the metal becomes MgO; a search for iron does not find it, and one for ordered
#            structures does. Nothing about it is printed.
# Output:    printed below: the composition in the CIF file and that of the OPTIMADE structure.
# The script fails if the structure has iron, or a species that is not full.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet optimade-maker==1.0.0 optimade==1.5.0 ase==3.29.0

mkdir archive
cat > archive/optimade.yaml <<'YAML'
config_version: 0.1.0
database_description: one mixed crystal
entries:
  - entry_type: structures
    entry_paths:
      - file: mixed.cif
YAML
cat > archive/mixed.cif <<'CIF'
data_mixed
_cell_length_a 4.25
_cell_length_b 4.25
_cell_length_c 4.25
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
_space_group_IT_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mg1 Mg 0 0 0 0.7
Fe1 Fe 0 0 0 0.2
O1 O 0.5 0.5 0.5 1
CIF
venv/bin/optimake convert archive > log 2>&1

venv/bin/python - <<'PYTHON'
import json

lines = [json.loads(line) for line in open("archive/optimade.jsonl")]
entry = next(line for line in lines if line.get("type") == "structures")["attributes"]
species = sorted((one["chemical_symbols"], one["concentration"]) for one in entry["species"])
print("CIF: Mg 0.7 and Fe 0.2 on one site, O on the other")
print(f"OPTIMADE: {entry['chemical_formula_descriptive']}, elements {entry['elements']}")
print(f"species {species}, structure_features {entry['structure_features']}")
log = open("log").read()
print("mentioned in the log:", any(word in log.lower() for word in ("occup", "disorder", "mixed site")))
assert entry["elements"] == ["Mg", "O"], "changed: the elements"
assert species == [(["Mg"], [1.0]), (["O"], [1.0])], "changed: the species"
assert entry["structure_features"] == [], "changed: the features"
assert "occup" not in log.lower() and "disorder" not in log.lower(), "changed: there is a message"
PYTHON
