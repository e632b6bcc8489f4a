"""`diffsym`: measured patterns in, answers out."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from diffsym.app.outcome import INTERRUPTED, NONE_ANSWERED, SOME_NOT
from diffsym.errors import DiffsymError
from diffsym.version import __version__

COMMANDS = {
    "predict": "say the likely space groups of measured powder patterns, how sure, and why",
    "convert": "write a measured file as text of two columns",
    "search": "compare measured powder patterns with known structures",
    "packs": "tell what is in packs of networks and known structures",
    "serve": "open a local page that answers patterns dropped on it",
}
"""What each command does; its module in `diffsym.app` has `add_options` and `run`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # A name that the terminal cannot show is written out.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = parser(given[:1]).parse_args(given)
    try:
        return int(options.run(options))
    except DiffsymError as error:
        print(error, file=sys.stderr)
        return NONE_ANSWERED
    except BrokenPipeError:
        # Whoever read the answers, as `head` does, has read enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_NOT
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        print(f"{error.filename or 'the output'}: {error.strerror or error}", file=sys.stderr)
        return NONE_ANSWERED


def parser(wanted: Sequence[str]) -> argparse.ArgumentParser:
    """Options of the wanted command; the modules of others stay unread, so that it starts fast."""
    top = argparse.ArgumentParser(prog="diffsym", description="Symmetry from diffraction.")
    top.add_argument("--version", action="version", version=f"diffsym {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        one = commands.add_parser(name, help=purpose, description=f"{purpose.capitalize()}.")
        if name in wanted:
            module = importlib.import_module(f"diffsym.app.{name}")
            module.add_options(one)
            one.set_defaults(run=module.run)
    return top


if __name__ == "__main__":
    sys.exit(main())
