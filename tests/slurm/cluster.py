"""A SLURM of several nodes on one machine, for tests: real daemons in a temporary folder."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import NamedTuple

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
PATIENCE = 60  # seconds until a daemon answers or ends
# Nodes share the machine's two cores; memory limits are enforced on what a job uses each second.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
SlurmdSpoolDir={folder}/%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
GresTypes=gpu
SchedulerParameters=sched_interval=2,sched_min_interval=100000
ReturnToService=2
SlurmdTimeout=30
MinJobAge=600
KillWait=5
{nodes}
PartitionName=cpu Nodes=cpu[1-2] Default=YES MaxTime=1-0 State=UP
PartitionName=gpu Nodes=gpu1 MaxTime=1-0 State=UP
"""
GPU = "NodeName=gpu1 Name=gpu File=/dev/null\n"


def why_not() -> str | None:
    """Why no SLURM can be started here, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"no {', '.join(missing)}: apt-get install slurm-wlm munge"
    return "only root starts a SLURM" if os.geteuid() else None


class Job(NamedTuple):
    """A job of SLURM as `squeue` shows it."""

    rule: str
    number: str
    state: str
    partition: str
    memory: str
    limit: str
    node: str


class Cluster:
    """A running SLURM: nodes cpu1 and cpu2 in partition `cpu`, gpu1 in partition `gpu`.

    Its daemons are `munged`, `slurmctld`, and the slurmd of each node under the node's name.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
        self._commands: dict[str, tuple[str, ...]] = {}
        self._daemons: dict[str, subprocess.Popen] = {}

    def start(self, name: str, *command: str) -> None:
        """Start a daemon in the foreground; without a command that which was stopped before."""
        command = self._commands.setdefault(name, command)
        self._daemons[name] = subprocess.Popen(
            command,
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self, name: str, signal: int = SIGTERM) -> None:
        """End a daemon by a signal, if need be by SIGKILL; jobs of a node go on without it."""
        process = self._daemons.pop(name)
        process.send_signal(signal)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self) -> None:
        """End all daemons that run, the last one first."""
        for name in reversed(list(self._daemons)):
            self.stop(name)

    def ask(self, *command: str) -> str:
        """What a program of SLURM prints."""
        return subprocess.run(
            command,
            env=os.environ | self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        ).stdout

    def all_jobs(self) -> list[Job]:
        """Jobs of all rules, those that have ended included."""
        form = "--format=%k|%i|%T|%P|%m|%l|%N"
        lines = self.ask("squeue", "--noheader", "--states=all", form).splitlines()
        # The plugin's comment on a job: rule_RULE, or rule_RULE_wildcards_VALUES.
        return [
            Job(comment.removeprefix("rule_").split("_wildcards_")[0], *fields)
            for comment, *fields in (line.split("|") for line in lines)
        ]

    def jobs(self, rule: str) -> list[Job]:
        """Jobs of a rule, those that have ended included."""
        return [job for job in self.all_jobs() if job.rule == rule]

    def nodes_answer(self) -> bool:
        states = self.ask("sinfo", "--noheader", "--Node", "--format=%T").split()
        return bool(states) and set(states) == {"idle"}

    def drained(self) -> dict[str, str]:
        """Nodes that take no more jobs until an administrator says so, and why."""
        lines = self.ask("sinfo", "--noheader", "--Node", "--format=%N|%T|%E").splitlines()
        rows = (line.split("|", 2) for line in lines)
        return {node: reason for node, state, reason in rows if state.startswith("drain")}

    def idle(self) -> bool:
        return not self.ask("squeue", "--noheader")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(condition, what: str, patience: float = PATIENCE, pause: float = 0.2):
    """What a condition gives as soon as that is true; it is asked again after each pause."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            found = condition()
        except subprocess.SubprocessError:
            found = None
        if found:
            return found
        time.sleep(pause)
    raise TimeoutError(f"waited {patience} s: {what}")


@contextmanager
def slurm():
    """A SLURM on this machine, stopped with all its jobs at the end of the context."""
    # Not a folder of pytest's, which only root may enter: munged wants its socket seen by all.
    with tempfile.TemporaryDirectory(prefix="slurm-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        names = ["cpu1", "cpu2", "gpu1"]
        for part in ("bin", "state", *names):
            (folder / part).mkdir()
        port, *ports = free_ports(1 + len(names))
        host = socket.gethostname()
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={number} CPUs=2"
            f" RealMemory=16000{' Gres=gpu:1' if node == 'gpu1' else ''} State=UNKNOWN"
            for node, number in zip(names, ports, strict=True)
        ]
        (folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=host, port=port, folder=folder, nodes="\n".join(nodes))
        )
        (folder / "gres.conf").write_text(GPU)
        key = folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        programs = {
            # The plugin's jobs drop SLURM_CONF before they call srun, which elsewhere is in /etc.
            "srun": f'SLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"',
            # Where the plugin finds `sacct` it asks that while slurmctld is silent; docs/cluster.md
            # says what comes of it without accounting.
            "which": f'test "$1" != sacct && exec {shutil.which("which")} "$@"',
        }
        for called, command in programs.items():
            program = folder / "bin" / called
            program.write_text(f"#!/bin/sh\n{command}\n")
            program.chmod(0o755)
        cluster = Cluster(folder)
        files = {
            "socket": "munge.socket",
            "key-file": "munge.key",
            "pid-file": "munged.pid",
            "log-file": "munged.log",
            "seed-file": "munged.seed",
        }
        options = [f"--{option}={folder / file}" for option, file in files.items()]
        stack.callback(cluster.stop_all)
        cluster.start("munged", "munged", "--foreground", "--force", *options)
        wait_until((folder / "munge.socket").exists, "munged answers")
        cluster.start("slurmctld", "slurmctld", "-D", "-i")
        for node in names:
            cluster.start(node, "slurmd", "-D", "-N", node)
        wait_until(cluster.nodes_answer, "all nodes are idle")
        try:
            yield cluster
        finally:
            cluster.ask("scancel", "--user=root")
            wait_until(cluster.idle, "all jobs have ended")
