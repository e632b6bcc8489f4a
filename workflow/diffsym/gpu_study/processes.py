"""Processes of the study: groups that end together, and trainers that answer tasks."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class ProcessLostError(Exception):
    """A process ended without an answer."""


class LateError(ProcessLostError):
    """A process did not answer in time and was ended."""


def end_with_parent() -> None:
    """Let this process end soon after the one that started it, however that ends."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def start_module(
    module: str, arguments: Mapping[str, Any], environment: Mapping[str, str], **streams: Any
) -> subprocess.Popen[str]:
    """Start a module of this package as a program, in a group of processes of its own.

    Parameters
    ----------
    module
        Its name.
    arguments
        Options without their dashes, and their values.
    environment
        Variables beside those of this process.
    streams
        `stdin`, `stdout` and `stderr` of `subprocess.Popen`.
    """
    options = [text for name, value in arguments.items() for text in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", module, *options],
        env={**os.environ, **environment},
        text=True,
        start_new_session=True,
        **streams,
    )


def end_group(process: subprocess.Popen[str]) -> None:
    """Kill a process of `start_module` and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Trainer:
    """The process of one of Keras' backends, see `diffsym.gpu_study.networks`.

    Parameters
    ----------
    backend
        Name of the backend.
    luggage, results
        Folders of the study.
    threads
        Of operations on processors.
    log
        Name of its log; that of the backend by default.
    """

    def __init__(
        self, backend: str, luggage: Path, results: Path, threads: int, log: str | None = None
    ) -> None:
        self._answers: queue.Queue[str | None] = queue.Queue()
        results.mkdir(parents=True, exist_ok=True)
        with (results / f"{log or backend}.log").open("a") as written:
            self._process = start_module(
                "diffsym.gpu_study.networks",
                {"luggage": luggage, "results": results, "threads": threads},
                {
                    "KERAS_BACKEND": backend,
                    # What one network has compiled serves others of its shape, and the next call.
                    "JAX_COMPILATION_CACHE_DIR": str(results / "compiled"),
                    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
            )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def begin(self, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Give tasks whose answers nobody waits for."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("".join(json.dumps(task) + "\n" for task in tasks))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ProcessLostError("its process ended") from None

    def wait(self, seconds: float) -> dict[str, Any]:
        """Next answer; LateError, and the process is ended, if there is none in so many seconds."""
        try:
            line = self._answers.get(timeout=max(seconds, 0.1))
        except queue.Empty:
            self.end()
            raise LateError(f"no answer within {seconds:.0f} s") from None
        if line is None:
            raise ProcessLostError("its process ended")
        return json.loads(line)

    def do(self, task: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Answer to a task, within so many seconds."""
        self.begin([task])
        return self.wait(seconds)

    def end(self) -> None:
        """Kill the process."""
        end_group(self._process)
