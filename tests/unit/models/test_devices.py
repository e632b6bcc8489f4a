"""One network on several devices: processors that JAX takes for two devices."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.keras_backend import configure
from diffsym.models import batches
from diffsym.models.networks import load_model

HERE = Path(__file__).parent
JOB = f"""
import json, sys
from pathlib import Path
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parents[1])!r}]
import jax
import numpy as np
from diffsym.errors import DiffsymError
from diffsym.keras_backend import configure, used_device
from diffsym.models.networks import predict, save_model
from conftest import clusters
from networks import trained

cut = jax.make_array_from_process_local_data
cuts = set()

def cut_and_recorded(*arguments):
    array = cut(*arguments)
    cuts.add(tuple(shard.data.shape for shard in array.addressable_shards))
    return array

jax.make_array_from_process_local_data = cut_and_recorded
folder = Path(sys.argv[1])
train, validation, few = clusters(300, 1), clusters(120, 2), clusters(121, 2)

configure(threads=1)
_, alone = trained(train, validation, folder / "alone.npz", epochs=2)
assert not cuts
configure(threads=1, devices=2)
trained(train, validation, folder / "shared.npz", epochs=1)
model, shared = trained(train, validation, folder / "shared.npz", epochs=2)
homes = [len(variable.value.sharding.device_set) for variable in model.variables]
np.save(folder / "given.npy", few.features)
np.save(folder / "predicted.npy", predict(model, few).probabilities)
save_model(model, folder / "shared.keras")
try:
    configure(threads=1, devices=3)
except DiffsymError as error:
    refusal = str(error)
print(json.dumps([alone, shared, sorted(cuts), homes, used_device(), refusal]))
"""


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    """Folder of what a process with two devices has written, and what it says."""
    folder = tmp_path_factory.mktemp("devices")
    # What XLA compiles once and runs for a second it need not optimise.
    flags = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
    job = subprocess.run(
        [sys.executable, "-c", JOB, folder],
        env=os.environ
        | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
        | {"CUDA_VISIBLE_DEVICES": f"GPU-{uuid4()}"},  # a GPU that JAX does not find
        capture_output=True,
        text=True,
        check=False,
    )
    assert job.returncode == 0, job.stderr
    return folder, *json.loads(job.stdout.splitlines()[-1]), job.stderr


def test_two_devices_train_the_network_of_one(trainings):
    """Also when the training on two devices was ended after an epoch, and started again."""
    _, alone, shared, *_ = trainings
    for quantity in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert shared[quantity] == pytest.approx(alone[quantity], rel=1e-5)


def test_each_device_gets_half_of_a_batch_and_all_weights(trainings):
    _, _, _, cuts, homes, *_ = trainings
    assert [[16, 40], [16, 40]] in cuts
    assert all(first == second for first, second in cuts)
    assert set(homes) == {2}


def test_each_structure_of_an_odd_number_is_predicted_once(trainings):
    folder, *_ = trainings
    given, predicted = (np.load(folder / f"{name}.npy") for name in ("given", "predicted"))
    alone = load_model(folder / "shared.keras").predict(given, verbose=0)
    assert predicted.shape == (121, 3)
    assert np.allclose(predicted, alone, atol=1e-5)


def test_batches_divide_among_devices(train, monkeypatch):
    monkeypatch.setattr(batches, "shares", lambda: 7)
    order = batches.shuffled(len(train), seed=1, epoch=1)
    cut = [labels for _, labels, _ in batches.Batches(train, 63, order=order)]
    assert [len(labels) for labels in cut] == [63, 63, 63, 63, 49]
    assert (np.concatenate(cut)[: len(train)] == train.labels[order]).all()
    assert (np.concatenate(cut)[len(train) :] == train.labels[order[:1]]).all()
    # Predictions are made in batches of a size that devices do not divide.
    assert [len(labels) for _, labels, _ in batches.Batches(train, 200)] == [203, 98]


def test_the_device_is_named_and_a_missing_one_is_asked_for(trainings):
    *_, device, refusal, log = trainings
    assert device == "cpu"
    assert "a GPU is there, but jax finds none" in log
    assert refusal.startswith("devices: 3 of the training is more than this job sees (cpu:0, cpu:1")


def test_tensorflow_does_not_share_batches():
    with pytest.raises(DiffsymError, match=r"devices: 2 .* set .* KERAS_BACKEND=jax"):
        configure(threads=1, devices=2)
