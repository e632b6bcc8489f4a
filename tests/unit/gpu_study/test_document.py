"""The page that is filled with the numbers of a study."""

import pytest

from diffsym.errors import DiffsymError
from diffsym.gpu_study.__main__ import sentence
from diffsym.gpu_study.document import BEGIN, END, filled, section_of


def score(value):
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def a_study():
    test = {
        "n": 100,
        "accuracy": [score(0.5 + k / 100) for k in range(10)],
        "baseline": [score(0.1)],
        "crystal_system": {"accuracy": score(0.7)},
    }
    network = {
        "experiment": "gpu_liu2019",
        "member": 0,
        "split": "stratified",
        "n_classes": 45,
        "structures": {"train": 800},
        "epochs": 120,
        "test": test,
        "backend": "jax",
        "precision": "mixed_bfloat16",
        "structures_per_second": 1000.4,
        "structures_per_second_without_input": 2000.0,
        "input_share": 0.5,
        "gpu": {"utilisation_percent": 81.2, "memory_mib": 4000},
    }
    ensemble = {
        "experiment": "gpu_liu2019",
        "members": 3,
        "test": {**test, "accuracy": [score(0.6)]},
    }
    return {
        "provenance": {"git_revision": "abc", "structures_sha256": "0" * 64},
        "devices": {"jax": "H100"},
        "cores": 16,
        "spent": 540.0,
        "waited_for_descriptors": 3.0,
        "descriptors": {
            "pdf": {"structures": 1000, "seconds": 2.0, "processes": 13, "compiled_after": 20.0}
        },
        "rates": [
            {"experiment": "gpu_liu2019", "backends": {"jax": {"rate": 2000.0}, "torch": {}}}
        ],
        "failed": {"gpu_msdn-0": "no descriptors"},
        "networks": [network],
        "ensembles": [ensemble],
    }


def test_every_number_has_its_place():
    lines = section_of(a_study()).splitlines()
    assert (
        "| `gpu_liu2019`, member 0 | stratified | 45 | 800 | 100 | 120 | 50.0 [49.0, 51.0] "
        "| 55.0 [54.0, 56.0] | 70.0 [69.0, 71.0] | 10.0 [9.0, 11.0] |"
    ) in lines
    assert any("mean of 3" in line and "60.0 [59.0, 61.0] | – |" in line for line in lines)
    assert (
        "| `gpu_liu2019`, member 0 | jax | mixed_bfloat16 | 1000 | 2000 | 50 | 81 | 4000 |" in lines
    )
    assert "| `gpu_liu2019` | 2000 | – |" in lines
    assert "| pdf | 1000 | 2.0 | 500 | 13 | 20.0 |" in lines
    assert "- `gpu_msdn-0`: no descriptors" in lines


def test_only_what_stands_between_the_marks_is_replaced():
    page = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    assert filled(page, "new\n") == f"above\n{BEGIN}\nnew\n{END}\nbelow\n"
    assert filled(filled(page, "newer"), "new") == filled(page, "new")


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_page_without_marks_is_left_alone(page):
    with pytest.raises(DiffsymError, match="needs the marks"):
        filled(page, "new")


def test_the_line_of_a_network_says_how_busy_the_gpu_was():
    (network,) = a_study()["networks"]
    usage = {"utilisation_percent": 81.2, "power_watt": 400.0, "memory_mib": 4000.0}
    line = sentence("gpu_liu2019-0", network, usage)
    assert line.startswith("gpu_liu2019-0 (jax): top 1 50.0 % [49.0, 51.0], top 6 55.0 %")
    assert line.endswith(
        "120 epochs of 800 structures; 1000 structures/s; 50 % of the time for input; "
        "GPU busy 81 %, 4000 MiB"
    )
    assert "GPU" not in sentence("gpu_liu2019-0", network, None)
