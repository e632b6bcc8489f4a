"""Run the study: descriptors by the cores, networks by the GPU, everything by the clock.

    python -m diffsym.gpu_study --luggage build/gpu --results results/gpu --output OUT --seconds 540

Started again, it goes on where it ended: with the same results folder on the same machine, or on
another with the files that came back in the luggage's folder `returned`.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, read_json, write_json
from diffsym.gpu_study import features
from diffsym.gpu_study.luggage import PLAN, RETURNED, RETURNED_BYTES, RETURNED_FILES
from diffsym.gpu_study.monitor import Monitor
from diffsym.gpu_study.plan import (
    NETWORKS,
    Experiment,
    Network,
    ensemble_seconds,
    feature_kind,
    next_network,
    read_plan,
    seconds_for,
    shortest_seconds,
)

BACKENDS = ("jax", "torch")
# Structures of which there are images: what 15 cores make while other networks train.
IMAGES = 60_000
# Seconds that a rate may take, and beyond its share before a network is ended.
RATE_LIMIT = 75.0
PATIENCE = 15.0
# Share of the images that must be there before networks train on them.
ENOUGH_IMAGES = 0.5
SUMMARY = "study.json"
# Files of a network that come back, and bytes of its entries in an archive.
BUNDLED = ("weights.h5", "history.json", "result.json")
BUNDLE_SLACK = 2048


class ProcessLostError(Exception):
    """A process ended, or did not answer in time."""


class Trainer:
    """The process of one backend, see `diffsym.gpu_study.networks`."""

    def __init__(self, backend: str, luggage: Path, results: Path, threads: int) -> None:
        self.backend = backend
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._log = (results / f"{backend}.log").open("a")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "diffsym.gpu_study.networks",
                "--luggage",
                str(luggage),
                "--results",
                str(results),
                "--threads",
                str(threads),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=os.environ | _environment(backend, results),
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def wait(self, seconds: float) -> dict[str, Any]:
        """Return the next answer; ProcessLostError if there is none within so many seconds."""
        try:
            line = self._answers.get(timeout=max(seconds, 0.1))
        except queue.Empty:
            self.end()
            raise ProcessLostError(f"no answer within {seconds:.0f} s") from None
        if line is None:
            raise ProcessLostError("its process ended")
        return json.loads(line)

    def do(self, task: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Answer to a task."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ProcessLostError("its process ended") from None
        return self.wait(seconds)

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self._log.close()


def _environment(backend: str, results: Path) -> dict[str, str]:
    """Environment variables of a process of one backend."""
    return {
        "KERAS_BACKEND": backend,
        # What one network has compiled serves the next one of the same shape, and the next call.
        "JAX_COMPILATION_CACHE_DIR": str(results / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "PYTHONUNBUFFERED": "1",
    }


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
    missing: dict[str, str] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    rates: dict[str, dict[str, Any]] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    waited: float = 0.0

    def __post_init__(self) -> None:
        """Read the settings of the experiments."""
        self.experiments, self.provenance = read_plan(self.luggage / PLAN)

    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def say(self, text: str) -> None:
        """Print a line with the time."""
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def network_folder(self, name: str) -> Path:
        """Folder of what a network has come to."""
        return self.results / "networks" / name

    def waiting(self) -> list[Network]:
        """Networks that are still to be trained, those aside that failed in this call."""
        return [
            network
            for network in NETWORKS
            if network.name not in self.failed
            and not (self.network_folder(network.name) / "result.json").exists()
        ]

    def start_trainers(self) -> None:
        """Start the process of each backend, and find out which of them work."""
        for backend in self.backends:
            self.trainers[backend] = Trainer(
                backend, self.luggage, self.results, max(1, min(4, self.cores // 4))
            )
        for backend, trainer in list(self.trainers.items()):
            try:
                self.devices[backend] = trainer.wait(min(90.0, self.left()))["device"]
                self.say(f"{backend}: {self.devices[backend]}")
            except ProcessLostError as error:
                self.missing[backend] = f"{error}; see {backend}.log"
                self.say(f"{backend}: not usable, {error}")
                del self.trainers[backend]

    def restart(self, backend: str) -> None:
        """Replace the process of a backend that was lost."""
        self.trainers[backend] = Trainer(
            backend, self.luggage, self.results, max(1, min(4, self.cores // 4))
        )
        try:
            self.trainers[backend].wait(min(60.0, self.left()))
        except ProcessLostError as error:
            self.missing[backend] = str(error)
            del self.trainers[backend]

    def ask(self, backend: str, task: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Answer of a backend, {"error": ...} if it has none."""
        try:
            return self.trainers[backend].do(task, seconds)
        except ProcessLostError as error:
            self.restart(backend)
            return {"error": str(error)}

    def measure(self, experiment: str) -> None:
        """Measure how fast each backend trains the network of an experiment."""
        key = rate_key(self.experiments[experiment])
        rates = self.rates.setdefault(key, {"experiment": experiment, "backends": {}})
        for backend in list(self.trainers):
            limit = min(RATE_LIMIT, self.left())
            answer = self.ask(backend, {"do": "rate", "experiment": experiment}, limit)
            rates["backends"][backend] = answer
            self.say(
                f"{experiment} with {backend}: "
                + (
                    f"{answer['rate']:.0f} structures/s without input, compiled in "
                    f"{answer['compile_seconds']:.1f} s"
                    if "rate" in answer
                    else answer["error"]
                )
            )

    def fastest(self, experiment: str) -> tuple[str, float] | None:
        """Backend that trains the network of an experiment fastest, and its rate."""
        measured = self.rates.get(rate_key(self.experiments[experiment]), {"backends": {}})
        rates = [
            (answer["rate"], backend)
            for backend, answer in measured["backends"].items()
            if "rate" in answer and backend in self.trainers
        ]
        return (max(rates)[1], max(rates)[0]) if rates else None

    def ready(self) -> dict[str, bool]:
        """Whether the descriptors of each experiment are computed, or enough of the images."""
        folder = self.results / "features"
        enough = {"electron": ENOUGH_IMAGES}
        return {
            name: features.progress(folder, feature_kind(experiment))
            >= enough.get(feature_kind(experiment), 1.0)
            for name, experiment in self.experiments.items()
        }

    def unmeasured(self) -> str | None:
        """Name of the first experiment that waits and whose rate is unknown."""
        for network in self.waiting():
            if rate_key(self.experiments[network.experiment]) not in self.rates:
                return network.experiment
        return None

    def train(self, network: Network) -> None:
        """Train a network for its share of the time that is left."""
        if rate_key(self.experiments[network.experiment]) not in self.rates:
            self.measure(network.experiment)
        fastest = self.fastest(network.experiment)
        if fastest is None:
            self.failed[network.name] = "no backend trains it"
            return
        backend, rate = fastest
        seconds = seconds_for(network, self.waiting(), self.left() - ensemble_seconds(self.seconds))
        task = {"do": "train", "experiment": network.experiment, "member": network.member}
        if network.name in self.tried:
            task["precision"] = "float32"
        began = time.monotonic()
        answer = self.ask(backend, {**task, "seconds": seconds, "rate": rate}, seconds + PATIENCE)
        usage = self.monitor.between(began, time.monotonic())
        if "error" in answer:
            self.note_failure(network.name, answer["error"])
            return
        path = self.network_folder(network.name) / "result.json"
        write_json(path, answer | {"gpu": usage, "share_of_time": seconds / self.seconds})
        self.say(sentence(network.name, answer, usage))

    def note_failure(self, name: str, error: str) -> None:
        """Let a network be tried once more, in single precision, and then no more in this call."""
        if name in self.tried:
            self.failed[name] = error
        self.tried.setdefault(name, error)
        self.say(f"{name}: failed, {error}")

    def run(self) -> None:
        """Do as much of the study as the time allows."""
        self.results.mkdir(parents=True, exist_ok=True)
        self.output.mkdir(parents=True, exist_ok=True)
        adopt(self.luggage / RETURNED, self.results)
        self.monitor = Monitor()
        computing = self.start_features()
        try:
            self.start_trainers()
            while (waiting := self.waiting()) and self.left() - ensemble_seconds(
                self.seconds
            ) > shortest_seconds(self.seconds):
                network = next_network(waiting, self.ready())
                if network is not None:
                    self.train(network)
                    self.send_back()
                elif (experiment := self.unmeasured()) is not None:
                    self.measure(experiment)
                elif computing.poll() is not None and next_network(waiting, self.ready()) is None:
                    self.give_up(waiting, computing.returncode)
                else:
                    self.waited += 0.2
                    time.sleep(0.2)
            self.evaluate_ensembles()
        finally:
            computing.kill()
            for trainer in self.trainers.values():
                trainer.end()
            self.monitor.stop()
            self.send_back()

    def give_up(self, waiting: Sequence[Network], code: int) -> None:
        """Name the networks whose descriptors will never come."""
        for network in waiting:
            self.failed[network.name] = f"no descriptors, their process ended with {code}"
            self.say(f"{network.name}: {self.failed[network.name]}; see features.log")

    def start_features(self) -> subprocess.Popen[bytes]:
        """Let the cores that the trainers leave compute the descriptors."""
        with (self.results / "features.log").open("ab") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "diffsym.gpu_study.features",
                    "--luggage",
                    str(self.luggage),
                    "--folder",
                    str(self.results / "features"),
                    "--processes",
                    str(max(1, self.cores - 3)),
                    "--images",
                    str(self.images),
                ],
                stdout=log,
                stderr=log,
            )

    def evaluate_ensembles(self) -> None:
        """Average the members of each experiment that has several."""
        for experiment in dict.fromkeys(network.experiment for network in NETWORKS):
            members = list((self.results / "networks").glob(f"{experiment}-*/weights.h5"))
            fastest = self.fastest(experiment)
            done = self.results / "networks" / f"{experiment}-ensemble.json"
            known = read_json(done)["members"] if done.exists() else 1
            if len(members) > known and fastest is not None and self.left() > 0:
                answer = self.ask(
                    fastest[0], {"do": "ensemble", "experiment": experiment}, self.left() + PATIENCE
                )
                text = answer.get("error") or accuracies(answer["test"])
                self.say(f"{experiment}, mean of {len(members)} networks: {text}")

    def send_back(self) -> None:
        """Write the summary and the bundles of networks, as they are now, into the output."""
        summary = self.summary()
        write_json(self.results / SUMMARY, summary)
        write_json(self.output / SUMMARY, summary)
        done = [
            folder
            for network in NETWORKS
            if (folder := self.network_folder(network.name)).joinpath("weights.h5").exists()
            and (folder / "result.json").exists()
        ]
        for number, folders in enumerate(bundles_of(done), start=1):
            write_bundle(self.output / f"networks-{number}.zip", folders)
        write_bundle(self.output / "logs.zip", [self.results], ["*.log"])
        check_returned(self.output)

    def summary(self) -> dict[str, Any]:
        """All numbers of the study as they are now."""
        networks = self.results / "networks"
        passes = self.results / "features" / features.PASSES_FILE
        return {
            "provenance": self.provenance,
            "devices": self.devices,
            "cores": self.cores,
            "seconds": self.seconds,
            "spent": time.monotonic() - self.began,
            "waited_for_descriptors": self.waited,
            "descriptors": read_json(passes) if passes.exists() else {},
            "rates": list(self.rates.values()),
            "missing_backends": self.missing,
            "tried_twice": self.tried,
            "failed": self.failed,
            "networks": [
                read_json(self.network_folder(network.name) / "result.json")
                for network in NETWORKS
                if (self.network_folder(network.name) / "result.json").exists()
            ],
            "ensembles": [read_json(path) for path in sorted(networks.glob("*-ensemble.json"))],
        }


def rate_key(experiment: Experiment) -> str:
    """What the speed of a network depends on; experiments that share it are measured once."""
    parts = [experiment.model, experiment.training, experiment.descriptor]
    return json.dumps([dict(part) for part in parts], sort_keys=True)


def accuracies(test: Mapping[str, Any]) -> str:
    """Accuracies on a test part in words."""
    first = test["accuracy"][0]
    text = (
        f"top 1 {100 * first['value']:.1f} % [{100 * first['low']:.1f}, {100 * first['high']:.1f}]"
    )
    if len(test["accuracy"]) >= 6:
        text += f", top 6 {100 * test['accuracy'][5]['value']:.1f} %"
    return f"{text}, label frequency {100 * test['baseline'][0]['value']:.1f} % (n = {test['n']})"


def sentence(name: str, result: Mapping[str, Any], usage: Mapping[str, Any] | None) -> str:
    """What is printed of a trained network."""
    parts = [f"{name} ({result['backend']}): {accuracies(result['test'])}"]
    parts.append(f"{result['epochs']} epochs of {result['structures']['train']} structures")
    if result["structures_per_second"] is not None:
        rate, share = result["structures_per_second"], 100 * result["input_share"]
        parts.append(f"{rate:.0f} structures/s, {share:.0f} % of the time for input")
    if usage is not None:
        busy, memory = usage["utilisation_percent"], usage["memory_mib"]
        parts.append(f"GPU busy {busy:.0f} %, {memory:.0f} MiB")
    return "; ".join(parts)


def bundles_of(folders: Sequence[Path]) -> list[list[Path]]:
    """Networks in their order, cut into bundles that are small enough to come back."""
    bundles: list[list[Path]] = []
    room = 0
    for folder in folders:
        size = sum(path.stat().st_size for path in _bundled(folder, BUNDLED)) + BUNDLE_SLACK
        if size > room:
            bundles.append([])
            room = RETURNED_BYTES
        bundles[-1].append(folder)
        room -= size
    return bundles


def write_bundle(path: Path, folders: Sequence[Path], patterns: Sequence[str] = BUNDLED) -> None:
    """Pack the files of some folders into one archive, those of each folder under its name."""
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for folder in folders:
            for file in _bundled(folder, patterns):
                packed.write(file, f"{folder.name}/{file.name}")


def _bundled(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def adopt(returned: Path, results: Path) -> None:
    """Take over what an earlier call on another machine has sent back.

    The summary alone tells which networks are done; their weights are needed for ensembles only.
    """
    if (returned / SUMMARY).exists():
        for result in read_json(returned / SUMMARY)["networks"]:
            name = Network(result["experiment"], result["member"], 0).name
            write_json(results / "networks" / name / "result.json", result)
    for bundle in sorted(returned.glob("networks-*.zip")):
        with zipfile.ZipFile(bundle) as packed:
            for entry in packed.namelist():
                name, file = entry.split("/")
                with atomic_path(results / "networks" / name / file) as temporary:
                    temporary.write_bytes(packed.read(entry))


def check_returned(output: Path) -> None:
    """DiffsymError if more would come back than may."""
    files = [path for path in output.iterdir() if path.is_file()]
    large = [path.name for path in files if path.stat().st_size > RETURNED_BYTES]
    if len(files) > RETURNED_FILES or large:
        raise DiffsymError(
            f"{output}: {len(files)} files, of which {RETURNED_FILES} may come back; too large: "
            f"{', '.join(large) or 'none'}"
        )


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
    arguments = parser.parse_args()
    run = Run(**vars(arguments))
    run.run()
    for name in sorted(run.failed):
        print(f"not done: {name}, {run.failed[name]}")
    if run.waiting():
        print(f"{len(run.waiting())} networks are left for another call")


if __name__ == "__main__":
    try:
        main()
    except DiffsymError as error:
        sys.exit(str(error))
