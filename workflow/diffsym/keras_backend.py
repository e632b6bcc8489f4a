"""Keras, imported in one place, so that its backend is quiet and is set up the same way by all.

The backend is TensorFlow unless the environment variable `KERAS_BACKEND` names another.
"""

import os

# TensorFlow reads this while it is imported. Its notices about CPU features are of no use in a
# job's log; warnings about the computation itself are raised as Python errors all the same.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

__all__ = ["configure", "keras", "resolve_jit"]


def configure(*, threads: int, deterministic: bool = True) -> None:
    """Give the backend the job's threads, before it computes anything.

    Parameters
    ----------
    threads
        Threads of one operation. Operations run one after the other. TensorFlow only: JAX takes
        the cores that the process may use.
    deterministic
        Choose operations whose result does not depend on the order of threads. The same seed then
        gives the same weights on one machine.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def resolve_jit(jit_compile: bool | None) -> bool:
    """Whether to compile with XLA, where None leaves the choice to this function.

    On a CPU, XLA's convolutions take about twice as long as those TensorFlow has from oneDNN
    (docs/models.md), so TensorFlow compiles on accelerators only. JAX always compiles.
    """
    if jit_compile is not None:
        return jit_compile
    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
