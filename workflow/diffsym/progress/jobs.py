"""The jobs of a run, how long each is expected to take, and what its own files say."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

TAIL = 16_384  # bytes at the end of a log that are read
EPOCH = re.compile(r"\bepoch (\d+) of (\d+):(?:.*\bseconds ([\d.e+-]+))?")

# Seconds of a job of a rule with these wildcards, if no job of the rule was ever measured.
Guess = Callable[[str, Mapping[str, str]], float]


@dataclass(frozen=True)
class Job:
    """A job that has to run.

    Attributes
    ----------
    number
        Snakemake's.
    rule, name
        Its rule; rule and wildcards, as its log is named.
    cores
        How many it takes.
    seconds
        Expected duration.
    is_measured
        Whether that is the duration of a job of the same rule in an earlier run, not a guess.
    needs
        Numbers of the jobs that have to end before.
    is_remote
        Whether it is submitted to a cluster.
    benchmark, log
        Its files, if it has any.
    """

    number: int
    rule: str
    name: str
    cores: int = 1
    seconds: float = 1.0
    is_measured: bool = False
    needs: frozenset[int] = frozenset()
    is_remote: bool = False
    benchmark: Path | None = None
    log: Path | None = None


class Epoch(NamedTuple):
    """How far a training is.

    Attributes
    ----------
    number, of
        The last finished epoch, and how many there are.
    seconds_left
        What the others will take; None if the log has no time of an epoch.
    """

    number: int
    of: int
    seconds_left: float | None


def jobs_to_run(dag: Any, guess: Guess) -> list[Job]:
    """The jobs that Snakemake is about to run, targets without a script left out.

    A job is expected to take as long as in the last run, by its benchmark; else as long as the
    other jobs of its rule did on average; else as long as `guess` says.

    Parameters
    ----------
    dag
        Snakemake's graph of jobs.
    guess
        Expected seconds of a job that was never measured.
    """
    wanted = {job for job in dag.needrun_jobs() if not job.is_norun}
    before = {job: measured_seconds(_path(job.benchmark)) for job in dag.jobs}
    by_rule: dict[str, list[float]] = {}
    for job, seconds in before.items():
        if seconds is not None:
            by_rule.setdefault(job.rule.name, []).append(seconds)

    def expected(job: Any) -> tuple[float, bool]:
        seconds = before[job]
        if seconds is None and job.rule.name not in by_rule:
            return guess(job.rule.name, job.wildcards_dict), False
        return (mean(by_rule[job.rule.name]) if seconds is None else seconds), True

    found = []
    for job in wanted:
        seconds, is_measured = expected(job)
        found.append(
            Job(
                number=dag.jobid(job),
                rule=job.rule.name,
                name=" ".join(filter(None, [job.rule.name, "-".join(job.wildcards_dict.values())])),
                cores=max(1, int(job.threads)),
                seconds=seconds,
                is_measured=is_measured,
                needs=frozenset(
                    dag.jobid(other) for other in dag.job_dependencies(job) if other in wanted
                ),
                is_remote=not job.is_local,
                benchmark=_path(job.benchmark),
                log=_path(next(iter(job.log), None)),
            )
        )
    return sorted(found, key=lambda job: job.number)


def _path(file: Any) -> Path | None:
    return None if file is None else Path(str(file))


def measured_seconds(benchmark: Path | None, since: float = 0.0) -> float | None:
    """Duration of a job in seconds, by a benchmark file of Snakemake.

    None if there is none or it cannot be read, or is older than a time in seconds since the epoch.
    """
    try:
        if benchmark is None or benchmark.stat().st_mtime < since:
            return None
        with benchmark.open(newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t"))
        return mean(float(row["s"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def last_epoch(log: Path | None, since: float) -> Epoch | None:
    """The last finished epoch of a training, by its log; None if it has none yet.

    Parameters
    ----------
    log
        File of the job, if it has one.
    since
        Start of the job, in seconds since the epoch: an older file is that of another run.
    """
    try:
        if log is None or log.stat().st_mtime < since:
            return None
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - TAIL))
            return epoch_in(handle.read().decode(errors="replace").splitlines())
    except OSError:
        return None


def epoch_in(lines: Iterable[str]) -> Epoch | None:
    """The last epoch in the lines of a log, such as `epoch 7 of 20: loss 1.2, seconds 3.4`."""
    found = [match for match in map(EPOCH.search, lines) if match]
    if not found:
        return None
    number, of = int(found[-1][1]), int(found[-1][2])
    # The first epoch compiles the network.
    times = [float(match[3]) for match in found[1:] or found if match[3]]
    return Epoch(number, of, (of - number) * median(times) if times else None)
