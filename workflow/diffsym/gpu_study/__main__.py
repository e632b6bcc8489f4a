"""Run the study: descriptors by the cores, networks by the GPU, everything by the clock.

    python -m diffsym.gpu_study --luggage build/gpu --results results/gpu --output OUT --seconds 540

Started again, it goes on where it ended: with the same results folder on the same machine, or on
another with the files that came back in the luggage's folder `returned`.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.files import read_json, write_json
from diffsym.gpu_study import features
from diffsym.gpu_study.luggage import PLAN, RETURNED
from diffsym.gpu_study.monitor import Monitor
from diffsym.gpu_study.plan import (
    COMPARED,
    NETWORKS,
    Attempt,
    Network,
    ensemble_seconds,
    feature_kind,
    next_attempt,
    next_network,
    rate_key,
    read_plan,
    seconds_for,
    shortest_seconds,
)
from diffsym.gpu_study.processes import (
    LateError,
    ProcessLostError,
    Trainer,
    end_group,
    start_module,
)
from diffsym.gpu_study.returns import SUMMARY, adopt, claim, fingerprint, send_back

BACKENDS = ("jax", "torch")
# Structures of which there are images, at most: what the cores make while other networks train.
IMAGES = 30_000
# Share of the images that must be there before networks train on them.
ENOUGH_IMAGES = 0.5
# Seconds that measuring a rate may take, and that a network may take beyond its share.
RATE_LIMIT = 60.0
PATIENCE = 30.0
# With fewer cores, compiling ahead would take them from the descriptors.
CORES_TO_COMPILE_AHEAD = 8


@dataclass
class Run:
    """One call of the study.

    Attributes
    ----------
    luggage, results, output
        What came along; what is kept for the next call on this machine; what is sent back.
    seconds
        That the call may take.
    backends
        Of Keras, to be compared.
    cores
        Of the machine.
    images
        Structures of which there are images, at most.
    trainers
        Process of each backend that works; `ahead` is one that only compiles.
    rates
        By what the speed of a network depends on: the answer of each backend.
    attempts
        How a network is tried next, after a failure.
    failed
        Networks that are not tried again in this call, and why.
    """

    luggage: Path
    results: Path
    output: Path
    seconds: float
    backends: Sequence[str]
    cores: int
    images: int
    began: float = field(default_factory=time.monotonic)
    trainers: dict[str, Trainer] = field(default_factory=dict)
    ahead: Trainer | None = None
    missing: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    rates: dict[str, dict[str, Any]] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    waited: float = 0.0
    features_starts: int = 0

    def __post_init__(self) -> None:
        """Read the settings of the experiments, and what earlier calls have measured."""
        self.experiments, self.provenance = read_plan(self.luggage / PLAN)
        for folder in (self.results, self.output):
            folder.mkdir(parents=True, exist_ok=True)
        claim(self.results, self.luggage)
        adopt(self.luggage / RETURNED, self.results, self.luggage)
        self.earlier = _read_or(self.results / SUMMARY, {})
        self.rates = _read_or(self.results / "rates.json", {})
        self.devices = dict(self.earlier.get("devices", {}))

    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def left_to_train(self) -> float:
        """Seconds that are left for networks."""
        return self.left() - ensemble_seconds(self.seconds)

    def say(self, text: str) -> None:
        """Print a line with the time."""
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def folder(self, network: Network) -> Path:
        """Folder of what a network has come to."""
        return self.results / "networks" / network.name

    def done(self) -> list[Network]:
        """Networks that are trained and tested."""
        return [n for n in NETWORKS if (self.folder(n) / "result.json").exists()]

    def waiting(self) -> list[Network]:
        """Networks that are still to be trained, those aside that failed in this call."""
        done = self.done()
        return [n for n in NETWORKS if n not in done and n.name not in self.failed]

    # Processes

    def start_trainer(self, backend: str) -> Trainer:
        """Start the process of a backend."""
        return Trainer(backend, self.luggage, self.results, max(1, min(4, self.cores // 4)))

    def start_trainers(self) -> None:
        """Start the process of each backend, and find out which of them work."""
        self.trainers = {backend: self.start_trainer(backend) for backend in self.backends}
        for backend in self.backends:
            self.greet(backend)

    def greet(self, backend: str) -> None:
        """Wait until the process of a backend is there; forget the backend if it does not come."""
        try:
            self.devices[backend] = self.trainers[backend].wait(min(90.0, self.left()))["device"]
            self.say(f"{backend}: {self.devices[backend]}")
        except ProcessLostError as error:
            self.trainers.pop(backend).end()
            self.missing[backend] = f"{error}; see {backend}.log"
            self.say(f"{backend}: not usable, {error}")

    def start_compiling_ahead(self) -> None:
        """Let another process compile what JAX will need later, the largest network first.

        Compiling is the work of processors, so the GPU need not wait for it.
        """
        if self.cores < CORES_TO_COMPILE_AHEAD or "jax" not in self.backends:
            return
        later = {rate_key(self.experiments[n.experiment]): n.experiment for n in self.waiting()}
        self.ahead = Trainer("jax", self.luggage, self.results, self.cores, log="jax-ahead")
        tasks = [{"do": "compile", "experiment": name} for name in list(later.values())[1:]]
        with contextlib.suppress(ProcessLostError):
            self.ahead.begin(tasks[::-1])

    def start_features(self) -> subprocess.Popen[str]:
        """Let the cores that the trainers leave compute the descriptors."""
        self.features_starts += 1
        with (self.results / "features.log").open("a") as log:
            return start_module(
                "diffsym.gpu_study.features",
                {
                    "luggage": self.luggage,
                    "folder": self.results / "features",
                    "processes": max(1, self.cores - 3),
                    "images": self.images,
                },
                # A process a core, and a thread a process.
                dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
                stdout=log,
                stderr=log,
            )

    def ask(self, backend: str, task: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Answer of a backend; {"error": ...} if it has none, or if something went wrong.

        After an error that is not a sentence of ours the process is replaced, since what it left
        on the device is unknown.
        """
        try:
            answer = self.trainers[backend].do(task, seconds)
        except ProcessLostError as error:
            answer = {"error": str(error), "late": isinstance(error, LateError)}
        if "error" in answer and not answer.get("expected"):
            self.trainers[backend].end()
            self.trainers[backend] = self.start_trainer(backend)
            self.greet(backend)
        return answer

    # Rates

    def compared(self, experiment: str) -> list[str]:
        """Backends that are measured: all for some networks, for others the faster one of these."""
        if experiment in COMPARED or not (self.rates and self.trainers):
            return list(self.trainers)
        totals = {
            backend: sum(
                rates["backends"].get(backend, {}).get("rate", 0.0) for rates in self.rates.values()
            )
            for backend in self.trainers
        }
        return [max(totals, key=lambda backend: totals[backend])]

    def measure(self, experiment: str) -> None:
        """Measure how fast backends train the network of an experiment."""
        rates = self.rates.setdefault(
            rate_key(self.experiments[experiment]), {"experiment": experiment, "backends": {}}
        )
        for backend in self.compared(experiment):
            task = {"do": "rate", "experiment": experiment}
            answer = self.ask(backend, task, min(RATE_LIMIT, self.left()))
            rates["backends"][backend] = answer
            text = (
                f"{answer['rate']:.0f} structures/s without input, compiled in "
                f"{answer['compile_seconds']:.1f} s"
                if "rate" in answer
                else answer["error"]
            )
            self.say(f"{experiment} with {backend}: {text}")
        write_json(self.results / "rates.json", self.rates)

    def known_rates(self, experiment: str) -> dict[str, float]:
        """Structures per second of each backend that works, the fastest first."""
        answers = self.rates.get(rate_key(self.experiments[experiment]), {}).get("backends", {})
        rates = {
            backend: answer["rate"]
            for backend, answer in answers.items()
            if "rate" in answer and backend in self.trainers
        }
        return dict(sorted(rates.items(), key=lambda item: -item[1]))

    def unmeasured(self) -> str | None:
        """Name of the first experiment that waits and whose rate is unknown."""
        names = (network.experiment for network in self.waiting())
        return next((e for e in names if rate_key(self.experiments[e]) not in self.rates), None)

    # Networks

    def ready(self) -> dict[str, bool]:
        """Whether the descriptors of each experiment are computed, or enough of the images."""
        folder = self.results / "features"
        enough = {"electron": ENOUGH_IMAGES}
        return {
            name: features.progress(folder, feature_kind(experiment))
            >= enough.get(feature_kind(experiment), 1.0)
            for name, experiment in self.experiments.items()
        }

    def train(self, network: Network) -> None:
        """Train a network for its share of the time that is left; measuring its rate counts."""
        ends = time.monotonic() + seconds_for(network, self.waiting(), self.left_to_train())
        if rate_key(self.experiments[network.experiment]) not in self.rates:
            self.measure(network.experiment)
            if ends - time.monotonic() < shortest_seconds(self.seconds):
                return  # its next share is all for training
        rates = self.known_rates(network.experiment)
        # An attempt that was cut off goes on as it began, or its checkpoint would be worthless.
        begun = _read_or(self.folder(network) / "attempt.json", {})
        attempt = self.attempts.get(network.name, Attempt(begun.get("backend")))
        backend = attempt.backend if attempt.backend in rates else next(iter(rates), None)
        if backend is None:
            self.failed[network.name] = "no backend trains it"
            return
        began = time.monotonic()
        answer = self.ask(
            backend,
            {
                "do": "train",
                "experiment": network.experiment,
                "member": network.member,
                "seconds": ends - began,
                "rate": rates[backend],
                "precision": attempt.precision,
            },
            min(ends - began + PATIENCE, max(self.left(), 1.0) + PATIENCE / 2),
        )
        usage = self.monitor.between(began, time.monotonic())
        if "error" in answer:
            self.note_failure(network, answer, backend, list(rates))
            return
        self.attempts.pop(network.name, None)
        write_json(self.folder(network) / "result.json", answer | {"gpu": usage})
        self.say(sentence(network.name, answer, usage))

    def note_failure(
        self, network: Network, answer: Mapping[str, Any], backend: str, others: Sequence[str]
    ) -> None:
        """Let a network be tried once more in another way, and then no more in this call."""
        self.say(f"{network.name} with {backend}: failed, {answer['error']}")
        if network.name in self.attempts:
            self.failed[network.name] = str(answer["error"])
        else:
            self.attempts[network.name] = next_attempt(answer, backend, others)

    def run(self) -> None:
        """Do as much of the study as the time allows."""
        self.monitor = Monitor()
        computing = self.start_features()
        try:
            self.start_compiling_ahead()
            self.start_trainers()
            while self.waiting() and self.left_to_train() > shortest_seconds(self.seconds):
                network = next_network(self.waiting(), self.ready())
                if network is not None:
                    self.train(network)
                    self.send_back()
                elif (experiment := self.unmeasured()) is not None and self.trainers:
                    self.measure(experiment)
                elif computing.poll() is None:
                    self.waited += 0.2
                    time.sleep(0.2)
                elif self.features_starts < 2:
                    self.say(f"descriptors: ended with {computing.returncode}, started again")
                    computing = self.start_features()
                elif next_network(self.waiting(), self.ready()) is None:
                    self.give_up(computing.returncode)
            self.evaluate_ensembles()
        finally:
            end_group(computing)
            for trainer in (*self.trainers.values(), self.ahead):
                if trainer is not None:
                    trainer.end()
            self.monitor.stop()
            self.send_back()

    def give_up(self, code: int) -> None:
        """Name the networks whose descriptors will never come."""
        for network in self.waiting():
            self.failed[network.name] = f"no descriptors, their process ended with {code}"
            self.say(f"{network.name}: {self.failed[network.name]}; see features.log")

    def evaluate_ensembles(self) -> None:
        """Average the members of each experiment that has several."""
        for experiment in dict.fromkeys(network.experiment for network in NETWORKS):
            members = list((self.results / "networks").glob(f"{experiment}-*/weights.h5"))
            known = _read_or(self.results / "networks" / f"{experiment}-ensemble.json", {})
            backend = next(iter(self.known_rates(experiment) or self.trainers), None)
            if len(members) > known.get("members", 1) and backend and self.left() > 0:
                answer = self.ask(
                    backend, {"do": "ensemble", "experiment": experiment}, self.left() + PATIENCE
                )
                text = answer.get("error") or accuracies(answer["test"])
                self.say(f"{experiment}, mean of {len(members)} networks: {text}")

    # Results

    def send_back(self) -> None:
        """Write all that is done, as it is now, into the output."""
        whole = [n for n in self.done() if (self.folder(n) / "weights.h5").exists()]
        too_large = send_back(
            self.output, self.results, self.summary(), [self.folder(n) for n in whole]
        )
        if too_large:
            self.say(f"too large to come back: {', '.join(too_large)}")

    def summary(self) -> dict[str, Any]:
        """All numbers of the study as they are now."""
        networks = self.results / "networks"
        return {
            "luggage_sha256": fingerprint(self.luggage),
            "provenance": self.provenance,
            "devices": self.devices,
            "cores": self.cores,
            "spent": self.earlier.get("spent", 0.0) + time.monotonic() - self.began,
            "waited_for_descriptors": self.earlier.get("waited_for_descriptors", 0.0) + self.waited,
            "descriptors": _read_or(self.results / "features" / features.PASSES_FILE, {}),
            "rates": list(self.rates.values()),
            "missing_backends": self.missing,
            "tried_again": sorted(self.attempts),
            "failed": self.failed,
            "networks": [read_json(self.folder(n) / "result.json") for n in self.done()],
            "ensembles": [read_json(path) for path in sorted(networks.glob("*-ensemble.json"))],
        }


def _read_or(path: Path, default: dict[str, Any]) -> dict[str, Any]:
    """Content of a JSON file, or something else if there is none."""
    return read_json(path) if path.exists() else default


def accuracies(test: Mapping[str, Any]) -> str:
    """Accuracies on a test part in words."""
    first = test["accuracy"][0]
    interval = f"[{100 * first['low']:.1f}, {100 * first['high']:.1f}]"
    text = f"top 1 {100 * first['value']:.1f} % {interval}"
    if len(test["accuracy"]) >= 6:
        text += f", top 6 {100 * test['accuracy'][5]['value']:.1f} %"
    return f"{text}, label frequency {100 * test['baseline'][0]['value']:.1f} % (n = {test['n']})"


def sentence(name: str, result: Mapping[str, Any], usage: Mapping[str, Any] | None) -> str:
    """What is printed of a trained network."""
    parts = [f"{name} ({result['backend']}): {accuracies(result['test'])}"]
    parts.append(f"{result['epochs']} epochs of {result['structures']['train']} structures")
    if result["structures_per_second"] is not None:
        parts.append(f"{result['structures_per_second']:.0f} structures/s")
    if result["input_share"] is not None:
        parts.append(f"{100 * result['input_share']:.0f} % of the time for input")
    if usage is not None and None not in usage.values():
        busy, memory = usage["utilisation_percent"], usage["memory_mib"]
        parts.append(f"GPU busy {busy:.0f} %, {memory:.0f} MiB")
    return "; ".join(parts)


def main() -> None:
    """Run the study and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--luggage", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--images", type=int, default=IMAGES)
    run = Run(**vars(parser.parse_args()))
    run.run()
    for name, reason in sorted(run.failed.items()):
        print(f"not done: {name}, {reason}")
    if run.waiting():
        print(f"{len(run.waiting())} networks are left for another call")


if __name__ == "__main__":
    try:
        main()
    except DiffsymError as error:
        sys.exit(str(error))
