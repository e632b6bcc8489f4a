"""How busy a GPU is, and how much of its memory is taken, by NVIDIA's own tool."""

import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

QUERY = "utilization.gpu,memory.used,power.draw"
EVERY_MS = 500


class Sample(NamedTuple):
    """What `nvidia-smi` says at a moment; None where it says nothing.

    Attributes
    ----------
    at
        Seconds, by `time.monotonic`.
    utilisation
        Share of the time since the last sample in which a kernel ran, %.
    memory
        Taken on the device, MiB.
    power
        W.
    """

    at: float
    utilisation: float | None
    memory: float | None
    power: float | None


class Monitor:
    """Samples of the first GPU while the program runs; none where there is no `nvidia-smi`."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._process: subprocess.Popen[str] | None = None
        if shutil.which("nvidia-smi"):
            self._process = subprocess.Popen(
                [
                    "nvidia-smi",
                    "--id=0",
                    f"--query-gpu={QUERY}",
                    "--format=csv,noheader,nounits",
                    f"--loop-ms={EVERY_MS}",
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            sample = parse(line, time.monotonic())
            if sample is not None:
                self.samples.append(sample)

    def between(self, began: float, ended: float) -> dict[str, Any] | None:
        """Mean utilisation and power and the largest memory of a time; None without samples."""
        inside = [sample for sample in list(self.samples) if began <= sample.at <= ended]
        if not inside:
            return None
        return {
            "utilisation_percent": _mean([sample.utilisation for sample in inside]),
            "power_watt": _mean([sample.power for sample in inside]),
            "memory_mib": max((s.memory for s in inside if s.memory is not None), default=None),
        }

    def stop(self) -> None:
        """End the sampling."""
        if self._process is not None:
            self._process.terminate()


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are known; None if none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def parse(line: str, at: float) -> Sample | None:
    """Return the sample of a line of `nvidia-smi`; None for a line that is not three values."""
    values = [_number(text) for text in line.split(",")]
    return Sample(at, *values) if len(values) == 3 else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
