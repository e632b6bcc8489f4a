"""What every job of the workflow has around it: a log, and errors in one sentence."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run the body of a workflow script.

    Everything the body prints goes to the rule's log file. A `DiffsymError` is also printed on
    the terminal, as one sentence; any other error is shown with the place of its traceback.
    Numerical libraries get the job's number of threads and no more, so that jobs that share a node
    do not take each other's cores: BLAS and Arrow by the variables such as OMP_NUM_THREADS that
    Snakemake sets, TensorFlow by `diffsym.keras_backend.configure`.

    Parameters
    ----------
    snakemake
        The object that Snakemake gives to its scripts.
    """
    terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w")
    log = Path(str(snakemake.log[0]))
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as handle:
        # The descriptors are replaced, not the Python objects, so that compiled libraries and
        # child processes write to the log, too.
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(handle.fileno(), 1)
        os.dup2(handle.fileno(), 2)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
        logging.captureWarnings(capture=True)
        try:
            yield
        except DiffsymError as error:
            # First on the terminal: the log may lie on the disk that is full.
            print(f"{snakemake.rule}: {error}", file=terminal, flush=True)
            sys.stderr.write(f"{error}\n")
            sys.exit(1)
        except Exception as error:  # noqa: BLE001 - the last frame of the process
            sentence = f"{type(error).__name__}: {error} (full traceback in {log})"
            print(f"{snakemake.rule}: {sentence}", file=terminal, flush=True)
            traceback.print_exc()
            sys.exit(1)
        finally:
            terminal.close()
