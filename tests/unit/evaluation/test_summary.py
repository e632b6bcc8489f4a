"""The summary chooses by validation and quotes the test part."""

import pytest

from diffsym.evaluation.summary import PUBLISHED, summarise

SETTINGS = {
    "descriptor": "pdf",
    "split": "stratified",
    "classes": "common",
    "model": "cnn",
    "training": "short",
    "members": 1,
    "seed": 0,
}


def make_metrics(validation, test):
    def part(value):
        entry = {"k": 1, "value": value, "low": value - 0.1, "high": value + 0.1}
        return {
            "accuracy": [entry, entry | {"k": 2}],
            "baseline": [entry, entry | {"k": 2}],
            "gain_over_baseline": [entry, entry | {"k": 2}],
            "members_mean": [value],
            "members_spread": None,
            "crystal_systems": {"accuracy": value},
            "macro": {"f1": value},
            "log_loss": 1.0,
            "calibration": {"expected_calibration_error": 0.1},
        }

    return {
        "classes": [2, 14],
        "counts": {"train": 10, "validation": 2, "test": 3},
        "settings": {"top_k": 2},
        "parts": {"validation": part(validation), "test": part(test)},
    }


def test_the_test_part_chooses_nothing():
    summary = summarise(
        {"a": SETTINGS, "b": SETTINGS},
        {"a": make_metrics(0.6, 0.4), "b": make_metrics(0.5, 0.9)},
    )
    assert summary["best_by_split"] == {"stratified": "a"}
    row = summary["experiments"]["a"]
    assert [entry["k"] for entry in row["accuracy"]] == [1, 2]
    assert row["accuracy"][0]["value"] == pytest.approx(0.4)


def test_published_figures_name_their_data():
    assert all("ICSD" in entry["data"] and entry["reference"] for entry in PUBLISHED)
