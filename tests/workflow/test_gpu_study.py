"""The study on a GPU, rehearsed on processors: packed, cut off, and gone on with."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from study import REPOSITORY

from diffsym.gpu_study import features
from diffsym.gpu_study.luggage import LIMIT, RETURNED_BYTES, RETURNED_FILES
from diffsym.gpu_study.pack import bytes_of, repository_bytes
from diffsym.gpu_study.plan import NETWORKS, read_plan
from diffsym.gpu_study.processes import Trainer

OVERLAYS = ("config/gpu_study.yaml", "tests/workflow/gpu_rehearsal.yaml")
# Structures that the study is made for, and bytes that one may take of the luggage.
ALL_STRUCTURES, BYTES_A_STRUCTURE = 155_000, 200


@pytest.fixture(scope="module")
def luggage(tmp_path_factory, amcsd_wheel):  # noqa: ARG001 - the workflow reads the wheel
    """A thousand structures, packed by the command that packs all."""
    folder = tmp_path_factory.mktemp("gpu")
    command = [sys.executable, "-m", "diffsym.gpu_study.pack", "--overlay", *OVERLAYS]
    command += ["--luggage", folder / "luggage", "--workflow", folder / "workflow", "--cores", "2"]
    finished = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(r"together +\d+\.\d MiB of 64", finished.stdout)
    return folder / "luggage"


def start(luggage: Path, results: Path, output: Path, seconds: int) -> subprocess.Popen:
    """Start the study, as `make gpu-study` does, in a group of processes of its own."""
    command = [sys.executable, "-m", "diffsym.gpu_study", "--luggage", luggage]
    command += ["--results", results, "--output", output, "--seconds", str(seconds)]
    return subprocess.Popen(
        list(map(str, command)),
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_all_structures_would_fit_into_one_call(luggage):
    n = read_structures(luggage)
    tables = [luggage / name for name in ("structures.parquet", "labels.parquet")]
    each = sum(path.stat().st_size for path in tables) / n
    assert n > 900
    assert each < BYTES_A_STRUCTURE
    rest = repository_bytes(REPOSITORY) + bytes_of(luggage / "wheels")
    # Room is left for the wheels of a newer lock, and for what came back from an earlier call.
    assert rest + ALL_STRUCTURES * BYTES_A_STRUCTURE < LIMIT - 12 * 2**20


def read_structures(luggage):
    return features.read_lean(luggage / "structures.parquet").num_rows


def test_wheels_are_those_of_the_other_machine(luggage):
    wheels = sorted(path.name for path in (luggage / "wheels").glob("*.whl"))
    assert [name.split("-")[0] for name in wheels] == [
        "annotated_types",
        "gemmi",
        "keras",
        "namex",
        "optree",
        "spglib",
    ]
    assert all(re.search(r"-(cp312-cp312|cp3\d+-abi3|py3-none)-", name) for name in wheels)


def test_settings_travel_with_their_defaults(luggage):
    experiments, provenance = read_plan(luggage / "plan.json")
    assert set(experiments) == {network.experiment for network in NETWORKS}
    assert experiments["gpu_liu2019"].training.precision == "mixed_bfloat16"
    assert experiments["gpu_msdn"].model.growth == 8
    assert provenance["git_revision"]


def test_what_one_process_has_compiled_another_need_not(luggage, tmp_path):
    task = {"experiment": "gpu_spgvolnet_1"}
    seconds = []
    for do in ("compile", "rate"):
        trainer = Trainer("jax", luggage, tmp_path, threads=2)
        trainer.wait(60)
        answer = trainer.do({"do": do, **task}, 120)
        trainer.end()
        assert "error" not in answer, (tmp_path / "jax.log").read_text()
        seconds.append(answer["compile_seconds"])
        # The second process finds all code of training steps in the folder of the first.
        compiled = {path.name for path in (tmp_path / "compiled").iterdir()}
        if do == "compile":
            ahead = compiled
    new = {name for name in compiled - ahead if "train_step" in name}
    assert any("train_step" in name for name in ahead)
    assert not new


def test_a_study_that_is_cut_off_is_gone_on_with(luggage, tmp_path):
    results, output = tmp_path / "results", tmp_path / "output"
    study = start(luggage, results, output, 120)
    first = results / "networks" / f"{NETWORKS[0].name}" / "result.json"
    try:
        wait_for(lambda: (output / "networks-1.zip").exists() and first.exists(), 115)
    finally:
        os.killpg(study.pid, signal.SIGKILL)
    study.communicate()

    # What was done by then has come back whole.
    check_output(output, {NETWORKS[0].name})
    done = first.stat().st_mtime_ns

    # On a quiet machine the second call is the last one.
    for _ in range(5):
        study = start(luggage, results, output, 110)
        printed, _ = study.communicate(timeout=200)
        assert study.returncode == 0, printed
        if "are left for another call" not in printed:
            break
    assert first.stat().st_mtime_ns == done, "a network that was done was trained again"
    summary = check_output(output, {network.name for network in NETWORKS})
    assert summary["failed"] == {}, printed
    assert summary["tried_again"] == [], printed
    check_descriptors(luggage, results / "features")
    check_numbers(summary)
    assert "torch" in summary["missing_backends"] or "torch" in summary["devices"]

    study = start(luggage, results, output, 40)
    printed, _ = study.communicate(timeout=60)
    assert study.returncode == 0, printed
    assert "structures/s" not in printed, "nothing was left to be trained"


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the first network was not trained in time"
        time.sleep(0.1)


def check_output(output, names):
    """What came back is small and whole, and holds at least some networks; the summary."""
    files = list(output.iterdir())
    assert len(files) <= RETURNED_FILES
    assert all(path.stat().st_size <= RETURNED_BYTES for path in files)
    summary = json.loads((output / "study.json").read_text())
    listed = {f"{result['experiment']}-{result['member']}" for result in summary["networks"]}
    packed = {}
    for bundle in output.glob("networks-*.zip"):
        with zipfile.ZipFile(bundle) as archive:
            for name in archive.namelist():
                packed[name] = archive.read(name)
    assert names <= listed
    for name in names:
        assert json.loads(packed[f"{name}/history.json"])["loss"]
        path = output.parent / "weights.h5"
        path.write_bytes(packed[f"{name}/weights.h5"])
        with h5py.File(path) as weights:
            assert all(weights[key].dtype == np.float16 for key in weights)
            assert all(np.isfinite(np.asarray(weights[key])).all() for key in weights)
    return summary


def check_descriptors(luggage, folder):
    """All descriptors of all structures are there, and none of them is empty."""
    n = read_structures(luggage)
    for kind in ("pdf", "powder", "ideal"):
        values, state = features.open_features(folder, kind)
        assert (state == features.PRESENT).sum() > 0.98 * n
        assert np.isfinite(values).all()
        assert (values[state == features.PRESENT].max(axis=1) == 1).all()
    images, state = features.open_features(folder, "electron")
    assert (images[state == features.PRESENT].max(axis=(1, 2, 3)) > 0).all()


def check_numbers(summary):
    """Every network has its numbers, and one that had time has learnt something."""
    for result in summary["networks"]:
        test = result["test"]
        assert test["n"] == result["structures"]["test"] > 0
        for scores in (test["accuracy"], test["baseline"]):
            assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 for row in scores)
        assert result["precision"] == "mixed_bfloat16"
        assert result["structures_per_second_without_input"] > 0
        assert result["validation_accuracy_of_stored_weights"] == pytest.approx(
            result["validation_accuracy"], abs=0.1
        )
        assert (result["input_share"] is None) == (result["epochs"] == 1)
    # Epochs are what the time allows; a busy machine has few, in which nothing is learnt.
    for liu in summary["networks"]:
        if liu["model"] == "liu2019_cnn" and liu["split"] == "stratified" and liu["epochs"] > 60:
            assert liu["test"]["accuracy"][0]["value"] > liu["test"]["baseline"][0]["high"]
    (ensemble,) = summary["ensembles"]
    assert ensemble["members"] == 3
    assert summary["descriptors"]["electron"]["processes"] >= 1
