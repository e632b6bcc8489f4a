"""Kill Snakemake, jobs and daemons of SLURM at random moments, and go on, until studies are whole.

A part of the tiny study is computed again and again, first on one machine, then on a SLURM of three
nodes. Whatever is killed is started again as docs/cluster.md tells its readers. Each study then has
to have the files, byte for byte, of one that nobody disturbed, and nothing beside them. Nodes that
SLURM drains meanwhile are returned to service and counted, and a campaign that gets stuck ends.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGKILL, default_int_handler, signal

import pandas as pd
import psutil
from slurm import impatient
from slurm.cluster import slurm, wait_until, why_not
from slurm.guard import Guard, StuckError
from slurm.site import profile, scripts
from study import REPOSITORY, checkout

from diffsym.files import sha256, write_json
from diffsym.structures.sources import amcsd

# Every stage, one model of each library, and measured patterns: some thirty jobs.
PART = {
    "report": {"experiments": ["lr_x", "cnn", "ideal_spgvolnet"]},
    "experiments": {"cnn": {"members": 1}},
}
# Times of day and durations are in these.
VARYING = (
    "benchmarks/*",
    "logs/*",
    "report.html",
    "experiments/*/history.json",
    "experiments/*/model.keras",
)
# A killed Snakemake leaves an empty folder and a few hundred bytes of its scheduler's solver.
OF_SNAKEMAKE = ("snakemake*", "*-pulp.*")
PATIENCE = 900  # seconds in which an undisturbed Snakemake ends
STUCK = 1200  # seconds in which something has to move


class OneMachine:
    """Jobs are processes of Snakemake."""

    name = "one machine"
    victims = ("snakemake", "job")
    pause = 13  # mean seconds between two kills

    def __init__(self, study, dice):
        self.study = study
        self.dice = dice
        self.profile = "--profile=workflow/profiles/local"

    def rules(self):
        """Rules with a job that runs."""
        return {rule for rule, _ in scripts(self.study)}

    def kill(self, victim, snakemake):
        """Kill, and the rules that it hit; None if Snakemake ended before there was a job."""
        if victim == "job":
            return self.kill_job(snakemake)
        rules = sorted(self.rules())
        snakemake.kill()
        snakemake.wait()
        self.clear()
        return rules

    def kill_job(self, snakemake):
        """Kill a job as soon as one runs, and its rule; None if there was none."""
        while not (running := scripts(self.study)):
            if snakemake.poll() is not None:
                return None
            time.sleep(0.1)
        rule, script = self.dice.choice(running)
        for process in self.processes_to_kill(script):
            kill(process)
        return [rule]

    def processes_to_kill(self, script):
        """What is killed of a job."""
        return [script]

    def clear(self):
        """Wait until what a killed Snakemake has left has ended, or end it; remove the lock."""
        orphans = [script for _, script in scripts(self.study)]
        if self.dice.random() < 0.5:
            for orphan in orphans:
                kill(orphan)
        wait_until(lambda: not scripts(self.study), "orphans end", PATIENCE)
        self.study.run("--unlock", self.profile, overlay=PART)

    def leftovers(self):
        """Locks, marks of incomplete files, temporary files and processes that are still there."""
        folder = self.study.folder / ".snakemake"
        files = [*folder.glob("locks/*"), *folder.glob("incomplete/*")]
        files += [
            path
            for path in Path(os.environ["TMPDIR"]).iterdir()
            if not any(path.match(pattern) for pattern in OF_SNAKEMAKE)
        ]
        return [str(path) for path in files] + at_work(self.study)


class OnSlurm(OneMachine):
    """Jobs are submitted; daemons of nodes and the controller can be killed, too."""

    name = "SLURM"
    victims = ("snakemake", "job", "slurmd", "slurmctld")
    pause = 22

    def __init__(self, study, dice, cluster):
        super().__init__(study, dice)
        study.snakemake = (impatient.__file__,)
        self.profile = profile(study)
        self.cluster = cluster

    def rules(self):
        running = (job for job in self.cluster.all_jobs() if job.state == "RUNNING")
        return super().rules() | {job.rule for job in running}

    def kill(self, victim, snakemake):
        rules = sorted(self.rules())
        if victim == "slurmd":
            # Beyond half a minute the node is down and its jobs are given up, though they run.
            self.restart(self.dice.choice(["cpu1", "cpu2", "gpu1"]), self.dice.uniform(0, 45))
            return rules
        if victim == "slurmctld":
            self.restart("slurmctld", self.dice.uniform(0, 10))
            if self.forgotten():
                snakemake.send_signal(SIGINT)
                snakemake.wait(PATIENCE)
            return rules
        return super().kill(victim, snakemake)

    def restart(self, daemon, outage):
        """Kill a daemon, and start it again after some seconds."""
        self.cluster.stop(daemon, SIGKILL)
        time.sleep(outage)
        self.cluster.start(daemon)

    def submitted(self):
        """Numbers of the jobs of the last Snakemake."""
        return set(re.findall(r"has been submitted with SLURM jobid (\d+)", last_log(self.study)))

    def forgotten(self):
        """Jobs that a killed controller had not saved: Snakemake would wait for them for ever."""
        known = wait_until(self.cluster.all_jobs, "slurmctld answers")
        return self.submitted() - {job.number for job in known}

    def processes_to_kill(self, script):
        """The script, or all processes of its job on its node."""
        job = job_of(script)
        if job is None or self.dice.random() < 0.5:
            return [script]
        return [process for process in psutil.process_iter() if job_of(process) == job]

    def clear(self):
        """Wait until jobs that a killed Snakemake has left have ended, or cancel them."""
        run = re.search(r"SLURM run ID: (\S+)", last_log(self.study))
        if run and self.dice.random() < 0.5:
            self.cluster.ask("scancel", "--name", run[1])
        wait_until(self.cluster.idle, "jobs end", PATIENCE)
        super().clear()

    def leftovers(self):
        return super().leftovers() + self.cluster.ask("squeue", "--noheader").splitlines()


def kill(process):
    """End a process, if it has not ended by itself."""
    with suppress(psutil.NoSuchProcess):
        process.kill()


def job_of(process):
    """Number of the SLURM job that a process belongs to."""
    try:
        return process.environ().get("SLURM_JOB_ID")
    except psutil.Error:
        return None


def at_work(study):
    """Command lines of all processes that work in the folder of a study."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "cwd"])
        if process.info["cwd"] == str(study.folder)
    ]


def last_log(study):
    """What the last Snakemake has written to its log."""
    logs = sorted((study.folder / ".snakemake" / "log").glob("*.log"))
    return logs[-1].read_text() if logs else ""


def sign_of_life(study):
    """What changes when a study gets on, or is killed and started again."""
    return len(last_log(study)), sum(len(names) for *_, names in os.walk(study.results))


def contents(study):
    """All files and folders of results, with a digest of those that are the same each time."""
    return {
        name: "" if path.is_dir() or varies(name) else sha256(path)
        for path in study.results.rglob("*")
        for name in [str(path.relative_to(study.results))]
    }


def varies(name):
    return any(fnmatch(name, pattern) for pattern in VARYING)


def differences(found, expected):
    """Files that are missing, were not expected, or have other bytes."""
    return (
        [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
        + [f"left over: {name}" for name in sorted(found.keys() - expected.keys())]
        + [
            f"other bytes: {name}"
            for name in sorted(expected.keys() & found.keys())
            if found[name] != expected[name]
        ]
    )


def begin(study):
    """Forget everything but compiled kernels."""
    for folder in (study.results, study.folder / ".snakemake"):
        shutil.rmtree(folder, ignore_errors=True)


def start(place):
    """A Snakemake that goes on with the study."""
    with (place.study.folder / "output.txt").open("w") as output:
        return place.study.start(place.profile, overlay=PART, output=output)


def complete_study(place, plan):
    """Compute a study under the kills that are planned; those that came, and runs of Snakemake."""
    begin(place.study)
    kills: list[dict] = []
    snakemake, runs, struck = start(place), 1, False
    while True:
        try:
            pause = place.dice.uniform(0, 2 * place.pause) if plan else PATIENCE
            status = snakemake.wait(pause)
        except subprocess.TimeoutExpired:
            if not plan:
                raise
            rules = place.kill(plan[-1], snakemake)
            if rules is not None:
                struck = True
                kills.append({"victim": plan.pop(), "rules": rules})
                print(f"{len(plan):3d} to go: {kills[-1]}", flush=True)
            status = snakemake.poll()
            if status is None:
                continue
        if status == 0:
            return kills, runs
        if not struck:
            output = (place.study.folder / "output.txt").read_text()
            raise AssertionError(f"nothing was killed and yet Snakemake failed:\n{output}")
        snakemake, runs, struck = start(place), runs + 1, False


def check(place, reference):
    """End the campaign if a complete study is not what it should be."""
    # SLURM may still be about to end what a lost job has left on its node.
    with suppress(TimeoutError):
        wait_until(lambda: not at_work(place.study), "processes end")
    problems = differences(contents(place.study), reference) + place.leftovers()
    again = place.study.planned(place.profile, overlay=PART)
    problems += [f"would run again: {rule}" for rule in again]
    if problems:
        sys.exit("\n".join([f"{place.name}, in {place.study.folder}:", *problems]))


def campaign(place, number, reference):
    """Complete studies until so many kills have come."""
    plan = [place.victims[turn % len(place.victims)] for turn in range(number)]
    place.dice.shuffle(plan)
    begun = time.monotonic()
    kills, studies, runs = [], 0, 0
    while plan:
        came, attempts = complete_study(place, plan)
        check(place, reference)
        kills, studies, runs = kills + came, studies + 1, runs + attempts
        print(f"{place.name}: study {studies} is complete, by {attempts} runs", flush=True)
    return {
        "place": place.name,
        "studies": studies,
        "runs": runs,
        "seconds": round(time.monotonic() - begun),
        "kills": kills,
    }


def undisturbed():
    """A checkout in a folder of its own, in which a study was completed without any kill."""
    wheel = REPOSITORY / "data" / "downloads" / amcsd.WHEEL
    amcsd.fetch(wheel)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    study = checkout(folder / "study", wheel)
    # Of all that is started from here.
    os.environ["TMPDIR"] = str(folder / "temporary")
    (folder / "temporary").mkdir()
    study.run(overlay=PART)
    return study


def show(results, returned):
    """Print studies, runs, drained nodes, and kills by their victim and what ran when they came."""
    for result in results:
        print("{place}: {studies} studies by {runs} runs in {seconds} s".format(**result))
    for (node, reason), times in Counter((one["node"], one["reason"]) for one in returned).items():
        print(f"{node} was drained ({reason}) and returned to service: {times} times")
    kills = pd.DataFrame(
        {"place": result["place"]} | kill for result in results for kill in result["kills"]
    )
    print(kills.groupby(["place", "victim"]).size().to_string())
    kills["rules"] = kills["rules"].map(lambda rules: rules or ["none"])
    by_rule = kills.explode("rules")
    print("\nrules of killed jobs, or with a running job (none: Snakemake started or waited)")
    print(pd.crosstab(by_rule["rules"], [by_rule["place"], by_rule["victim"]]).to_string())


def campaigns(arguments, guard):
    """What came of both campaigns, on one machine and on SLURM."""
    study = undisturbed()
    guard.sign = partial(sign_of_life, study)
    reference = contents(study)
    dice = random.Random(arguments.seed)
    results = [campaign(OneMachine(study, dice), arguments.kills, reference)]
    if arguments.slurm_kills:
        with slurm() as cluster:
            os.environ.update(cluster.environment)
            guard.cluster = cluster
            place = OnSlurm(study, dice, cluster)
            results.append(campaign(place, arguments.slurm_kills, reference))
    shutil.rmtree(study.folder.parent)
    return results


def main():
    """Run the campaign, print what came, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=28, help="kills on one machine")
    parser.add_argument("--slurm-kills", type=int, default=24, help="kills on SLURM")
    parser.add_argument("--limit", type=int, default=7200, help="seconds for all, at most")
    parser.add_argument("--output", type=Path, default="results/benchmarks/chaos.json")
    arguments = parser.parse_args()
    if arguments.slurm_kills and why_not():
        sys.exit(f"no SLURM can be started ({why_not()}); without one: --slurm-kills 0")

    # A command in the background of a shell ignores Ctrl-C, and so would the Snakemakes it starts.
    signal(SIGINT, default_int_handler)
    begun = time.monotonic()
    try:
        with Guard(patience=STUCK, limit=arguments.limit) as guard:
            results = campaigns(arguments, guard)
    except StuckError as error:
        sys.exit(f"given up: {error}")
    finally:
        for process in psutil.Process().children():
            kill(process)
    show(results, guard.returned)
    total = {
        "kills": sum(len(result["kills"]) for result in results),
        "seconds": round(time.monotonic() - begun),
    }
    print("{kills} kills in {seconds} s".format(**total))
    write_json(
        arguments.output,
        {"seed": arguments.seed, **total, "places": results, "returned": guard.returned},
    )


if __name__ == "__main__":
    main()
