"""How far a run is and when it will end, from what was expected and what came."""

import math

import pytest

from diffsym.progress.course import Course, Task, schedule
from diffsym.progress.jobs import Epoch, Job, epoch_in, last_epoch, measured_seconds


def test_tasks_share_the_cores_and_wait_for_what_they_need():
    wide = Task(3, cores=4, seconds=10, needs=frozenset({1}))
    tasks = [Task(1, 1, 5), Task(2, 1, 8), wide]
    # One that takes more cores than there are takes all, and waits until they are free.
    assert schedule(tasks, 2) == 18
    assert schedule(tasks, math.inf) == 15
    assert schedule([wide], 2, done=[1]) == 10
    assert schedule([], 2) == 0


def test_what_needs_a_failed_job_is_not_waited_for():
    assert schedule([Task(1, 1, 5), Task(3, 1, 50, frozenset({2}))], 2) == 5


def jobs(**options):
    """Four lists and two trainings that need them, as they were expected."""
    lists = [Job(n, "list", f"list {n}", seconds=2, **options) for n in range(4)]
    needs = frozenset(range(4))
    trainings = [
        Job(n, "train", f"train {n}", cores=2, seconds=40, needs=needs, **options) for n in (4, 5)
    ]
    return lists + trainings


def test_nothing_is_forecast_before_anything_was_measured():
    course = Course(jobs(), 2, begun=100)
    course.start(0, 100)
    assert course.forecast(101, {}).seconds_left is None


def test_a_forecast_from_the_last_run_needs_no_correction():
    course = Course(jobs(is_measured=True), 2, begun=0)
    forecast = course.forecast(0, {})
    assert forecast.is_measured
    assert (forecast.done, forecast.of, forecast.share) == (0, 6, 0)
    # Two rounds of lists, and one training after the other.
    assert forecast.seconds_left == pytest.approx(84)


def test_work_counts_by_its_core_seconds_and_not_by_jobs():
    course = Course(jobs(is_measured=True), 2, begun=0)
    for number in range(4):
        course.start(number, 0)
        course.finish(number, 2, 2.0)
    forecast = course.forecast(4, {})
    assert forecast.done == 4
    assert forecast.share == pytest.approx(8 / 168)
    assert forecast.seconds_left == pytest.approx(80)


def test_finished_jobs_correct_what_is_expected_of_their_rule_and_of_the_others():
    course = Course(jobs(), 2, begun=0)
    for number in range(4):
        course.start(number, 0)
        course.finish(number, 4, 4.0)
    before = course.forecast(8, {})
    # One rule says little about the guess of another: not twice as long, but the square root of 2.
    assert before.seconds_left == pytest.approx(80 * 2**0.5)
    assert not before.is_measured
    course.start(4, 8)
    course.finish(4, 28, 20.0)
    # Half as long as it was expected, and one more training, that nobody timed, a little longer.
    after = course.forecast(28, {})
    assert after.seconds_left == pytest.approx(40 * (0.5 + 0.5**0.5) / 2)
    assert after.is_measured


def test_a_running_training_is_known_by_its_epochs():
    course = Course(jobs(is_measured=True), 2, begun=0)
    for number in range(4):
        course.start(number, 0)
        course.finish(number, 2, 2.0)
    course.start(4, 4)
    assert course.forecast(14, {}).seconds_left == pytest.approx(70)
    assert course.forecast(14, {4: Epoch(1, 10, 90.0)}).seconds_left == pytest.approx(130)


def test_snakemake_and_queues_stretch_what_is_left():
    course = Course(jobs(is_measured=True), math.inf, begun=0)
    for number in range(4):
        course.start(number, 88)
        course.finish(number, 90, 2.0)
    assert course.forecast(110, {}).seconds_left == pytest.approx(40 * (110 + 10) / (2 + 10))


def test_a_submitted_job_runs_when_the_cluster_says_so_and_a_failed_one_not_at_all():
    course = Course(jobs(is_measured=True, is_remote=True), math.inf, begun=0)
    course.start(0, 0)
    assert not course.started
    course.run(0, 50)
    assert course.started == {0: 50}
    course.fail(0)
    assert course.failed == {0}
    course.start(0, 60)
    assert not course.failed
    # No benchmark has come from the node, and how long it waited is no measure.
    course.finish(0, 90, None)
    assert course.taken == {0: 2}
    assert not course.measured


def test_the_last_epoch_is_read_from_the_log_of_this_attempt(tmp_path):
    log = tmp_path / "cnn-0.log"
    log.write_text(
        "2026 diffsym: epoch 1 of 20: loss 3.1, learning_rate 0.001, seconds 9\n"
        "2026 diffsym: epoch 2 of 20: loss 2.8, learning_rate 0.001, seconds 3.5\n"
        "2026 diffsym: epoch 3 of 20: loss 2.7, learning_rate 0.001, seconds 4.5\n"
        "another line\n"
    )
    assert last_epoch(log, since=0) == Epoch(3, 20, 17 * 4.0)
    assert last_epoch(log, since=log.stat().st_mtime + 1) is None
    assert last_epoch(tmp_path / "absent.log", since=0) is None
    assert epoch_in(["no epoch"]) is None
    assert epoch_in(["epoch 1 of 2: loss 3"]) == Epoch(1, 2, None)


def test_durations_come_from_benchmarks_that_can_be_read(tmp_path):
    benchmark = tmp_path / "job.tsv"
    assert measured_seconds(benchmark) is None
    benchmark.write_text("s\th:m:s\n12.5\t0:00:12\n")
    assert measured_seconds(benchmark) == 12.5
    assert measured_seconds(benchmark, since=benchmark.stat().st_mtime + 1) is None
    benchmark.write_text("s\nbroken\n")
    assert measured_seconds(benchmark) is None
