"""Training: schedule, weights, and that killing it changes nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import SETTINGS, network, same_weights, trained

from diffsym.errors import DiffsymError
from diffsym.keras_backend import keras, resolve_precision
from diffsym.models.adam import Adam
from diffsym.models.batches import Batches
from diffsym.models.checkpoints import training_digest
from diffsym.models.networks import (
    computes_in_half,
    in_single_precision,
    load_model,
    predict,
    save_model,
)
from diffsym.models.schedule import Clock, CosineRate, cosine_rate, learning_rate_at
from diffsym.models.training import loss_weights
from diffsym.settings.training import Training


def test_weights_are_those_of_the_paper_scaled_to_a_mean_of_one():
    labels = np.array([0] * 6 + [1] * 3 + [3])
    weights = loss_weights(labels, 4, "inverse_frequency")
    assert weights[labels].mean() == pytest.approx(1)
    assert weights[[0, 1, 3]] == pytest.approx(np.array([1 / 6, 1 / 3, 1]) * 10 / 3)
    assert weights[2] == 0
    assert (loss_weights(labels, 4, "none") == 1).all()


def test_learning_rate_of_the_paper():
    rates = [
        learning_rate_at(epoch, learning_rate=0.1, drops=[81, 122], factor=0.1)
        for epoch in (1, 80, 81, 121, 122, 164)
    ]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_a_cosine_rises_over_a_tenth_and_falls_to_zero():
    rates = [cosine_rate(share, learning_rate=2.0) for share in (0, 0.05, 0.1, 0.5, 1, 1.2)]
    assert rates == pytest.approx([0, 0.993844, 1.951057, 1, 0, 0], abs=1e-6)


def test_the_rate_of_a_step_is_that_of_its_middle():
    schedule = CosineRate(2.0, steps=50)
    rates = [float(schedule(step)) for step in (0, 3, 24, 49)]
    expected = [cosine_rate((step + 0.5) / 50, learning_rate=2.0) for step in (0, 3, 24, 49)]
    assert rates == pytest.approx(expected, rel=1e-3)


def test_a_rate_that_falls_as_a_cosine_follows_the_epochs(train, validation, tmp_path):
    _, history = trained(
        train, validation, tmp_path / "c.npz", epochs=4, learning_rate_decay="cosine"
    )
    expected = [cosine_rate(share, learning_rate=0.003) for share in (1 / 8, 3 / 8, 5 / 8, 7 / 8)]
    assert history["learning_rate"] == pytest.approx(expected)


def test_a_training_ends_with_its_time_and_its_rate_with_it(train, validation, tmp_path):
    settings = {"epochs": 10_000, "learning_rate_decay": "cosine"}
    started = time.perf_counter()
    _, history = trained(train, validation, tmp_path / "c.npz", seconds=8.0, **settings)
    # The network is compiled within that time, and an epoch may be longer than expected.
    assert time.perf_counter() - started < 20
    assert 2 <= len(history["loss"]) < 10_000
    assert history["learning_rate"][-1] < 0.2 * max(history["learning_rate"])


def test_a_clock_expects_the_shortest_epoch():
    now = time.perf_counter()
    assert Clock(None).allows_another([5.0])
    assert Clock(10, started=now - 8).allows_another([3.0])  # it also compiled: 1.5 s
    assert not Clock(10, started=now - 8).allows_another([9.0, 3.0])
    assert Clock(10, started=now - 6).allows_another([9.0, 3.0])


def test_compiling_takes_no_share_of_a_clock():
    clock = Clock(60, spent_before=40)
    assert Clock(None).share([1.0] * 9) == 0
    assert clock.share([]) == clock.share([30.0, 12.0]) == 0
    # Two epochs of 2 s took 38 s more, which leaves 62 s of 100; 3.5 epochs are 7 s of these.
    assert clock.share([30.0, 12.0, 2.0]) == pytest.approx(7 / 62)
    assert clock.share([30.0, 12.0, *[2.0] * 60]) == 1


def test_tensorflow_takes_batches_without_tuning_how(train):
    batches = Batches(train, 128, order=np.arange(len(train))[::-1])
    fed = batches.fed()
    assert fed.options().autotune.enabled is False
    assert fed.cardinality() == len(batches) == 3
    for taken, own in zip(fed.as_numpy_iterator(), batches, strict=True):
        for one, other in zip(taken, own, strict=True):
            np.testing.assert_array_equal(one, other)


def test_adam_takes_the_steps_of_keras():
    generator = np.random.default_rng(1)
    start = generator.normal(size=(4, 5)).astype(np.float32)
    gradients = generator.normal(size=(6, 4, 5)).astype(np.float32)
    own, of_keras = (keras.Variable(start) for _ in range(2))
    rate = CosineRate(0.1, steps=6)
    for optimizer, variable in (
        (Adam(rate, epsilon=1e-4, weight_decay=0.05), own),
        (keras.optimizers.Adam(rate, epsilon=1e-4, weight_decay=0.05), of_keras),
    ):
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    assert np.abs(own.numpy() - start).max() > 0.1
    # 1 - 0.999 has four digits in single precision.
    np.testing.assert_allclose(own.numpy(), of_keras.numpy(), rtol=0, atol=1e-5)


def test_checkpoints_come_no_more_often_than_asked(train, validation, tmp_path):
    checkpoint = tmp_path / "c.npz"
    trained(train, validation, checkpoint, epochs=2, checkpoint_seconds=3600.0)
    assert not checkpoint.exists()
    trained(train, validation, checkpoint, epochs=2)
    assert checkpoint.exists()


def test_a_network_learns_and_its_history_is_whole(train, validation, tmp_path):
    model, history = trained(
        train, validation, tmp_path / "c.npz", epochs=12, learning_rate_drops=[10]
    )
    accuracy = (predict(model, validation).probabilities.argmax(axis=1) == validation.labels).mean()
    assert accuracy > np.bincount(validation.labels).max() / len(validation) + 0.15
    assert history["val_accuracy"][-1] == pytest.approx(accuracy, abs=1e-6)
    assert [len(history[key]) for key in ("loss", "accuracy", "val_loss", "seconds")] == [12] * 4
    assert history["loss"][-1] < history["loss"][0]
    assert history["learning_rate"] == pytest.approx([0.003] * 9 + [0.0003] * 3)


def test_the_best_epoch_is_kept(train, validation, tmp_path):
    model, history = trained(train, validation, tmp_path / "c.npz", keep="best", epochs=6)
    best = int(np.argmax(history["val_accuracy"]))
    assert history["best_epoch"] == history["kept_epoch"] == best + 1
    accuracy = (predict(model, validation).probabilities.argmax(axis=1) == validation.labels).mean()
    assert accuracy == pytest.approx(history["val_accuracy"][best], abs=1e-6)


def test_patience_ends_a_training_that_does_not_improve(train, validation, tmp_path):
    # A rate this small changes no prediction, so the first epoch stays the best.
    _, history = trained(
        train, validation, tmp_path / "c.npz", epochs=20, patience=3, learning_rate=1e-12,
        class_weights="none",
    )  # fmt: skip
    assert len(history["loss"]) == history["best_epoch"] + 3 < 20


def test_weights_decay_by_their_share_of_the_rate(train, validation, tmp_path):
    """At a rate too small to learn anything each step leaves 1 - rate * decay of a weight."""
    model, _ = trained(
        train, validation, tmp_path / "c.npz", epochs=1, learning_rate=1e-12, weight_decay=1e10,
        batch_size=len(train) // 2, class_weights="none", keep="last",
    )  # fmt: skip
    steps = 3 if len(train) % 2 else 2
    kernel, before = (one.get_layer(index=-1).kernel.numpy() for one in (model, network()))
    assert kernel == pytest.approx(before * (1 - 1e-2) ** steps, rel=1e-4)


@pytest.fixture(scope="module")
def half_trained(train, validation, tmp_path_factory):
    """Checkpoint after two of the four epochs."""
    path = tmp_path_factory.mktemp("half") / "checkpoint.npz"
    trained(train, validation, path, epochs=2)
    return path


@pytest.fixture
def checkpoint(half_trained, tmp_path):
    """A copy of that checkpoint, which a training goes on to write."""
    return shutil.copy(half_trained, tmp_path / "checkpoint.npz")


def test_a_resumed_training_is_that_training(train, validation, checkpoint, tmp_path):
    whole, history = trained(train, validation, tmp_path / "whole.npz")
    resumed, joined = trained(train, validation, checkpoint)
    assert same_weights(whole, resumed)
    assert joined["val_loss"] == history["val_loss"]
    assert joined["seconds"] != history["seconds"]


def test_a_training_along_a_cosine_is_resumed(train, validation, tmp_path):
    """Where it was interrupted, after its second epoch."""

    def interrupt(epoch, _):
        if epoch == 2:
            raise KeyboardInterrupt

    interruption = keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)
    changes = {"learning_rate_decay": "cosine"}
    whole, history = trained(train, validation, tmp_path / "whole.npz", **changes)
    with pytest.raises(KeyboardInterrupt):
        trained(train, validation, tmp_path / "c.npz", callbacks=[interruption], **changes)
    resumed, joined = trained(train, validation, tmp_path / "c.npz", **changes)
    assert same_weights(whole, resumed)
    assert joined["val_loss"] == history["val_loss"]


@pytest.mark.usefixtures("precision")
def test_a_network_in_single_precision_has_the_same_weights():
    half = network()
    single = in_single_precision(half)
    assert same_weights(half, single)
    assert computes_in_half(half)
    assert not computes_in_half(single)
    assert in_single_precision(single) is single
    values = np.random.default_rng(0).random((5, 40), np.float32)
    assert predicted(single, values) == pytest.approx(predicted(half, values), abs=0.02)


def test_auto_is_a_precision_that_the_processor_multiplies_itself():
    flags = Path("/proc/cpuinfo").read_text().split()
    native = "avx512_bf16" in flags or "amx_bf16" in flags
    assert resolve_precision("auto") == ("mixed_bfloat16" if native else "float32")
    assert resolve_precision("float32") == "float32"


def predicted(model, values):
    return model.predict(values, verbose=0)


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def precision(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def test_a_training_in_mixed_precision_learns_and_is_resumed(
    train, validation, tmp_path, precision
):
    """Also with the scale of the loss in float16, which batches this small lower at once."""
    changes = {"batch_size": 4, "learning_rate": 0.001}
    whole, history = trained(train, validation, tmp_path / "whole.npz", **changes)
    trained(train, validation, tmp_path / "halves.npz", epochs=2, **changes)
    resumed, joined = trained(train, validation, tmp_path / "halves.npz", **changes)
    assert whole.get_layer(index=1).compute_dtype == precision.removeprefix("mixed_")
    assert same_weights(whole, resumed)
    assert joined["val_loss"] == history["val_loss"]
    probabilities = predict(whole, validation).probabilities
    assert probabilities.dtype == np.float32
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    most_frequent = np.bincount(validation.labels).max() / len(validation)
    assert history["val_accuracy"][-1] > most_frequent


@pytest.mark.parametrize("change", [{"seed": 6}, {"batch_size": 16}, {"learning_rate": 0.002}])
def test_a_checkpoint_of_another_training_is_not_resumed(
    train, validation, checkpoint, tmp_path, change
):
    fresh, _ = trained(train, validation, tmp_path / "fresh.npz", **change)
    other, _ = trained(train, validation, checkpoint, **change)
    assert same_weights(fresh, other)


def test_every_key_of_a_training_is_part_of_its_checkpoint(train, validation):
    """But those that decide only when a training ends, and which epoch it keeps."""
    other = {
        "learning_rate_drops": (7,), "losses": ("quadratic",), "task_weights": (1.0, 2.0),
        "learning_rate_decay": "cosine", "class_weights": "none", "precision": "mixed_bfloat16",
        "snapshot_every": 3, "weight_decay": 0.1, "batch_size": 32,
        "jit_compile": True, "deterministic": False, "devices": 2,
    }  # fmt: skip
    model = network()
    digests = {None: training_digest(model, Training(), 0, train, validation)}
    for name, value in vars(Training()).items():
        if name not in {"keep", "patience", "epochs"}:
            if name not in other:
                other[name] = 0.5 if value is None else value / 2
            changed = replace(Training(), **{name: other[name]})
            digests[name] = training_digest(model, changed, 0, train, validation)
    assert len(set(digests.values())) == len(digests)


def test_a_checkpoint_of_other_data_is_not_resumed(train, validation, checkpoint, tmp_path):
    moved = replace(train, features=train.features + np.float32(0.1))
    fresh, _ = trained(moved, validation, tmp_path / "fresh.npz")
    other, _ = trained(moved, validation, checkpoint)
    assert same_weights(fresh, other)


JOB = f"""
import json, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[2])!r}]
from networks import network, run_training
from conftest import clusters
from diffsym.keras_backend import configure
configure(threads=1)
from diffsym.models.networks import save_model
model = network()
settings = json.loads(sys.argv[3])
train, validation = clusters(3000, 1), clusters(120, 2)
history = run_training(model, train, validation, checkpoint=sys.argv[1], **settings)
save_model(model, sys.argv[2])
print(json.dumps(history))
"""


def start(checkpoint, model, settings, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(checkpoint), str(model), json.dumps(settings)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(job):
    output, errors = job.communicate()
    assert job.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


LONGER = SETTINGS | {"epochs": 6}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Model file and history of a training in a process of its own."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    job = start(folder / "checkpoint.npz", folder / "model.keras", LONGER)
    return folder / "model.keras", finish(job)


def test_a_training_killed_twice_ends_with_the_weights_of_one_that_was_not(uninterrupted, tmp_path):
    whole, _ = uninterrupted
    checkpoint = tmp_path / "killed.npz"
    for _ in range(2):
        job = start(checkpoint, tmp_path / "killed.keras", LONGER)
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
            assert job.poll() is None, job.communicate()[1]
            time.sleep(0.002)
        job.send_signal(signal.SIGKILL)
        job.communicate()
        assert not (tmp_path / "killed.keras").exists()
    finish(start(checkpoint, tmp_path / "killed.keras", LONGER))
    assert same_weights(load_model(whole), load_model(tmp_path / "killed.keras"))
    assert not list(tmp_path.glob(".*")), "temporary files of killed writers are left"


def test_jax_trains_the_same_network(uninterrupted, tmp_path):
    """Dropout is drawn otherwise, so losses agree in their course, not in their digits."""
    # What XLA compiles once and runs for a second it need not optimise.
    jax = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    job = start(tmp_path / "c.npz", tmp_path / "model.keras", LONGER, **jax)
    histories = [uninterrupted[1], finish(job)]
    final = [history["val_loss"][-1] for history in histories]
    assert final[0] == pytest.approx(final[1], rel=0.25)
    assert min(history["val_accuracy"][-1] for history in histories) > 0.75


def test_a_loss_that_is_not_finite_ends_with_a_sentence(train, validation, tmp_path):
    with pytest.raises(DiffsymError, match="lower learning_rate"):
        trained(train, validation, tmp_path / "c.npz", learning_rate=1e38)


def test_an_empty_validation_part_cannot_choose(train, validation, tmp_path):
    empty = replace(
        validation,
        features=validation.features[:0],
        labels=validation.labels[:0],
        structure_ids=validation.structure_ids[:0],
    )
    with pytest.raises(DiffsymError, match="raise validation_fraction"):
        trained(train, empty, tmp_path / "c.npz", keep="best")
    model, history = trained(train, empty, tmp_path / "c.npz", epochs=1)
    assert history["kept_epoch"] == 1
    assert predict(model, empty).probabilities.shape == (0, 3)


def test_code_in_a_model_file_is_refused(tmp_path):
    inputs = keras.Input((40,))
    outputs = keras.layers.Lambda(lambda x: x[:, :3])(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "strange.keras")
    with pytest.raises(DiffsymError, match=r"strange\.keras"):
        load_model(tmp_path / "strange.keras")


def test_a_truncated_model_file_is_named(tmp_path):
    save_model(network(), tmp_path / "model.keras")
    content = (tmp_path / "model.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(content[: len(content) // 2])
    assert zipfile.is_zipfile(tmp_path / "model.keras")
    with pytest.raises(DiffsymError, match=r"cut\.keras: not a network"):
        load_model(tmp_path / "cut.keras")
