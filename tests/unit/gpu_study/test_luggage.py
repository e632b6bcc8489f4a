"""What travels to the GPU and back."""

import json
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from study import REPOSITORY

from diffsym.errors import DiffsymError
from diffsym.gpu_study.__main__ import adopt, bundles_of, check_returned, write_bundle
from diffsym.gpu_study.luggage import labels_table, read_labels, rows_of, write_labels
from diffsym.gpu_study.monitor import Monitor, parse
from diffsym.gpu_study.pack import CARRIED, check_limit, pinned


def some_labels():
    structures = pa.table(
        {
            "structure_id": ["s:1", "s:2", "s:3", "s:4"],
            "space_group": pa.array([2, 225, 225, 62], pa.uint8()),
            "primitive_volume": [100.0, 50.0, 60.0, 70.0],
        }
    )
    split = pa.table(
        {
            "structure_id": ["s:3", "s:1", "s:2"],
            "role": ["test", "train", "train"],
            "group": ["x", "y", "x"],
        }
    )
    return labels_table(structures, {"odd": split})


def test_labels_stand_in_the_order_of_the_structures(tmp_path):
    write_labels(some_labels(), tmp_path / "labels.parquet")
    labels = read_labels(tmp_path / "labels.parquet")
    assert labels["role:odd"].to_pylist() == [0, 0, 2, -1]
    first, second, third, absent = labels["cluster:odd"].to_pylist()
    assert second == third != first
    assert absent == -1
    assert np.exp(labels["ln_volume"].to_numpy()) == pytest.approx([100, 50, 60, 70])


def test_rows_of_a_role_belong_to_the_classes():
    assert rows_of(some_labels(), "odd", "train", (225,)).tolist() == [1]
    assert rows_of(some_labels(), "odd", "test", (2,)).tolist() == []


def test_luggage_beyond_the_limit_is_refused_with_the_sizes():
    check_limit({"a": 30, "b": 34}, limit=64)
    with pytest.raises(DiffsymError, match=r"65.0 MiB, and 64 may travel \(a 30.0, b 35.0\)"):
        check_limit({"a": 30 * 2**20, "b": 35 * 2**20})


def test_carried_packages_are_pinned_with_their_hashes():
    lines = pinned((REPOSITORY / "requirements.lock").read_text(), CARRIED)
    pins = [line.split()[0] for line in lines.splitlines() if line and line[0] not in " #"]
    assert [pin.split("==")[0] for pin in pins] == list(CARRIED)
    assert lines.count("--hash=sha256:") >= len(CARRIED)


def test_a_package_that_the_lock_lacks_is_named():
    with pytest.raises(DiffsymError, match="nosuch is missing"):
        pinned("numpy==2.0 \\\n    --hash=sha256:0\n", ["numpy", "nosuch"])


def network(results, name, n_bytes=10):
    folder = results / "networks" / name
    folder.mkdir(parents=True)
    (folder / "weights.h5").write_bytes(b"w" * n_bytes)
    (folder / "history.json").write_text("{}")
    experiment, member = name.rsplit("-", 1)
    result = {"experiment": experiment, "member": int(member)}
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_networks_come_back_in_bundles_that_are_small_enough(tmp_path):
    folders = [network(tmp_path, f"a-{i}", 7 * 2**20) for i in range(5)]
    bundles = bundles_of(folders)
    assert [len(bundle) for bundle in bundles] == [2, 2, 1]
    assert [folder for bundle in bundles for folder in bundle] == folders


def test_a_second_machine_goes_on_with_what_came_back(tmp_path):
    folder = network(tmp_path / "first", "a-0")
    returned = tmp_path / "returned"
    returned.mkdir()
    write_bundle(returned / "networks-1.zip", [folder])
    adopt(returned, tmp_path / "second")
    second = tmp_path / "second" / "networks" / "a-0"
    assert {path.name: path.read_bytes() for path in second.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_the_summary_alone_tells_which_networks_are_done(tmp_path):
    result = {"experiment": "a", "member": 1}
    (tmp_path / "study.json").write_text(json.dumps({"networks": [result]}))
    adopt(tmp_path, tmp_path / "second")
    assert (
        json.loads((tmp_path / "second" / "networks" / "a-1" / "result.json").read_text()) == result
    )


def test_too_much_to_come_back_is_an_error(tmp_path):
    for number in range(8):
        (tmp_path / f"{number}").write_bytes(b"")
    check_returned(tmp_path)
    (tmp_path / "0").write_bytes(b"0" * (16 * 2**20 + 1))
    with pytest.raises(DiffsymError, match="too large: 0"):
        check_returned(tmp_path)
    (tmp_path / "0").write_bytes(b"")
    (tmp_path / "8").write_bytes(b"")
    with pytest.raises(DiffsymError, match="9 files, of which 8"):
        check_returned(tmp_path)


def test_logs_are_bundled_by_their_pattern(tmp_path):
    (tmp_path / "jax.log").write_text("said")
    (tmp_path / "study.json").write_text("{}")
    write_bundle(tmp_path / "out" / "logs.zip", [tmp_path], ["*.log"])
    with zipfile.ZipFile(tmp_path / "out" / "logs.zip") as packed:
        assert packed.namelist() == [f"{tmp_path.name}/jax.log"]


def test_samples_of_a_gpu_are_read_and_averaged():
    monitor = Monitor()
    monitor.samples = [parse("50, 1000, 300.5\n", 1.0), parse("100, 3000, 500.5\n", 2.0)]
    assert parse("[N/A], 10, 20", 0.0) is None
    assert monitor.between(0, 3) == {
        "utilisation_percent": 75,
        "power_watt": 400.5,
        "memory_mib": 3000,
    }
    assert monitor.between(5, 6) is None
    monitor.stop()
