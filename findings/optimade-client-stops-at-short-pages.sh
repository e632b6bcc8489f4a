#!/usr/bin/env bash
# optimade's client stops early when later pages are shorter than the first one.
#
# Version:   optimade 1.5.0
# Expected:  OptimadeClient follows links.next to the last page. The OPTIMADE specification lets a server
#            return fewer entries than page_limit, on any page (to bound the size of an answer, say).
# Behaviour: the client divides the number of entries by the length of the FIRST page, and takes this for
#            the number of pages; after one more it suspects an endless loop and stops. The longer the
#            first page, the less it reads: with 4 entries on it and 1 on each of the others, 7 of 12.
#            A short first page is no problem, and a server that does not state data_available
#            (it is optional) is read to the end. There is only a line in "errors".
# Output:    printed below for 12 structures: the lengths of the pages and the structures received.
# The script fails if all structures are read where only later pages are short.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'optimade[http-client]==1.5.0'

timeout 120 venv/bin/python - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from optimade.client import OptimadeClient

STRUCTURES = 12
lengths, meta = [], {}


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        number = int(parse_qs(urlsplit(self.path).query).get("page_number", ["1"])[0])
        start, end = sum(lengths[: number - 1]), sum(lengths[:number])
        following = f"{address}/v1/structures?page_number={number + 1}" if end < STRUCTURES else None
        page = {
            "data": [{"id": str(i), "type": "structures"} for i in range(start, end)],
            "meta": meta,
            "links": {"next": following},
        }
        body = json.dumps(page)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def download(pages, use_async, **stated):
    global lengths, meta
    lengths, meta = pages, stated
    found = OptimadeClient(address, silent=True, use_async=use_async).get()["structures"][""][address]
    print(f"pages of {pages}, {stated}: {len(found['data'])} structures; errors: {found['errors']}")
    return len({entry["id"] for entry in found["data"]})


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
short = [4] + [1] * 8
for use_async in (True, False):
    read = [
        download([4, 4, 4], use_async, data_available=STRUCTURES),
        download(short[::-1], use_async, data_available=STRUCTURES),
        download(short, use_async),
        download(short, use_async, data_available=STRUCTURES),
    ]
    assert read[:3] == [STRUCTURES] * 3, "changed: what was read to the end"
    assert read[3] < STRUCTURES, "changed: short pages are read to the end"
server.shutdown()
PYTHON
