"""The summary chooses by validation and quotes the test part."""

import pytest

from diffsym.evaluation.macro import MACRO_SCORES
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


def make_metrics(validation, test, top_k=2):
    def part(value):
        entry = {"value": value, "low": value - 0.1, "high": value + 0.1}
        entries = [{"k": k, **entry} for k in range(1, top_k + 1)]
        return {
            "accuracy": entries,
            "baseline": entries,
            "gain_over_baseline": entries,
            "members_mean": [value],
            "members_spread": None,
            "crystal_systems": {"accuracy": entry, "baseline": entry},
            "centrosymmetric": {"accuracy": entries, "baseline": entries},
            "certainty": {"half_unclassified": {"threshold": 0.4, "accuracy": entry}},
            "macro": {"f1": value},
            "macro_members": {
                mean: dict.fromkeys(MACRO_SCORES, value + shift)
                for mean, shift in (
                    ("specific_mean", -0.02),
                    ("ensemble_mean", 0.0),
                    ("baseline", -0.3),
                )
            },
            "volume": None,
            "log_loss": 1.0,
            "calibration": {"expected_calibration_error": 0.1},
        }

    return {
        "classes": [2, 14],
        "counts": {"train": 10, "validation": 2, "test": 3},
        "settings": {"top_k": top_k},
        "parts": {"validation": part(validation), "test": part(test)},
        "cross_validation": None,
    }


def test_the_test_part_chooses_nothing():
    summary = summarise(
        {"a": SETTINGS, "b": SETTINGS},
        {"a": make_metrics(0.6, 0.4), "b": make_metrics(0.5, 0.9)},
    )
    [group] = summary["comparable"]
    assert group["best"] == "a"
    row = summary["experiments"]["a"]
    assert [entry["k"] for entry in row["accuracy"]] == [1, 2]
    assert row["accuracy"][0]["value"] == pytest.approx(0.4)


@pytest.mark.parametrize(("top_k", "expected"), [(1, [1]), (4, [1, 4]), (6, [1, 6]), (10, [1, 6])])
def test_the_first_and_the_sixth_answer_are_quoted(top_k, expected):
    row = summarise({"a": SETTINGS}, {"a": make_metrics(0.6, 0.4, top_k)})["experiments"]["a"]
    for key in ("accuracy", "baseline", "gain_over_baseline"):
        assert [entry["k"] for entry in row[key]] == expected


def test_only_experiments_with_the_same_split_and_classes_are_comparable():
    chosen = {
        "a": SETTINGS,
        "b": SETTINGS | {"split": "prototype"},
        "c": SETTINGS | {"descriptor": "xrd", "model": "dense"},
        "d": SETTINGS | {"classes": "all"},
        "e": SETTINGS | {"classes": "all", "model": "dense"},
    }
    validation = {"a": 0.5, "b": 0.9, "c": 0.6, "d": 0.4, "e": 0.3}
    metrics = {name: make_metrics(value, 0.4) for name, value in validation.items()}
    found = [
        (entry["experiments"], entry["best"]) for entry in summarise(chosen, metrics)["comparable"]
    ]
    assert found == [(["a", "c"], "c"), (["b"], "b"), (["d", "e"], "d")]


def test_published_figures_name_their_data():
    assert all("entries in" in entry["data"] and entry["reference"] for entry in PUBLISHED)
    for publication in PUBLISHED:
        measured = any(key.startswith("measured") for m in publication["models"] for key in m)
        assert measured == (publication["measured_data"] is not None)


def test_published_table_of_vecsei_et_al():
    [vecsei] = [entry for entry in PUBLISHED if "Vecsei" in entry["reference"]]
    columns = (
        "crystal_system",
        "measured_crystal_system",
        "top_1",
        "measured_top_1",
        "measured_centrosymmetric",
    )
    table = [[round(100 * model[key]) for key in columns] for model in vecsei["models"]]
    assert table == [[85, 56, 76, 42, 43], [73, 70, 57, 54, 59]]
