"""How long jobs are expected to take that nobody has measured."""

import pytest
import yaml
from study import REPOSITORY

from diffsym.study.effort import FEW_SECONDS, SECONDS, expected_seconds
from diffsym.study.layout import Layout
from diffsym.study.loading import load_configuration
from diffsym.study.plan import Plan


@pytest.fixture(scope="module")
def plan():
    return Plan(
        load_configuration(yaml.safe_load((REPOSITORY / "config.yaml").read_text())), Layout()
    )


def test_durations_are_declared_of_rules_that_exist(plan):
    assert set(SECONDS) <= {*plan.jobs(), "make_report"}
    assert expected_seconds(plan, "summarise", {}) == FEW_SECONDS


def test_a_training_takes_longer_the_more_epochs_it_has(plan):
    epochs = {name: plan.training_settings(name)["epochs"] for name in ("cnn", "xrd_dense")}
    seconds = {
        name: expected_seconds(plan, "train_network", {"experiment": name, "member": "0"})
        for name in epochs
    }
    assert epochs["cnn"] > epochs["xrd_dense"]
    assert seconds["cnn"] > seconds["xrd_dense"] > FEW_SECONDS
