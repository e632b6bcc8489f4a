"""The line of progress of a running Snakemake, on a terminal or in a log file.

On a terminal the line is written over; in a file there is a new one every half minute if it says
something new. What Snakemake says about each job as it starts and ends is in its own log below
`.snakemake/log` and, with `--printshellcmds` or `--verbose`, still shown. Errors always are.
"""

import logging
import math
import re
import shutil
import threading
import time
from contextlib import suppress
from typing import Any, TextIO

from snakemake.logging import ColorizingTextHandler, logger
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from diffsym.progress.course import Course
from diffsym.progress.jobs import Guess, jobs_to_run, last_epoch, measured_seconds
from diffsym.progress.queue import ClusterWatch
from diffsym.progress.sentence import duration, progress_line, running_job

# Messages about each job, or about Snakemake's own work.
OF_EVERY_JOB = {
    LogEvent.JOB_INFO,
    LogEvent.SHELLCMD,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_FINISHED,
    LogEvent.GROUP_INFO,
    LogEvent.PROGRESS,
}
OF_EVERY_TURN = re.compile(
    r"Select jobs to execute|Job rate limit reached|Job \d+ has been submitted"
)
SUBMITTED = re.compile(r"Job (\d+) has been submitted with SLURM jobid (\S+)")
CLEAR = "\r\x1b[K"  # the line of a terminal
ON_TERMINAL, IN_FILE = 2.0, 30.0  # seconds between two lines


def follow(workflow: Any, guess: Guess) -> None:
    """Show the progress of a run, from Snakemake's `onstart` until Snakemake ends.

    Nothing is shown with `--quiet progress` or `--quiet all`, or beside a logger plugin that writes
    on the terminal itself.

    Parameters
    ----------
    workflow
        Snakemake's.
    guess
        Expected seconds of a job, given its rule and wildcards, if none of its rule was measured.
    """
    settings = workflow.output_settings
    streams = [one for one in logger.handlers if isinstance(one, ColorizingTextHandler)]
    jobs = jobs_to_run(workflow.dag, guess)
    if not jobs or not streams or {Quietness.PROGRESS, Quietness.ALL} & set(settings.quiet or ()):
        return
    cores = workflow.cores if workflow.local_exec else math.inf
    wants_details = settings.verbose or settings.printshellcmds or settings.debug_dag
    logger.removeHandler(streams[0])
    line = ProgressHandler(
        streams[0], Course(jobs, cores, time.time()), shows_details=wants_details
    )
    logger.addHandler(line)
    line.begin()


class ProgressHandler(logging.Handler):
    """A handler of Snakemake's log that keeps a line of progress below its messages.

    Parameters
    ----------
    inner
        Snakemake's own handler, which writes the messages.
    course
        The jobs of the run.
    shows_details
        Whether messages about every job are shown.
    """

    def __init__(
        self, inner: logging.StreamHandler, course: Course, *, shows_details: bool
    ) -> None:
        super().__init__()
        self.inner = inner
        self.course = course
        self.shows_details = shows_details
        self.stream: TextIO = inner.stream
        self.is_terminal = self.stream.isatty()
        self.cluster = ClusterWatch()
        self.writing = threading.RLock()
        self.last = ""
        self.due = time.time() + 1.0  # when the first jobs have started
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def begin(self) -> None:
        """Write the first line, and keep it up to date from now on."""
        self.thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Learn from a message, and show it if it is to be shown."""
        event = getattr(record, "event", None)
        with self.writing:
            self._learn(event, record)
            if self.shows_details or not _is_of_every_job(event, record):
                self._clear()
                self.inner.handle(record)
                if self.is_terminal:
                    self.due = 0.0

    def _learn(self, event: LogEvent | None, record: logging.LogRecord) -> None:
        now = time.time()
        if event == LogEvent.JOB_STARTED:
            for number in getattr(record, "jobs", ()):
                self.course.start(number, now)
        elif event == LogEvent.JOB_FINISHED:
            self._finish(getattr(record, "job_id", -1), now)
        elif event == LogEvent.JOB_ERROR:
            self.course.fail(getattr(record, "jobid", -1))
            self.due = 0.0
        elif event is None and (found := SUBMITTED.match(record.getMessage())):
            self.cluster.numbers[int(found[1])] = found[2]

    def _finish(self, number: int, now: float) -> None:
        job = self.course.jobs.get(number)
        if job:
            seconds = measured_seconds(job.benchmark, since=self.course.begun)
            self.course.finish(number, now, seconds)

    def _watch(self) -> None:
        """Write the line whenever it is due, until Snakemake ends."""
        while True:
            self._ask_slurm()
            with self.writing:
                if time.time() >= self.due and not self.ended.is_set():
                    self._write_line()
            if self.ended.wait(0.5):
                return

    def _ask_slurm(self) -> None:
        """Learn which submitted jobs run, and say what keeps the others."""
        at_cluster = list(self.course.handed_over)
        for notice in self.cluster.ask(at_cluster):
            self._notice(notice)
        with self.writing:
            for number in filter(self.cluster.runs, at_cluster):
                self.course.run(number, time.time())

    def _notice(self, sentence: str) -> None:
        """Write a sentence that stays."""
        with self.writing:
            self._clear()
            self._write(f"{time.strftime('%H:%M:%S')}  {sentence}\n")
            self.due = 0.0

    def _write_line(self) -> None:
        now = time.time()
        self.due = now + (ON_TERMINAL if self.is_terminal else IN_FILE)
        text = self._text(now)
        stamped = f"{time.strftime('%H:%M:%S')}  {text}"
        if self.is_terminal:
            self._write(CLEAR + fitted(stamped, shutil.get_terminal_size().columns - 1))
        elif text != self.last:
            self._write(f"{stamped}\n")
        self.last = text

    def _text(self, now: float) -> str:
        course = self.course
        running = {n: course.jobs[n] for n in course.started}
        logs = {n: last_epoch(job.log, since=course.started[n]) for n, job in running.items()}
        epochs = {n: epoch for n, epoch in logs.items() if epoch}
        longest = sorted(running, key=lambda n: course.started[n])
        unknown = [
            n for n in course.handed_over if n not in course.started and not self.cluster.waits(n)
        ]
        return progress_line(
            course.forecast(now, epochs),
            [running_job(running[n].name, epochs.get(n)) for n in longest],
            failed=len(course.failed),
            submitted=len(unknown),
            queue=self.cluster.queue,
            is_silent=self.cluster.is_silent,
        )

    def _clear(self) -> None:
        if self.is_terminal:
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        # A run goes on without its terminal, and on a full disk.
        with suppress(OSError):
            self.stream.write(text)
            self.stream.flush()

    def close(self) -> None:
        """Write the last line, and stop."""
        if not self.ended.is_set():
            self.ended.set()
            with self.writing:
                self._clear()
                done, of = len(self.course.taken), len(self.course.jobs)
                took = duration(time.time() - self.course.begun)
                failed = f"  {len(self.course.failed)} failed" if self.course.failed else ""
                self._write(
                    f"{time.strftime('%H:%M:%S')}  {done} of {of} jobs{failed}  in {took}\n"
                )
        self.inner.close()
        super().close()


def fitted(line: str, width: int) -> str:
    """A line without the words that say least, if it would be too long, and then cut."""
    if len(line) > width:
        line = line.replace(" of the work", "").replace("running: ", "")
    return line[:width]


def _is_of_every_job(event: LogEvent | None, record: logging.LogRecord) -> bool:
    if record.levelno > logging.INFO:
        return False
    return event in OF_EVERY_JOB or bool(OF_EVERY_TURN.match(record.getMessage()))
