#!/usr/bin/env bash
# optimade's client asks for the species "Fe3 " where "Fe3+" was asked for.
#
# Version:   optimade 1.5.0, httpx2 2.16.2, requests 2.34.2
# Expected:  OptimadeClient URL-encodes a filter, as the OPTIMADE specification asks of clients, so that
#            the server reads the filter that was given.
# Behaviour: the filter goes into the URL as it is. The HTTP library encodes quotes and spaces, but not
#            the characters that mean something in a query: a plus sign, which a server reads as a
#            space, and "&" and "#", which end the filter. So a search for ions finds nothing, without
#            an error; a string with "&" is cut. The filter cannot be encoded as a whole beforehand,
#            since the client checks its grammar first, but "%2B" in a string arrives as a plus sign.
# Output:    printed below: each filter as given and as the server reads it.
# The script fails if a filter with a plus sign arrives as it was given.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'optimade[http-client]==1.5.0' httpx2==2.16.2 requests==2.34.2

timeout 120 venv/bin/python - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from optimade.client import OptimadeClient

FILTERS = [
    'elements HAS "Fe"',
    'species_at_sites HAS "Fe3+"',
    'species_at_sites HAS "Fe3%2B"',
    'chemical_formula_descriptive CONTAINS "&"',
    'chemical_formula_descriptive CONTAINS "#"',
]
received = []


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        received.extend(parse_qs(urlsplit(self.path).query)["filter"])
        body = json.dumps({"data": [], "meta": {"data_available": 1}, "links": {"next": None}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
for use_async in (True, False):
    received.clear()
    for text in FILTERS:
        client = OptimadeClient(address, use_async=use_async, silent=True)
        found = client.get(text)["structures"][text][address]
        print(f"{'async' if use_async else 'sync'}: {text} is read as {received[-1]}")
        assert not found["errors"], found["errors"]
    assert received[0] == FILTERS[0], "changed: a plain filter"
    assert received[1] == 'species_at_sites HAS "Fe3 "', "changed: the plus sign"
    assert received[2] == FILTERS[1], "changed: the encoded plus sign"
    assert all(text.endswith('CONTAINS "') for text in received[3:]), "changed: & and #"
server.shutdown()
PYTHON
