"""The summary chooses by validation and quotes the test part."""

import pytest
from scored import metrics_with

from diffsym.evaluation.published import PUBLISHED
from diffsym.evaluation.summary import summarise

SETTINGS = {
    "descriptor": "pdf",
    "split": "stratified",
    "classes": "common",
    "model": "cnn",
    "training": "short",
    "members": 1,
    "seed": 0,
}


def test_the_test_part_chooses_nothing():
    summary = summarise(
        {"a": SETTINGS, "b": SETTINGS},
        {"a": metrics_with(0.6, 0.4), "b": metrics_with(0.5, 0.9)},
    )
    [group] = summary.comparable
    assert group.best == "a"
    row = summary.experiments["a"]
    assert [entry.k for entry in row.accuracy] == [1, 2]
    assert row.accuracy[0].value == pytest.approx(0.4)


@pytest.mark.parametrize(("top_k", "expected"), [(1, [1]), (4, [1, 4]), (6, [1, 6]), (10, [1, 6])])
def test_the_first_and_the_sixth_answer_are_quoted(top_k, expected):
    row = summarise({"a": SETTINGS}, {"a": metrics_with(0.6, 0.4, top_k)}).experiments["a"]
    for key in ("accuracy", "baseline", "gain_over_baseline"):
        assert [entry.k for entry in getattr(row, key)] == expected


def test_only_experiments_with_the_same_split_and_classes_are_comparable():
    chosen = {
        "a": SETTINGS,
        "b": SETTINGS | {"split": "prototype"},
        "c": SETTINGS | {"descriptor": "xrd", "model": "dense"},
        "d": SETTINGS | {"classes": "all"},
        "e": SETTINGS | {"classes": "all", "model": "dense"},
    }
    validation = {"a": 0.5, "b": 0.9, "c": 0.6, "d": 0.4, "e": 0.3}
    metrics = {name: metrics_with(value, 0.4) for name, value in validation.items()}
    found = [(entry.experiments, entry.best) for entry in summarise(chosen, metrics).comparable]
    assert found == [(["a", "c"], "c"), (["b"], "b"), (["d", "e"], "d")]


def test_figures_choose_among_what_they_show():
    metrics = {name: metrics_with(value, 0.4) for name, value in {"a": 0.5, "b": 0.9}.items()}
    summary = summarise(dict.fromkeys("ab", SETTINGS), metrics, shown=["a"])
    assert [group.best for group in summary.comparable] == ["b"]
    assert [(group.experiments, group.best) for group in summary.shown] == [(["a"], "a")]


def test_published_figures_name_their_data():
    assert all("entries in" in entry.data and entry.reference for entry in PUBLISHED)
    for publication in PUBLISHED:
        measured = any(
            value is not None and key.startswith("measured")
            for model in publication.models
            for key, value in vars(model).items()
        )
        assert measured == (publication.measured_data is not None)


def test_published_table_of_vecsei_et_al():
    [vecsei] = [entry for entry in PUBLISHED if "Vecsei" in entry.reference]
    columns = (
        "crystal_system",
        "measured_crystal_system",
        "top_1",
        "measured_top_1",
        "measured_centrosymmetric",
    )
    table = [[round(100 * getattr(model, key)) for key in columns] for model in vecsei.models]
    assert table == [[85, 56, 76, 42, 43], [73, 70, 57, 54, 59]]
