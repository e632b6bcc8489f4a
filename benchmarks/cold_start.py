"""A cold answer by a pack against loading the same network with Keras.

Each is a process of its own, timed from its start to its end: `diffsym predict`, which reads a
pack (network and known structures), converts a pattern, asks the network with onnxruntime and
searches; the same with the network alone; Keras as our jobs import it; and Keras as anybody would.
The network has the size of the default study's and random weights, since a start takes as long with
any. Each runs once to fill caches, then the fastest of several counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from diffsym.files import write_json
from diffsym.identification.card import EnsembleCard, Estimate, Score
from diffsym.identification.contents import card_of
from diffsym.identification.known import read_known
from diffsym.identification.pack import write_pack
from diffsym.keras_backend import keras
from diffsym.models import park2017_cnn
from diffsym.models.networks import save_model
from diffsym.models.onnx_export import as_onnx
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.study.layout import Layout
from diffsym.tables import REFLECTIONS, read_table

GROUPS = tuple(range(198, 231))
ANGLES = np.arange(5.0, 90.0, 0.02)

PACK_ALONE = """
import numpy as np
from diffsym.identification.pack import read_pack
[ensemble] = read_pack("pack.zip").ensembles
ensemble.probabilities(np.zeros((1, 8501), np.float32))
"""
OUR_KERAS = """
import numpy as np
from diffsym.models.networks import load_model
load_model("network.keras").predict(np.zeros((1, 8501), np.float32), verbose=0)
"""
PLAIN_KERAS = """
import keras
import numpy as np
model = keras.saving.load_model("network.keras", compile=False)
model.predict(np.zeros((1, 8501), np.float32), verbose=0)
"""
# A process has the peak of what started it for its own until it exceeds that; this one is small.
STARTER = """
import json, os, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True)
seconds = time.perf_counter() - started
if done.returncode:
    sys.exit(done.stderr.decode())
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": seconds,
    "processor_seconds": used.ru_utime + used.ru_stime,
    "peak_mb": used.ru_maxrss / 1024,
}))
"""
COMMANDS = {
    "diffsym predict, search included": [
        *("-m", "diffsym.app.command", "predict", "pattern.xy"),
        *("--wavelength", "CuKa", "--pack", "pack.zip"),
    ],
    "the pack's network alone": ["-c", PACK_ALONE],
    "Keras as jobs import it": ["-c", OUR_KERAS],
    "Keras": ["-c", PLAIN_KERAS],
}


def prepare(results: Path, folder: Path) -> None:
    """Write a network, a pack with it, and a pattern."""
    keras.utils.set_random_seed(0)
    descriptor = Powder()
    network = park2017_cnn.build(8501, len(GROUPS), Park2017Cnn(), seed=0)
    save_model(network, folder / "network.keras")
    nothing = Estimate(value=0.0, low=0.0, high=0.0)
    score = Score(n=0, accuracy=nothing, baseline=nothing)
    ensemble = EnsembleCard(
        experiment="random",
        model="park2017_cnn",
        descriptor=descriptor,
        target="space_group",
        classes=GROUPS,
        training_counts=(1,) * len(GROUPS),
        split="none",
        seeds=(0,),
        validation=score,
        test=score,
    )
    known = read_known(results)
    card = card_of("pack", sources={}, ensembles=[ensemble], known=known)
    networks = {"random": [as_onnx(network)]}
    write_pack(folder / "pack.zip", card, networks=networks, known=known)
    table = read_table(Layout(str(results)).reflections(0), REFLECTIONS)
    lines = Lines.of_one(
        table["d_star"][0].values.to_numpy(),
        table["intensity"][0].values.to_numpy().astype(float),
    )
    curve = powder_pattern(
        lines, ANGLES, radiation=CU_K_ALPHA_DOUBLET, shape=PeakShape.gaussian(0.05)
    )
    counts = np.random.default_rng(0).poisson(3000 * curve / curve.max() + 60)
    np.savetxt(folder / "pattern.xy", np.column_stack([ANGLES, counts]))


def run_once(arguments: list[str], folder: Path) -> dict[str, float]:
    """Seconds by the clock and of processors, and peak memory, MB, of a process."""
    command = [sys.executable, "-c", STARTER, sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Print times, memory and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks/cold_start.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        prepare(options.results, Path(name))
        report = {}
        for what, arguments in COMMANDS.items():
            run_once(arguments, Path(name))
            runs = [run_once(arguments, Path(name)) for _ in range(options.repetitions)]
            report[what] = {key: min(run[key] for run in runs) for key in runs[0]}
    for what, found in report.items():
        print(
            f"{what:34s} {found['seconds']:6.2f} s  {found['processor_seconds']:6.2f} s of "
            f"processors  {found['peak_mb']:5.0f} MB"
        )
    for ours in list(COMMANDS)[:2]:
        for theirs in list(COMMANDS)[2:]:
            ratio = {key: report[theirs][key] / report[ours][key] for key in report[ours]}
            print(
                f"{theirs} / {ours}: {ratio['seconds']:.1f} in time, "
                f"{ratio['processor_seconds']:.1f} in processor time, "
                f"{ratio['peak_mb']:.1f} in memory"
            )
    write_json(options.output, report)


if __name__ == "__main__":
    main()
