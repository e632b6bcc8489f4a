"""What travels to the GPU and back."""

import json
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from study import REPOSITORY

from diffsym.errors import DiffsymError
from diffsym.gpu_study.luggage import labels_table, read_labels, write_labels
from diffsym.gpu_study.monitor import Monitor, parse
from diffsym.gpu_study.pack import CARRIED, check_limit, pinned
from diffsym.gpu_study.plan import Experiment, write_plan
from diffsym.gpu_study.returns import adopt, bundles_of, claim, fingerprint, send_back, write_bundle
from diffsym.settings.descriptors.pdf import Pdf
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn
from diffsym.settings.training import Training


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


def a_luggage(folder, **training):
    folder.mkdir()
    experiment = Experiment(Pdf(), "s", (2,), Liu2019Cnn(), Training(**training), 1)
    write_plan(folder / "plan.json", {"a": experiment}, {"structures_sha256": "0"})
    return folder


def test_a_second_machine_goes_on_with_what_came_back(tmp_path):
    luggage = a_luggage(tmp_path / "luggage")
    folder = network(tmp_path / "first", "a-0")
    returned = tmp_path / "returned"
    summary = {
        "luggage_sha256": fingerprint(luggage),
        "networks": [{"experiment": "a", "member": 0}, {"experiment": "a", "member": 1}],
    }
    assert send_back(returned, tmp_path / "first", summary, [folder]) == []
    adopt(returned, tmp_path / "second", luggage)
    second = tmp_path / "second" / "networks"
    assert {path.name: path.read_bytes() for path in (second / "a-0").iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    # The summary alone tells that this one is done.
    assert [path.name for path in (second / "a-1").iterdir()] == ["result.json"]


def test_what_came_back_of_another_luggage_is_refused(tmp_path):
    returned = tmp_path / "returned"
    returned.mkdir()
    summary = {"luggage_sha256": "another", "networks": []}
    (returned / "study.json").write_text(json.dumps(summary))
    with pytest.raises(DiffsymError, match="of other structures or settings"):
        adopt(returned, tmp_path / "second", a_luggage(tmp_path / "luggage"))


def test_results_of_another_luggage_are_left_alone(tmp_path):
    luggage = a_luggage(tmp_path / "luggage", epochs=1)
    claim(tmp_path / "results", luggage)
    claim(tmp_path / "results", luggage)
    with pytest.raises(DiffsymError, match="of other structures or settings"):
        claim(tmp_path / "results", a_luggage(tmp_path / "other", epochs=2))


def test_what_is_too_large_to_come_back_is_named(tmp_path):
    folder = network(tmp_path, "a-0", 16 * 2**20 + 1)
    assert send_back(tmp_path / "output", tmp_path, {}, [folder]) == ["networks-1.zip"]
    assert (tmp_path / "output" / "study.json").exists()


def test_logs_are_bundled_by_their_pattern(tmp_path):
    (tmp_path / "jax.log").write_text("said")
    (tmp_path / "study.json").write_text("{}")
    write_bundle(tmp_path / "out" / "logs.zip", [tmp_path], ["*.log"])
    with zipfile.ZipFile(tmp_path / "out" / "logs.zip") as packed:
        assert packed.namelist() == [f"{tmp_path.name}/jax.log"]


def test_samples_of_a_gpu_are_read_and_averaged():
    monitor = Monitor()
    monitor.samples = [parse("50, 1000, 300.5\n", 1.0), parse("100, 3000, 500.5\n", 2.0)]
    assert parse("no such device", 0.0) is None
    assert monitor.between(0, 3) == {
        "utilisation_percent": 75,
        "power_watt": 400.5,
        "memory_mib": 3000,
    }
    assert monitor.between(5, 6) is None
    monitor.samples.append(parse("40, 10, [N/A]", 7.0))
    assert monitor.between(6, 8) == {
        "utilisation_percent": 40,
        "power_watt": None,
        "memory_mib": 10,
    }
    monitor.stop()
