"""Paths of results: patterns for rules, files for everything else, and no two alike."""

import inspect
import re

from diffsym.study.layout import Layout

# Arguments with which some methods are called beyond their wildcards.
CALLS = {"provenance": ("config.yaml",), "log": ("rule/job",), "benchmark": ("rule/job",)}


def all_paths(layout):
    for name, member in inspect.getmembers(Layout):
        if isinstance(member, property):
            yield name, getattr(layout, name)
        elif inspect.isfunction(member) and not name.startswith("_"):
            yield name, getattr(layout, name)(*CALLS.get(name, ()))


def test_no_two_results_share_a_path():
    paths = dict(all_paths(Layout()))
    assert len(set(paths.values())) == len(paths) > 20


def test_every_path_lies_below_the_root():
    assert all(path.startswith("elsewhere/") for _, path in all_paths(Layout(root="elsewhere")))


def test_wildcards_are_those_of_the_arguments():
    for name, path in all_paths(Layout()):
        parameters = (
            inspect.signature(getattr(Layout, name)).parameters
            if callable(getattr(Layout, name))
            else {}
        )
        defaults = {
            parameter.default
            for parameter in parameters.values()
            if str(parameter.default).startswith("{")
        }
        assert set(re.findall(r"\{\w+\}", path)) == defaults, name


def test_names_take_the_place_of_wildcards():
    layout = Layout()
    assert layout.member("cnn", 1, "model.keras") == "results/experiments/cnn/members/1/model.keras"
    assert layout.split("formula", suffix="json") == "results/splits/formula.json"
