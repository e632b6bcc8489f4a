"""`diffsym serve`: a page on this machine that answers patterns dropped on it."""

import argparse
import importlib.util
import socket
import webbrowser
from contextlib import suppress

from diffsym.app.evidence import add_evidence, evidence_of
from diffsym.app.outcome import ALL_ANSWERED, positive
from diffsym.errors import DiffsymError

HOST = "127.0.0.1"
PORT = 8765
NEEDED = ("fastapi", "uvicorn")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--port",
        type=port,
        default=PORT,
        metavar="N",
        help=f"0: one that is free (default: {PORT})",
    )
    add_evidence(parser)
    parser.add_argument(
        "--top", type=positive, default=6, metavar="N", help="groups and structures"
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")


def run(options: argparse.Namespace) -> int:
    """Serve until the user interrupts; the exit code."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise DiffsymError(
            f"serve: {' and '.join(missing)} is not installed; run pip install 'diffsym[serve]'"
        )
    # Imported here: the other commands do without a server.
    import uvicorn  # noqa: PLC0415

    from diffsym.app.page.application import create_app  # noqa: PLC0415

    evidence = evidence_of(options)
    with listening(options.port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}"
        app = create_app(evidence, evidence.name, options.top)
        print(f"Drop patterns on {address} (this machine only; Ctrl-C ends it)", flush=True)
        if options.open:
            webbrowser.open(address)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        with suppress(KeyboardInterrupt):
            server.run([listener])
    return ALL_ANSWERED


def listening(number: int) -> socket.socket:
    """A socket of this machine alone; DiffsymError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, number))
    except OSError as error:
        listener.close()
        raise DiffsymError(
            f"--port {number}: cannot be used ({error.strerror}); give another one, or 0 for one "
            "that is free"
        ) from None
    listener.listen()
    return listener


def port(text: str) -> int:
    """A number of a port."""
    number = int(text)
    if not 0 <= number < 65536:
        raise ValueError(text)
    return number
