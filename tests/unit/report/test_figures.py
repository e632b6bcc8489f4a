"""Figures show the numbers of the metrics, all of them and nothing else."""

import dataclasses

import numpy as np
import pytest

from diffsym.report import figures


@pytest.fixture(scope="module")
def experiments(made):
    return made.results().experiments


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_six_answers_after_liu_and_all_after_vecsei(experiments):
    liu = figures.accuracy.top_k_accuracy(experiments)
    accuracy, differences = traces(liu, "cnn")[:2]
    assert list(accuracy.x) == [1, 2, 3, 4, 5, 6]
    assert list(differences.x) == [2, 3, 4, 5, 6]
    vecsei = figures.accuracy.top_n_accuracy(experiments)
    # The study has nine classes, fewer than the ten answers that are computed.
    assert list(traces(vecsei, "cnn")[0].x) == list(range(1, 10))
    assert traces(vecsei, "cnn")[0].y[-1] == 1.0
    assert [trace.showlegend for trace in traces(vecsei, "label frequency")] == [True, False]


def test_histograms_count_every_test_structure(experiments):
    figure = figures.certainty.certainty_histograms(experiments)
    right = traces(figure, "correct predictions")
    wrong = traces(figure, "wrong predictions")
    for experiment, r, w in zip(experiments, right, wrong, strict=True):
        part = experiment.part
        assert sum(r.y) + sum(w.y) == part.n
        assert sum(r.y) / part.n == pytest.approx(part.accuracy[0].value)


def test_thresholds_mark_the_half(experiments):
    figure = figures.certainty.certainty_thresholds(experiments)
    lines = traces(figure, "half unclassified")
    assert len(lines) == len(experiments)
    for experiment, line in zip(experiments, lines, strict=True):
        threshold = experiment.part.certainty.half_unclassified.threshold
        assert list(line.x) == [threshold, threshold]


def test_crystal_systems_are_normalised_by_row(experiments):
    figure = figures.confusion.crystal_system_confusion(experiments)
    assert len(figure.data) == len(experiments)
    for trace in figure.data:
        # The classes of the study have structures in six systems.
        assert np.sum(trace.z, axis=1) == pytest.approx(np.ones(len(trace.x)), abs=1e-3)


def test_error_distances_stand_beside_chance_and_baseline(experiments):
    figure = figures.confusion.error_distances(experiments)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert {trace.name for trace in bars} == {"cnn", "logistic", "label frequency"}
    assert all(sum(trace.y) == pytest.approx(1.0) for trace in figure.data)
    groups = {trace.offsetgroup for trace in bars}
    assert {trace.offsetgroup for trace in traces(figure, "by chance")} == groups


def test_styles_do_not_repeat_with_the_colours(experiments):
    many = [
        dataclasses.replace(experiments[0], label=f"experiment {number}") for number in range(20)
    ]
    styles = figures.style.experiment_styles(many).values()
    assert len({(style["color"], style["symbol"]) for style in styles}) == 20


def test_long_legends_make_room_above_the_plot(experiments):
    long_names = [
        dataclasses.replace(experiment, label=f"{experiment.label} {'x' * 20} {i}")
        for i, experiment in enumerate(experiments * 2)
    ]
    short, long = (
        figures.accuracy.top_n_accuracy(chosen).layout for chosen in (experiments, long_names)
    )
    more = long.margin.t - short.margin.t
    assert short.margin.t == figures.style.TOP_WITH_LEGEND
    # Nine entries, two in a row: three more rows than there is room for.
    assert more == 3 * figures.style.LEGEND_ROW
    assert long.height == short.height + more


def test_powder_pattern_fills_its_axis():
    two_theta = np.linspace(5, 90, 8501)
    figure = figures.descriptors.powder_example(two_theta, np.ones(8501, np.float16))
    assert list(figure.layout.xaxis.range) == [5, 90]
    assert len(figure.data[0].x) == 8501
    assert "°" in figure.layout.xaxis.title.text


def test_ideal_profile_has_a_stick_for_each_line():
    profile = np.zeros(1000, np.float32)
    profile[[3, 700]] = [0.25, 1]
    d_star = np.linspace(0.1131, 1.0625, 1000)
    figure = figures.descriptors.ideal_example(d_star, profile)
    (sticks,) = figure.data
    assert list(sticks.y) == [0, 0.25, None, 0, 1, None]
    assert sticks.x[0] == sticks.x[1] == pytest.approx(d_star[3], abs=1e-5)
    assert list(figure.layout.xaxis.range) == [d_star[0], d_star[-1]]
