"""How far a run is, and when it will end: what was expected, corrected by what came.

Work is counted in core-seconds, the seconds of a job times the cores that it holds: that is what
the jobs of a run share. (The processor time in Snakemake's benchmarks is sampled, and misses much
of a short job.)
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import accumulate, count
from statistics import mean
from typing import NamedTuple

from diffsym.progress.jobs import Epoch, Job

# A run of a few seconds says little about its pace.
SECONDS_OF_DOUBT = 10.0
# What a job still needs at least, as a part of what it has taken or was expected to take.
OVERDUE = 0.2


class Task(NamedTuple):
    """What is left of a job.

    Attributes
    ----------
    number, cores
        Of the job.
    seconds
        Its duration from now on, or from its start.
    needs
        Numbers of the jobs that have to end before.
    """

    number: int
    cores: int
    seconds: float
    needs: frozenset[int] = frozenset()


class Forecast(NamedTuple):
    """How far a run is.

    Attributes
    ----------
    done, of
        Numbers of jobs.
    share
        Part of the work that is done, from 0 to 1.
    seconds_left
        Until the end; None: nothing was measured yet.
    is_measured
        Whether most of what is left was measured, in an earlier run or in this one.
    """

    done: int
    of: int
    share: float
    seconds_left: float | None
    is_measured: bool


def schedule(tasks: Sequence[Task], cores: float, done: Iterable[int] = ()) -> float:
    """Seconds until the last of some tasks ends, each started as soon as it can be.

    Tasks are started in the order given; one that needs what is neither done nor among them never
    starts. One that takes more cores than there are takes all.

    Parameters
    ----------
    tasks
        What has to be done.
    cores
        How many there are; infinity on a cluster.
    done
        Numbers of the jobs that have ended.
    """
    missing = {task.number: len(task.needs.difference(done)) for task in tasks}
    followers: dict[int, list[Task]] = {}
    for task in tasks:
        for number in task.needs:
            followers.setdefault(number, []).append(task)
    # Those that can start, by the cores they take, in the order of time.
    ready: dict[float, deque[tuple[int, Task]]] = {}
    arrivals = count()

    def arrive(task: Task) -> None:
        ready.setdefault(min(task.cores, cores), deque()).append((next(arrivals), task))

    for task in tasks:
        if not missing[task.number]:
            arrive(task)
    running: list[tuple[float, int, float]] = []  # end, number and cores
    now, free = 0.0, cores
    while True:
        while fitting := [taken for taken, line in ready.items() if line and taken <= free]:
            taken = min(fitting, key=lambda taken: ready[taken][0][0])
            _, task = ready[taken].popleft()
            free -= taken
            heappush(running, (now + task.seconds, task.number, taken))
        if not running:
            return now
        now, number, taken = heappop(running)
        free += taken
        for task in followers.get(number, ()):
            missing[task.number] -= 1
            if not missing[task.number]:
                arrive(task)


class Kind(NamedTuple):
    """Jobs that are expected to be wrong alike: of a rule, by measurement or by guess."""

    is_measured: bool
    rule: str


class Course:
    """What has come of the jobs of a run so far. Times are seconds of one and the same clock.

    Parameters
    ----------
    jobs
        All jobs of the run.
    cores
        Cores for jobs at a time; infinity on a cluster.
    begun
        Start of the run.
    """

    def __init__(self, jobs: Iterable[Job], cores: float, begun: float) -> None:
        self.jobs = {job.number: job for job in jobs}
        self.cores = cores
        self.begun = begun
        self.started: dict[int, float] = {}  # jobs that have a processor
        self.handed_over: dict[int, float] = {}  # jobs that a cluster has
        self.taken: dict[int, float] = {}  # seconds that finished jobs took
        self.measured: set[int] = set()  # finished jobs whose seconds are measured
        self.failed: set[int] = set()

    def start(self, number: int, now: float) -> None:
        """Note that Snakemake has started or submitted a job."""
        if number in self.jobs:
            self.failed.discard(number)
            place = self.handed_over if self.jobs[number].is_remote else self.started
            place[number] = now

    def run(self, number: int, now: float) -> None:
        """Note that a submitted job is seen running."""
        if number in self.handed_over:
            self.started.setdefault(number, now)

    def finish(self, number: int, now: float, seconds: float | None) -> None:
        """Note the end of a job, and how long it took by its own measure, if it has one."""
        if number not in self.jobs:
            return
        begun = self.started.pop(number, None)
        self.handed_over.pop(number, None)
        if seconds is None and begun is not None and not self.jobs[number].is_remote:
            seconds = now - begun
        self.taken[number] = self.jobs[number].seconds if seconds is None else seconds
        if seconds is not None:
            self.measured.add(number)

    def fail(self, number: int) -> None:
        """Note that a job has failed. It may be started again."""
        if number in self.jobs:
            self.started.pop(number, None)
            self.handed_over.pop(number, None)
            self.failed.add(number)

    def forecast(self, now: float, epochs: Mapping[int, Epoch]) -> Forecast:
        """How far the run is.

        Parameters
        ----------
        now
            The time.
        epochs
            How far running trainings are, by the number of the job.
        """
        corrections = self._corrections()
        left: dict[int, float] = {}
        sure = unsure = 0.0
        for number, job in self.jobs.items():
            if number in self.taken:
                continue
            kind = Kind(job.is_measured, job.rule)
            expected = job.seconds * corrections.get(kind, corrections[Kind(job.is_measured, "")])
            elapsed = now - self.started.get(number, now)
            own = epochs[number].seconds_left if number in epochs else None
            left[number] = (
                max(expected - elapsed, OVERDUE * max(expected, elapsed)) if own is None else own
            )
            work = left[number] * job.cores
            if job.is_measured or kind in corrections or own is not None:
                sure += work
            else:
                unsure += work
        done = sum(seconds * self.jobs[n].cores for n, seconds in self.taken.items())
        done += sum((now - begun) * self.jobs[n].cores for n, begun in self.started.items())
        nothing_known = bool(left) and not sure and not self.measured
        return Forecast(
            done=len(self.taken),
            of=len(self.jobs),
            share=done / (done + sure + unsure) if left else 1.0,
            seconds_left=None if nothing_known else self._seconds_left(left, now),
            is_measured=sure >= unsure,
        )

    def _corrections(self) -> dict[Kind, float]:
        """Measured by expected seconds, of rules with finished jobs and, under "", of all others.

        Guesses and durations of an earlier run are wrong for reasons of their own, and corrected
        apart. For a rule one more job counts that is as wrong as the other rules are: a single job,
        which may have compiled what the others find compiled, does not decide alone.
        """
        pairs: dict[Kind, list[tuple[float, float]]] = {}
        for number in self.measured:
            job = self.jobs[number]
            kind = Kind(job.is_measured, job.rule)
            pairs.setdefault(kind, []).append((self.taken[number], job.seconds))
        corrections = {}
        for is_measured in (True, False):
            groups = {kind: group for kind, group in pairs.items() if kind[0] == is_measured}
            # Half a guess is wrong for its rule alone, and half, by a slower machine, for all.
            overall = _median_ratio(list(groups.values())) ** (1.0 if is_measured else 0.5)
            corrections[Kind(is_measured, "")] = overall
            for kind, group in groups.items():
                one = mean(expected for _, expected in group)
                corrections[kind] = _ratio([*group, (overall * one, one)])
        return corrections

    def _seconds_left(self, left: Mapping[int, float], now: float) -> float:
        """Time until the last job that can run ends.

        What came so far is scheduled, too: by as much as it took longer than that, with Snakemake's
        own work and the waiting in queues, what is left will take longer.
        """
        past = [
            Task(number, self.jobs[number].cores, seconds, self.jobs[number].needs)
            for number, seconds in [
                *self.taken.items(),
                *((number, now - begun) for number, begun in self.started.items()),
            ]
        ]
        ideal = schedule(past, self.cores)
        stretch = (now - self.begun + SECONDS_OF_DOUBT) / (ideal + SECONDS_OF_DOUBT)
        first = [number for number in left if number in self.started]
        rest = [number for number in left if number not in self.started]
        tasks = [Task(n, self.jobs[n].cores, left[n]) for n in first]
        tasks += [
            Task(n, self.jobs[n].cores, left[n], self.jobs[n].needs)
            for n in rest
            if n not in self.failed
        ]
        return schedule(tasks, self.cores, self.taken) * max(1.0, stretch)


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Sum of the first numbers, divided by that of the second ones."""
    return sum(took for took, _ in pairs) / max(sum(expected for _, expected in pairs), 1e-9)


def _median_ratio(groups: Sequence[Sequence[tuple[float, float]]]) -> float:
    """The ratio of the group in the middle of the expected time; 1 without any."""
    ordered = sorted(groups, key=_ratio)
    sums = list(accumulate(sum(expected for _, expected in group) for group in ordered))
    return _ratio(ordered[bisect_left(sums, sums[-1] / 2)]) if ordered else 1.0
