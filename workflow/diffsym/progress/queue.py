"""What waits on a SLURM cluster, why, and what keeps it waiting for ever.

SLURM is asked through `squeue` and `sinfo`. Where they are not installed nothing is said, and
nothing here ever stops a run.
"""

import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

PATIENCE = 20  # seconds until SLURM has to have answered
BETWEEN_QUESTIONS = 30.0  # seconds
BEFORE_THE_FIRST = 5.0  # seconds after which SLURM knows why a job waits
UNTIL_GONE = 600.0  # seconds in which Snakemake learns of the end of a job
CLUSTER_PAGE = "docs/cluster.md"

# Reasons that do not end by themselves, by how they begin, and what to do.
NODES_MISSING = (
    "their nodes are down, drained or reserved; `sinfo -R` names them, and an administrator "
    "returns one to service by `scontrol update nodename=NODE state=resume`"
)
IMPOSSIBLE = "no job starts like this: press Ctrl-C, correct the profile and start again"
CLOSED = "their partition is closed; ask its administrators"
HELD = {
    "ReqNodeNotAvail": NODES_MISSING,
    "Nodes required for job are DOWN, DRAINED": NODES_MISSING,
    "PartitionDown": CLOSED,
    "PartitionInactive": CLOSED,
    "JobHeldUser": "somebody holds them; `scontrol release JOB` releases one",
    "JobHeldAdmin": "an administrator holds them; ask why",
    "BadConstraints": IMPOSSIBLE,
    "PartitionNodeLimit": IMPOSSIBLE,
    "PartitionTimeLimit": IMPOSSIBLE,
    "InvalidAccount": IMPOSSIBLE,
    "InvalidQOS": IMPOSSIBLE,
}


class Queue(NamedTuple):
    """The jobs of a run in SLURM's queue.

    Attributes
    ----------
    running
        Numbers, SLURM's, of those that run.
    known
        Numbers of all.
    waiting
        How many wait for each reason.
    partitions
        Where some wait.
    """

    running: frozenset[str]
    known: frozenset[str]
    waiting: Counter[str]
    partitions: frozenset[str]


class Lost(NamedTuple):
    """Nodes out of service, as SLURM writes a list of them, their state, and why."""

    nodes: str
    state: str
    reason: str


def ask(*command: str) -> str | None:
    """What a program of SLURM prints; None if it is not installed, fails or is too slow."""
    try:
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def queue_of(jobs: Collection[str]) -> Queue | None:
    """The state of some jobs, by SLURM's numbers; None if it does not answer."""
    listing = ask("squeue", "--me", "--noheader", "--format=%i|%T|%P|%r")
    return None if listing is None else read_queue(listing.splitlines(), jobs)


def read_queue(lines: Iterable[str], jobs: Collection[str]) -> Queue:
    """The state of some jobs, from lines `number|state|partition|reason` of `squeue`."""
    rows = [line.strip().split("|", 3) for line in lines if line.count("|") >= 3]
    own = [row for row in rows if row[0] in jobs]
    pending = [row for row in own if row[1] == "PENDING"]
    return Queue(
        running=frozenset(number for number, state, *_ in own if state == "RUNNING"),
        known=frozenset(number for number, *_ in own),
        waiting=Counter(reason for *_, reason in pending),
        partitions=frozenset(partition for _, _, partition, _ in pending),
    )


def lost_nodes(partitions: Collection[str]) -> list[Lost]:
    """Nodes of some partitions that take no jobs: drained, draining or down."""
    if not partitions:
        return []
    where = f"--partition={','.join(sorted(partitions))}"
    listing = ask("sinfo", "--list-reasons", "--noheader", where, "--format=%N|%T|%E")
    return read_lost((listing or "").splitlines())


def read_lost(lines: Iterable[str]) -> list[Lost]:
    """Nodes out of service, from lines `nodes|state|reason` of `sinfo`."""
    return [
        Lost(*(part.strip() for part in line.split("|", 2)))
        for line in lines
        if line.count("|") >= 2
    ]


def about_lost(lost: Lost) -> str:
    """What to do about nodes out of service, in a sentence."""
    return (
        f"SLURM: {lost.nodes} is {lost.state} ({lost.reason}); jobs that need it wait until an "
        f"administrator runs `scontrol update nodename={lost.nodes} state=resume` ({CLUSTER_PAGE})"
    )


def cure_of(reason: str) -> str | None:
    """What to do about jobs that wait for a reason; None if they wait for their turn."""
    return next((cure for start, cure in HELD.items() if reason.startswith(start)), None)


def about_waiting(cure: str) -> str:
    """What to do about jobs that wait for ever, in a sentence."""
    return f"SLURM: jobs wait: {cure} ({CLUSTER_PAGE})"


class ClusterWatch:
    """What SLURM says about the jobs of a run, asked twice a minute at most.

    Attributes
    ----------
    numbers
        SLURM's number of each submitted job, by Snakemake's number.
    queue
        The last answer; None before the first one, and if there was none.
    is_silent
        Whether SLURM did not answer the last question.
    """

    def __init__(self) -> None:
        self.numbers: dict[int, str] = {}
        self.queue: Queue | None = None
        self.is_silent = False
        self._due: float | None = None
        self._told: set[str] = set()
        self._missed: dict[str, float] = {}

    def runs(self, job: int) -> bool:
        """Whether a job, by Snakemake's number, was seen running."""
        return self.queue is not None and self.numbers.get(job, "") in self.queue.running

    def waits(self, job: int) -> bool:
        """Whether a job, by Snakemake's number, was seen waiting."""
        known = self.queue.known - self.queue.running if self.queue else frozenset()
        return self.numbers.get(job, "") in known

    def ask(self, jobs: Collection[int]) -> list[str]:
        """Ask about some jobs, by Snakemake's numbers, if it is time to.

        Returns
        -------
        list of str
            Sentences about what keeps jobs for ever, each only once.
        """
        numbers = {self.numbers[job] for job in jobs if job in self.numbers}
        now = time.monotonic()
        if not numbers or shutil.which("squeue") is None:
            return []
        if self._due is None:
            self._due = now + BEFORE_THE_FIRST
        if now < self._due:
            return []
        self._due = now + BETWEEN_QUESTIONS
        self.queue = queue_of(numbers)
        self.is_silent = self.queue is None
        if self.queue is None:
            return []
        lost = lost_nodes(self.queue.partitions)
        cures = dict.fromkeys(filter(None, map(cure_of, self.queue.waiting)))
        sentences = [
            *map(about_lost, lost),
            # Nodes that are named need no further words.
            *(about_waiting(cure) for cure in cures if not (lost and cure == NODES_MISSING)),
            *self._about_gone(numbers - self.queue.known, now),
        ]
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._told]
        # What has gone and comes again is said again.
        self._told = set(sentences)
        return new

    def _about_gone(self, numbers: Collection[str], now: float) -> Iterable[str]:
        """What to do about jobs that have left the queue long ago and not ended for Snakemake."""
        self._missed = {number: self._missed.get(number, now) for number in numbers}
        if any(now - since > UNTIL_GONE for since in self._missed.values()):
            yield (
                "SLURM no longer knows a job that Snakemake waits for: press Ctrl-C and start the "
                f"same command again ({CLUSTER_PAGE})"
            )
