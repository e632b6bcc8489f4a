"""Snakemake that is imported once: each run is a process forked from one that has imported it.

Importing takes longer than planning a tiny study. The library is not imported ahead, so that a run
has that of its own folder.

A line of the standard input is a run as JSON, with the arguments of `run`. The answer is a line
with its exit status.
"""

import json
import os
import sys

import pydantic  # noqa: F401, which the library imports
from snakemake.cli import main


def run(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    """Go on as `python -m snakemake` in a folder, with a file that gets all that it prints."""
    printed = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(printed, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:1] = [folder, *environment["PYTHONPATH"].split(os.pathsep)]
    sys.argv = ["snakemake", *arguments]
    main()


if __name__ == "__main__":
    for line in sys.stdin:
        process = os.fork()
        if not process:
            run(**json.loads(line))
            sys.exit()
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
