#!/usr/bin/env bash
# The OPTIMADE reference server includes no more than 20 references with a page of structures.
#
# Version:   optimade 1.5.0
# Expected:  the OPTIMADE specification has a server send the references of all structures on a page
#            under "included". A page with 30 structures, each with a paper of its own, brings 30.
# Behaviour: the server looks the references up as if a client had asked for a page of them, so its
#            default page_limit (20) cuts the list off. There is no warning and no link to the rest. With
#            20 references or fewer all is well. A client has to compare relationships with "included",
#            and to ask for the rest at /references.
# Output:    printed below for two page lengths: the references named, and those included.
# The script fails if all references of the longer page are included.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'optimade[server]==1.5.0'

cat > write.py <<'PYTHON'
import json

TIME = "2024-01-01T00:00:00Z"
ATTRIBUTES = {
    "last_modified": TIME,
    "elements": ["Po"],
    "nelements": 1,
    "elements_ratios": [1.0],
    "chemical_formula_descriptive": "Po",
    "chemical_formula_reduced": "Po",
    "chemical_formula_anonymous": "A",
    "dimension_types": [1, 1, 1],
    "nperiodic_dimensions": 3,
    "lattice_vectors": [[3.4, 0.0, 0.0], [0.0, 3.4, 0.0], [0.0, 0.0, 3.4]],
    "cartesian_site_positions": [[0.0, 0.0, 0.0]],
    "nsites": 1,
    "species": [{"name": "Po", "chemical_symbols": ["Po"], "concentration": [1.0]}],
    "species_at_sites": ["Po"],
    "structure_features": [],
}
lines = [{"x-optimade": {"meta": {"api_version": "1.2.0"}}}]
for i in range(30):
    cited = {"references": {"data": [{"type": "references", "id": f"paper-{i}"}]}}
    lines.append(
        {"id": f"po-{i}", "type": "structures", "attributes": ATTRIBUTES, "relationships": cited}
    )
    paper = {"last_modified": TIME, "title": f"Polonium {i}"}
    lines.append({"id": f"paper-{i}", "type": "references", "attributes": paper})
with open("optimade.jsonl", "w") as file:
    file.writelines(json.dumps(line) + "\n" for line in lines)
with open("config.json", "w") as file:
    settings = {"insert_from_jsonl": "optimade.jsonl", "insert_test_data": False, "log_dir": "log"}
    json.dump(settings, file)
PYTHON
venv/bin/python write.py

OPTIMADE_CONFIG_FILE=config.json timeout 180 venv/bin/python -W ignore - <<'PYTHON'
import json
import socket
import threading
import time
from urllib.request import urlopen

import uvicorn
from optimade.server.main import app

listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
thread.start()
while not server.started:
    assert thread.is_alive(), "the server did not start"
    time.sleep(0.1)

seen = {}
for limit in (20, 30):
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/structures?page_limit={limit}"
    page = json.load(urlopen(address, timeout=30))
    named = {one["id"] for entry in page["data"] for one in entry["relationships"]["references"]["data"]}
    included = {one["id"] for one in page["included"]}
    seen[limit] = (len(page["data"]), len(named), len(included))
    print(
        f"page_limit={limit}: {len(page['data'])} structures with {len(named)} references, "
        f"{len(included)} included; warnings: {page['meta'].get('warnings')}"
    )
    assert not page["meta"].get("warnings"), "changed: there is a warning"
server.should_exit = True
thread.join(10)
assert seen[20] == (20, 20, 20), "changed: the shorter page"
assert seen[30] == (30, 30, 20), "changed: the longer page"
PYTHON
