"""Keras, imported in one place, so that its backend is quiet and is set up the same way by all.

The backend is TensorFlow unless the environment variable `KERAS_BACKEND` names another.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what compiled code writes to the standard error stream; Python errors still rise."""
    sys.stderr.flush()
    kept, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(devnull)


# TensorFlow writes notices about CPU features and absent GPUs into every job's log. The variable
# silences those it writes while it computes, but not those it writes while it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with _quiet_stderr():
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf
    else:
        tf = None

__all__ = ["configure", "keras", "resolve_jit"]


def configure(*, threads: int, deterministic: bool = True, precision: str = "float32") -> None:
    """Set the backend up for a job, before it computes anything.

    Parameters
    ----------
    threads
        Threads of one operation. Operations run one after the other. TensorFlow only: JAX takes
        the cores that the process may use.
    deterministic
        Choose operations whose result does not depend on the order of threads. The same seed then
        gives the same weights on one machine. TensorFlow only.
    precision
        Keras' name of the numbers computed with: "float32", or "mixed_bfloat16", which accelerators
        are faster with; weights and probabilities stay float32.
    """
    keras.config.set_dtype_policy(precision)
    if tf is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if deterministic:
            tf.config.experimental.enable_op_determinism()


def resolve_jit(jit_compile: bool | None) -> bool | Literal["auto"]:
    """Whether to compile with XLA, where None leaves the choice to this function.

    On a CPU, XLA's convolutions take longer than those TensorFlow has from oneDNN (docs/models.md),
    so TensorFlow compiles on accelerators only, and there only ("auto") what it may: nothing while
    its operations have to be deterministic. JAX always compiles.
    """
    if jit_compile is not None:
        return jit_compile
    return "auto" if tf is None or tf.config.list_physical_devices("GPU") else False
