"""Weights kept over the epochs, and what is measured with them."""

from dataclasses import replace

import numpy as np
import pytest
from networks import network, same_weights, trained

from diffsym.errors import DiffsymError
from diffsym.models.course import accuracy_over_epochs
from diffsym.models.networks import predict
from diffsym.models.snapshots import pack_snapshots, read_snapshots


@pytest.fixture(scope="module")
def followed(train, validation, tmp_path_factory):
    """A training of 4 epochs with a snapshot of each, its network, history and archive."""
    tmp_path = tmp_path_factory.mktemp("followed")
    model, history = trained(
        train, validation, tmp_path / "c.npz", snapshots=tmp_path / "snapshots", snapshot_every=1
    )
    pack_snapshots(tmp_path / "snapshots", tmp_path / "snapshots.zip")
    return model, history, tmp_path / "snapshots.zip"


def test_accuracy_over_epochs_is_that_of_the_history(followed, validation):
    _, history, archive = followed
    course = accuracy_over_epochs(network(), archive, {"validation": validation})
    assert course["epochs"] == [1, 2, 3, 4]
    assert course["accuracy"]["validation"] == pytest.approx(history["val_accuracy"], abs=1e-6)


def test_patterns_without_a_label_do_not_count(followed, validation):
    _, _, archive = followed
    model = network()
    labels = validation.labels.copy()
    labels[::2] = -1
    parts = {
        "half": replace(validation, labels=labels),
        "none": replace(validation, labels=np.full_like(labels, -1)),
    }
    accuracy = accuracy_over_epochs(model, archive, parts)["accuracy"]
    right = predict(model, validation).probabilities.argmax(axis=1) == validation.labels
    assert accuracy["half"][-1] == pytest.approx(right[1::2].mean())
    assert "none" not in accuracy


def test_snapshots_change_nothing_and_the_last_is_the_end(followed, train, validation, tmp_path):
    model, history, archive = followed
    without, other = trained(train, validation, tmp_path / "without.npz")
    assert same_weights(model, without)
    assert history["val_loss"] == other["val_loss"]
    *_, (epoch, weights) = read_snapshots(archive)
    assert epoch == 4
    assert all(map(np.array_equal, weights, model.get_weights()))


def test_equal_trainings_give_equal_archives(followed, train, validation, tmp_path):
    # Half of it, then the rest after a kill; what an older training left is swept away.
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "epoch-00099.npz").write_bytes(b"of an older training")
    settings = {"snapshots": folder, "snapshot_every": 1}
    trained(train, validation, tmp_path / "again.npz", epochs=2, **settings)
    trained(train, validation, tmp_path / "again.npz", **settings)
    pack_snapshots(folder, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == followed[2].read_bytes()


def test_every_second_epoch(train, validation, tmp_path):
    trained(train, validation, tmp_path / "c.npz", snapshots=tmp_path / "s", snapshot_every=2)
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
        "epoch-00002.npz", "epoch-00004.npz"
    ]  # fmt: skip


def test_a_broken_archive_is_named(tmp_path):
    (tmp_path / "snapshots.zip").write_bytes(b"no archive")
    with pytest.raises(DiffsymError, match=r"snapshots\.zip"):
        list(read_snapshots(tmp_path / "snapshots.zip"))
