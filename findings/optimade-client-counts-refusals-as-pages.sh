#!/usr/bin/env bash
# optimade's client gives up a busy server's last pages: it counts each 429 as a page.
#
# Version:   optimade 1.5.0
# Expected:  OptimadeClient repeats a request that was answered by 429 (too many requests), at most
#            max_attempts times, and then reads on to the last page.
# Behaviour: it does repeat, but the request that was refused counts towards the number of pages that it
#            estimates from the first one, after which it suspects an endless loop. One refusal is
#            forgiven; each further one, anywhere in a download, costs a page at the end. The count of
#            attempts begins anew with each request, so max_attempts has no effect. There is only a line
#            in "errors", about a loop that the server does not have.
# Output:    printed below for 6 structures on pages of 2: the structures received and the errors.
# The script fails if two refusals no longer cost a page, or if max_attempts takes effect.
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

STRUCTURES, PAGE = 6, 2
refusals = 0


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        global refusals
        start = int(parse_qs(urlsplit(self.path).query).get("page_offset", ["0"])[0])
        end = min(start + PAGE, STRUCTURES)
        following = f"{address}/v1/structures?page_offset={end}" if end < STRUCTURES else None
        page = {
            "data": [{"id": str(i), "type": "structures"} for i in range(start, end)],
            "meta": {"data_available": STRUCTURES},
            "links": {"next": following},
        }
        busy = refusals > 0 and start > 0
        refusals -= busy
        body = json.dumps({} if busy else page)
        self.send_response(429 if busy else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def download(count, **options):
    global refusals
    refusals = count
    found = OptimadeClient(address, silent=True, **options).get()["structures"][""][address]
    print(f"{count} refusals, {options}: {len(found['data'])} structures; errors: {found['errors']}")
    return len(found["data"])


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
for use_async in (True, False):
    assert download(0, use_async=use_async) == STRUCTURES, "changed: a server that is not busy"
    assert download(1, use_async=use_async) == STRUCTURES, "changed: one refusal"
    assert download(2, use_async=use_async) == STRUCTURES - PAGE, "changed: two refusals"
    download(3, use_async=use_async, max_attempts=1)
    assert refusals == 0, "changed: max_attempts takes effect"
server.shutdown()
PYTHON
