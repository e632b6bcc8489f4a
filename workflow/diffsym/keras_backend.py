"""Keras, imported in one place, so that its backend is quiet and is set up the same way by all.

The backend is TensorFlow unless the environment variable `KERAS_BACKEND` says `jax` or `torch`. The
user's `keras.json`, which could also change the order of axes and the precision, is not read.
"""

import importlib
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from diffsym.errors import DiffsymError
from diffsym.gpus import claim_gpus, visible_gpus

log = logging.getLogger(__name__)


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


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Let imports of packages fail that are not imported yet, as if they were not installed."""
    hidden = [name for name in packages if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# A home without a keras.json, where Keras cannot write one either.
os.environ["KERAS_HOME"] = os.devnull
# Both backends would take all memory, or most, of a GPU at once, and leave none to another job.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
# Without it CUDA's matrix products refuse PyTorch's wish for determinism.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# TensorFlow writes notices about CPU features and absent GPUs into every job's log. The variable
# silences those it writes while it computes, but not those it writes while it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# What Keras and TensorFlow import where they find it, and nothing here uses. It takes 40 % of the
# time of importing them, and a quarter of a gigabyte.
_unused = ["matplotlib", "sklearn"]
if os.environ.get("KERAS_BACKEND") in {"tensorflow", "torch"}:
    _unused.append("jax")
with _quiet_stderr(), _hidden(*_unused):
    import keras

    tf = importlib.import_module("tensorflow") if keras.backend.backend() == "tensorflow" else None
    torch = importlib.import_module("torch") if keras.backend.backend() == "torch" else None

__all__ = [
    "configure",
    "keras",
    "resolve_jit",
    "resolve_precision",
    "shares",
    "untuned",
    "used_device",
]

# What Linux calls products of bfloat16 numbers that a processor computes itself.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def configure(
    *, threads: int, devices: int = 1, deterministic: bool = True, precision: str = "float32"
) -> None:
    """Set the backend up for a job, before it computes anything.

    Parameters
    ----------
    threads
        Threads of one operation. Operations run one after the other. JAX takes the cores that the
        process may use instead.
    devices
        GPUs, or other devices, that share each batch. JAX only, if more than one.
    deterministic
        Choose operations whose result does not depend on the order of threads. The same seed then
        gives the same weights on one machine.
    precision
        Keras' name of the numbers computed with: "float32", or "mixed_bfloat16" and
        "mixed_float16", which accelerators are faster with; weights and probabilities stay float32.
        "auto": see `resolve_precision`.

    Raises
    ------
    DiffsymError
        If batches cannot be shared among so many devices.
    """
    if devices > 1 and keras.backend.backend() != "jax":
        raise DiffsymError(
            f"devices: {devices} of the training needs Keras' backend JAX, and this is "
            f"{keras.backend.backend()}; set the environment variable KERAS_BACKEND=jax, or "
            "devices: 1"
        )
    claim_gpus(devices)
    if tf is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if deterministic:
            tf.config.experimental.enable_op_determinism()
    elif torch is not None:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
    elif deterministic:
        # XLA reads its flags when JAX first looks for devices.
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true"
    keras.config.set_dtype_policy(resolve_precision(precision))
    if devices > 1:
        _share_batches(devices)
    if visible_gpus() and used_device() == "cpu":
        log.warning(
            "a GPU is there, but %s finds none and computes on processors: install "
            "tensorflow[and-cuda] or jax[cuda12] (docs/models.md)",
            keras.backend.backend(),
        )


def shares() -> int:
    """Return the number of equal parts that batches are cut into, one for each device."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.num_model_replicas


def untuned(batches: keras.utils.PyDataset) -> Any:
    """Batches that TensorFlow takes as they come; for other backends the same object.

    Keras has TensorFlow tune how batches are read. The thread that tunes sleeps for 10 ms, for 20,
    and so on, and an epoch that is over often waits until it wakes: at 5.1 or 10.2 seconds.
    """
    if tf is None:
        return batches
    signature = keras.tree.map_structure(
        lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), batches[0]
    )
    dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    options = tf.data.Options()
    options.autotune.enabled = False
    counted = tf.data.experimental.assert_cardinality(len(batches))
    return dataset.apply(counted).prefetch(1).with_options(options)


def used_device() -> str:
    """Name of the GPU that this process computes on, "cpu" if there is none."""
    if torch is not None:
        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    if tf is None:
        import jax  # noqa: PLC0415 - not installed by all

        return jax.devices()[0].device_kind
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "cpu"


def _share_batches(devices: int) -> None:
    """Keep a copy of each weight on each device, and cut batches among them."""
    visible = keras.distribution.list_devices()
    if len(visible) < devices:
        raise DiffsymError(
            f"devices: {devices} of the training is more than this job sees "
            f"({', '.join(visible)}); let jobs ask for more GPUs, or lower devices"
        )
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=visible[:devices]))


def resolve_precision(precision: str) -> str:
    """Keras' name of a precision, where "auto" leaves the choice to the processor.

    One that multiplies bfloat16 numbers itself trains up to 1.5 times as fast with them; for all
    others they are slower. On accelerators, and where Linux does not describe the processor, auto
    is float32.
    """
    if precision != "auto":
        return precision
    described = Path("/proc/cpuinfo")
    if used_device() != "cpu" or not described.exists():
        return "float32"
    flags = re.search(r"^flags\s*:(.*)$", described.read_text(), flags=re.MULTILINE)
    native = flags is not None and not BFLOAT16_FLAGS.isdisjoint(flags[1].split())
    return "mixed_bfloat16" if native else "float32"


def resolve_jit(jit_compile: bool | None) -> bool | Literal["auto"]:
    """Whether to compile with XLA, where None leaves the choice to this function.

    On a CPU, XLA's convolutions take longer than those TensorFlow has from oneDNN (docs/models.md),
    so TensorFlow compiles on accelerators only, and there only ("auto") what it may: nothing while
    its operations have to be deterministic. JAX always compiles, PyTorch has no XLA.
    """
    if jit_compile is not None:
        return jit_compile
    if torch is not None:
        return False
    return "auto" if tf is None or tf.config.list_physical_devices("GPU") else False
