#!/usr/bin/env bash
# geddes reads one point of a pattern whose lines end in carriage returns, as those of the IUCr's
# round robins do.
#
# Version:   geddes 1.0.1
# Expected:  lines end in LF, CR LF or CR. Files of old diffractometers and of the round robins on
#            quantitative phase analysis (.prn) have CR alone; a reader takes it, or refuses the file.
# Behaviour: the file counts as one line, of which the first two numbers are taken: a pattern of one
#            point, without an error.
# Output:    printed below: the number of points for each kind of line end.
# The script fails if the third file gives all points or an error.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'geddes==1.0.1'

timeout 120 venv/bin/python - <<'PYTHON'
import math
from pathlib import Path

import geddes

POINTS = [
    (10 + 0.02 * step, 100 + round(900 * math.exp(-((step - 500) / 10) ** 2)))
    for step in range(1001)
]
found = {}
for name, end in (("LF", "\n"), ("CR LF", "\r\n"), ("CR", "\r")):
    content = "".join(f"{angle:.2f} {count}{end}" for angle, count in POINTS)
    Path("pattern.prn").write_bytes(content.encode())
    found[name] = len(geddes.read("pattern.prn").x)
    print(f"{name}: {found[name]} of {len(POINTS)} points")
assert found["LF"] == found["CR LF"] == len(POINTS), "changed: other line ends"
assert found["CR"] == 1, "changed: carriage returns are read"
PYTHON
