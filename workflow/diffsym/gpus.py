"""GPUs of one machine, shared among the jobs that run on it.

TensorFlow and JAX occupy all GPUs that they see and compute on the first, so simultaneous jobs
would meet there. SLURM gives each job its own GPUs; Snakemake on one machine counts GPUs, but does
not assign them.
"""

import errno
import os
import socket
from itertools import count, takewhile
from pathlib import Path

# Sockets that this process holds until it ends.
_claims: list[socket.socket] = []


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them.

    Without that variable, one number for each device file of NVIDIA's driver.
    """
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]
    # CUDA stops at the first invalid name; schedulers write these two to mean "no GPU".
    named = takewhile(lambda name: name not in {"", "-1", "NoDevFiles"}, names.split(","))
    return list(dict.fromkeys(named))


def claim_gpus(n: int) -> None:
    """Let this process see only `n` GPUs, those that the fewest other jobs have claimed.

    Call it before anything asks for GPUs. Claims end with the process, however it ends. If fewer
    are visible, all of them are claimed.
    """
    gpus = visible_gpus()
    claimed: dict[str, socket.socket] = {}
    for place in count():
        for gpu in gpus:
            if len(claimed) < n and gpu not in claimed:
                claim = _claim(f"diffsym-gpu-{gpu}-{place}")
                if claim is not None:
                    claimed[gpu] = claim
        if len(claimed) == min(n, len(gpus)):
            break
    _claims.extend(claimed.values())
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpu for gpu in gpus if gpu in claimed)


def _claim(name: str) -> socket.socket | None:
    """Socket of a name that only one process of a machine can have at a time, None if one has it.

    The zero byte makes it a name without a file: the system drops it with the process, and there is
    nothing to clean up.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0{name}")
    except OSError as error:
        claim.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    return claim
