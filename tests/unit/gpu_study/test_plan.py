"""How the time of the study is shared out."""

import math

import pytest

from diffsym.gpu_study.plan import (
    COMPARED,
    NETWORKS,
    Attempt,
    Experiment,
    Network,
    next_attempt,
    next_network,
    read_plan,
    seconds_for,
    training_seconds,
    write_plan,
)
from diffsym.settings.descriptors.pdf import Pdf
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn
from diffsym.settings.training import Training


def test_all_the_time_is_given_to_the_networks_that_wait():
    left, waiting, given = 500.0, list(NETWORKS), []
    while waiting:
        given.append(seconds_for(waiting[0], waiting, left))
        left -= given[-1]
        waiting.pop(0)
    assert left == pytest.approx(0, abs=1e-9)
    total = sum(network.share for network in NETWORKS)
    assert given == pytest.approx([500 * network.share / total for network in NETWORKS])


def test_time_that_a_network_leaves_goes_to_those_that_follow():
    first, second = Network("a", 0, 3), Network("b", 0, 1)
    assert seconds_for(first, [first, second], 100) == 75
    assert seconds_for(second, [second], 60) == 60


def test_a_network_trains_for_what_loading_and_evaluation_leave():
    assert training_seconds(100, 10) == 78
    assert training_seconds(20, 4) == 10
    assert training_seconds(5, 30) == 1


def test_networks_are_trained_in_order_as_soon_as_their_descriptors_are_there():
    waiting = [Network("a", 0, 1), Network("b", 0, 1), Network("b", 1, 1)]
    assert next_network(waiting, {"a": False, "b": True}) == waiting[1]
    assert next_network(waiting, {"a": True, "b": True}) == waiting[0]
    assert next_network(waiting, {"a": False, "b": False}) is None


def test_networks_have_names_of_their_own_and_the_issue_s_order():
    names = [network.name for network in NETWORKS]
    assert len(set(names)) == len(names)
    assert [name.split("_")[1].split("-")[0] for name in names[:3]] == [
        "liu2019",
        "park2017",
        "spgvolnet",
    ]
    assert all(math.isfinite(network.share) and network.share > 0 for network in NETWORKS)


def test_a_plan_comes_back_as_it_was_written(tmp_path):
    experiment = Experiment(Pdf(), "s", (2, 225), Liu2019Cnn(), Training(epochs=3), 1)
    write_plan(tmp_path / "plan.json", {"e": experiment}, {"revision": "abc"})
    assert read_plan(tmp_path / "plan.json") == ({"e": experiment}, {"revision": "abc"})


def test_a_failure_is_answered_by_its_kind():
    late = {"error": "no answer within 90 s", "late": True}
    lost = {"error": "CUDA_ERROR_ILLEGAL_ADDRESS"}
    not_finite = {"error": "DiffsymError: the loss is no longer a finite number in epoch 1"}
    both = ["jax", "torch"]
    assert next_attempt(late, "jax", both) == Attempt("jax")
    assert next_attempt(not_finite, "torch", both) == Attempt("torch", "float32")
    assert next_attempt(lost, "jax", both) == Attempt("torch")
    assert next_attempt(lost, "jax", ["jax"]) == Attempt("jax", "float32")


def test_backends_are_compared_on_networks_that_are_trained():
    assert set(COMPARED) <= {network.experiment for network in NETWORKS}
