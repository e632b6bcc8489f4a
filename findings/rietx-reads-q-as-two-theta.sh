#!/usr/bin/env bash
# rietx takes a column whose heading says Q for 2theta, and a column of falling d for rising 2theta.
#
# Version:   rietx 1.10.0
# Expected:  read_pattern sniffs the content of a file, and lists what it repairs or doubts in its
#            diagnostics. A column headed "q (1/A)", SPEC's "#L Q  I(Q)" or the line
#            "integrationspace = qspace" of SrXgui is refused, converted or at least doubted; so is a
#            first column that falls from 5 to 1, as lattice spacings do.
# Behaviour: each is read as 2theta in degrees, without a diagnostic; falling spacings are turned round
#            and then stand for rising angles. Positions of all lines are wrong, and indexing them goes on.
# Output:    printed below: the first and the last "2theta", and the diagnostics, of each file.
# The script fails if one of the files is refused, converted or doubted.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'rietx==1.10.0'

timeout 300 venv/bin/python - <<'PYTHON'
import math
from pathlib import Path

from rietx.io.readers import read_pattern

Q = [0.5 + 0.01 * step for step in range(800)]
D = [5.0 - 0.005 * step for step in range(800)]


def columns(axis, peak, width):
    counts = (100 + round(900 * math.exp(-(((x - peak) / width) ** 2))) for x in axis)
    return "".join(f"{x:.4f} {count}\n" for x, count in zip(axis, counts, strict=True))


over_q = columns(Q, 3.04, 0.05)
files = {
    "heading.xy": "# q (1/A)  intensity\n" + over_q,
    "spec.xy": "#S 1\n#L Q  I(Q)\n" + over_q,
    "integrated.chi": "[Experiment]\nintegrationspace = qspace\nwavelength = 0.1836\n\n"
    "#### start data\n" + over_q,
    "spacings.xy": columns(D, 3.1, 0.02),
}
for name, content in files.items():
    Path(name).write_text(content)
    pattern = read_pattern(name)
    found = [round(pattern.two_theta[0], 4), round(pattern.two_theta[-1], 4)]
    diagnostics = list(getattr(pattern, "diagnostics", []))
    print(f"{name}: 2theta from {found[0]} to {found[1]}, diagnostics {diagnostics}")
    expected = sorted([D[0], D[-1]]) if name == "spacings.xy" else [Q[0], Q[-1]]
    assert found == [round(x, 4) for x in expected], f"changed: {name} is converted"
    assert not diagnostics, f"changed: {name} is doubted"
PYTHON
