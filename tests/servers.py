"""Local servers that tests ask in place of those of databases."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[ThreadingHTTPServer]:
    """Answer requests in a thread of its own; a `stop` of the server ends what still waits."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        if (stop := getattr(server, "stop", None)) is not None:
            stop.set()
        server.shutdown()
        thread.join()


class ArchiveServer(ThreadingHTTPServer):
    """Serves files by path; `faults` says what goes wrong with the next requests.

    A fault is a status, "cut" (half of what was asked for is sent), "altered" (one byte is another
    one) or an address to which the request is sent on.
    """

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), _Archives)
        self.files = files
        self.faults = []
        self.asked = []  # path and range of each request

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Archives(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(200, b"")

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        fault = self.server.faults.pop(0) if self.server.faults else None
        if isinstance(fault, int):
            return self.answer(fault, b"")
        if isinstance(fault, str) and fault.startswith("http"):
            return self.answer(302, b"", Location=fault)
        content = self.server.files.get(self.path)
        if content is None:
            return self.answer(404, b"")
        tag = f'"{len(content)}"'
        if fault == "altered":
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        part = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        begin = int(part[1]) if part and self.headers.get("If-Range") == tag else 0
        headers = {"ETag": tag}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        rest = content[begin:]
        sent = rest[: 1 + len(rest) // 2] if fault == "cut" else rest
        return self.answer(206 if begin else 200, sent, length=len(rest), **headers)

    def answer(self, status, content, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
