"""The words of the line of progress, on one machine and on a cluster."""

import pytest

from diffsym.progress.course import Forecast
from diffsym.progress.jobs import Epoch
from diffsym.progress.queue import Lost, about_lost, about_waiting, cure_of, read_lost, read_queue
from diffsym.progress.sentence import duration, progress_line, running_job

HALFWAY = Forecast(done=37, of=126, share=0.419, seconds_left=372, is_measured=True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(39.2, "40 s"), (372, "6 min"), (3570, "1 h"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "41 % of the work  about 6 min left"),
        ({"is_measured": False}, "41 % of the work  perhaps 6 min left"),
        ({"seconds_left": 20}, "41 % of the work  less than a minute left"),
        ({"seconds_left": None}, "about ? min left"),
    ],
)
def test_the_line_says_how_sure_it_is(changes, words):
    running = [running_job("train_network cnn-0", Epoch(7, 20, 60)), "make_split formula"]
    assert progress_line(HALFWAY._replace(**changes), running) == (
        f"37 of 126 jobs  {words}  running: train_network cnn-0 (epoch 7 of 20), make_split formula"
    )


def test_of_many_running_jobs_a_few_are_named_and_failed_ones_counted():
    line = progress_line(HALFWAY, [f"job {n}" for n in range(9)], failed=2)
    assert line.endswith("  2 failed  running: job 0, job 1, job 2, job 3, and 5 more")


def test_the_queue_is_grouped_by_reason():
    lines = [
        "11|PENDING|cpu|Priority",
        "12|PENDING|cpu|Priority",
        "13|PENDING|gpu|ReqNodeNotAvail, UnavailableNodes:gpu1",
        "14|RUNNING|cpu|None",
        "99|PENDING|cpu|Priority",
        "",
    ]
    queue = read_queue(lines, {"11", "12", "13", "14"})
    assert queue.running == {"14"}
    assert queue.partitions == {"cpu", "gpu"}
    line = progress_line(HALFWAY, [], queue=queue, submitted=1)
    assert "  3 wait (Priority 2, ReqNodeNotAvail 1)  1 submitted" in line
    assert "SLURM does not answer" in progress_line(HALFWAY, [], is_silent=True)


def test_what_keeps_jobs_for_ever_is_named_with_its_cure():
    [lost] = read_lost(["gpu[1-2]|drained|Duplicate jobid", ""])
    assert lost == Lost("gpu[1-2]", "drained", "Duplicate jobid")
    assert "gpu[1-2] is drained (Duplicate jobid)" in about_lost(lost)
    assert "scontrol update nodename=gpu[1-2] state=resume" in about_lost(lost)
    assert "scontrol release" in about_waiting(cure_of("JobHeldUser"))
    assert "sinfo -R" in cure_of("ReqNodeNotAvail, UnavailableNodes:gpu1")
    assert cure_of("Priority") is None
