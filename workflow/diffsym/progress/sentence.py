"""The words of the line of progress."""

import math
from collections.abc import Sequence

from diffsym.progress.course import Forecast
from diffsym.progress.jobs import Epoch
from diffsym.progress.queue import Queue

NAMED = 4  # running jobs that are named


def duration(seconds: float) -> str:
    """A duration in words: `40 s`, `6 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def time_left(forecast: Forecast) -> str:
    """How long a run will take: `about` by what was measured, `perhaps` by what was declared."""
    if forecast.seconds_left is None:
        return "about ? min left"
    if forecast.seconds_left < 60:
        return "less than a minute left"
    sureness = "about" if forecast.is_measured else "perhaps"
    return f"{sureness} {duration(forecast.seconds_left)} left"


def running_job(name: str, epoch: Epoch | None) -> str:
    """A job, and the epoch of its training, counted as finished ones."""
    return f"{name} (epoch {epoch.number} of {epoch.of})" if epoch else name


def progress_line(
    forecast: Forecast,
    running: Sequence[str],
    *,
    failed: int = 0,
    submitted: int = 0,
    queue: Queue | None = None,
    is_silent: bool = False,
) -> str:
    """How far a run is, in one line without the time of day.

    Parameters
    ----------
    forecast
        Its numbers.
    running
        The jobs that run, in words.
    failed
        Number of jobs that failed.
    submitted
        Number of jobs that were submitted to a cluster, and of which it has said nothing yet.
    queue
        What waits on a cluster, if it answered.
    is_silent
        Whether the cluster was asked and did not answer.
    """
    parts = [f"{forecast.done} of {forecast.of} jobs"]
    if forecast.seconds_left is not None:
        parts.append(f"{math.floor(100 * forecast.share)} % of the work")
    parts.append(time_left(forecast))
    if failed:
        parts.append(f"{failed} failed")
    if queue and queue.waiting:
        # SLURM's longest reason is a sentence; what follows its first comma is said elsewhere.
        reasons = ", ".join(f"{why.split(',')[0]} {n}" for why, n in queue.waiting.most_common())
        parts.append(f"{queue.waiting.total()} wait ({reasons})")
    if submitted:
        parts.append(f"{submitted} submitted")
    if is_silent:
        parts.append("SLURM does not answer")
    if running:
        more = [f"and {len(running) - NAMED} more"] if len(running) > NAMED else []
        parts.append(f"running: {', '.join([*running[:NAMED], *more])}")
    return "  ".join(parts)
