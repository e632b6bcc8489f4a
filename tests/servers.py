"""Local servers that tests ask in place of those of databases."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


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
