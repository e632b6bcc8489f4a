"""Means over test sets, what is told apart by them, and how the report shows them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from diffsym.evaluation.scores import Mean, Metrics
from diffsym.evaluation.series import effects
from diffsym.evaluation.storage import read_scores
from diffsym.report import figures, sections
from diffsym.report.sections.blocks import with_half_width


@pytest.fixture(scope="module")
def results(made_series):
    return made_series.results()


def of_tests(results, series, *keys):
    """A number of the test part of each experiment of a series."""
    names = results.plan.series()[series]
    paths = [results.layout.experiment(name, "metrics.json") for name in names]
    values = [read_scores(path, Metrics).parts.test for path in paths]
    for key in keys:
        values = [getattr(value, key) for value in values]
    return values


def test_means_are_those_of_the_sets(results):
    one = results.series["spgvolnet"]
    values = of_tests(results, "spgvolnet", "macro_members", "specific_mean", "f1")
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    entry = one.specific_mean.f1
    assert entry.sets == values
    assert entry.value - entry.half_width == pytest.approx(low)
    assert entry.value + entry.half_width == pytest.approx(high)
    medians = of_tests(results, "spgvolnet", "volume", "ensemble", "median", "value")
    assert one.volume.ensemble.median.value == pytest.approx(np.mean(medians))
    assert one.splits == ["disjoint_1", "disjoint_2", "disjoint_3"]
    assert results.series["spgnet"].volume is None


def test_filtered_series_train_on_less(results):
    counts = {name: one.counts.train for name, one in results.series.items()}
    assert counts["spgnet"] == counts["spgvolnet"]
    assert all(np.array(counts["spgvolnet_narrow"]) < 0.8 * np.array(counts["spgvolnet"]))


def test_effects_are_named_and_paired(results):
    entries = results.effects
    assert entries == effects(results.series)
    named = [(entry.effect, entry.series, entry.reference) for entry in entries]
    assert named == [
        ("ensemble averaging", "spgnet", "spgnet"),
        ("ensemble averaging", "spgvolnet", "spgvolnet"),
        ("ensemble averaging", "spgvolnet_narrow", "spgvolnet_narrow"),
        ("multi-task learning", "spgvolnet", "spgnet"),
        ("multi-task learning", "spgvolnet", "spgnet"),
        ("excluding outliers", "spgvolnet_narrow", "spgvolnet"),
        ("excluding outliers", "spgvolnet_narrow", "spgvolnet"),
    ]
    ensembles = of_tests(results, "spgnet", "macro_members", "ensemble_mean", "recall")
    singles = of_tests(results, "spgnet", "macro_members", "specific_mean", "recall")
    differences = np.subtract(ensembles, singles)
    entry = entries[0].differences.recall
    assert entry.value == pytest.approx(differences.mean())
    quantile = stats.t.ppf(0.975, 2)
    assert entry.half_width == pytest.approx(quantile * stats.sem(differences))


def test_series_on_other_sets_are_not_compared(results):
    means = dict(results.series)
    means["spgnet"] = replace(means["spgnet"], splits=["other_1", "other_2", "other_3"])
    assert all(entry.effect != "multi-task learning" for entry in effects(means))


def test_summary_quotes_volumes_where_they_are_predicted(results):
    rows = results.summary.experiments
    assert (
        rows["spgvolnet_1"].volume.ensemble == of_tests(results, "spgvolnet", "volume")[0].ensemble
    )
    assert rows["spgnet_1"].volume is None


def test_figures_show_the_first_set_of_a_series(results):
    names = [experiment.name for experiment in results.experiments]
    assert names[-3:] == ["spgnet_1", "spgvolnet_1", "spgvolnet_narrow_1"]
    assert not any(name.endswith(("_2", "_3")) for name in names)


def test_labels_tell_descriptors_and_filters_apart(results):
    labels = [experiment.label for experiment in results.experiments]
    assert labels[-3:] == ["spgnet, ideal", "spgvolnet, ideal", "spgvolnet, ideal, narrow"]
    assert "cnn, powder" in labels


def test_macro_table_follows_table_3_of_ozaki_et_al(results):
    macro, published, filters, differences = sections.series.held_out_sets(results).blocks
    assert macro.columns[2:] == ["spgnet", "spgvolnet"]
    assert [row[:2] for row in macro.rows[:3]] == [
        ["precision", "specific mean"],
        ["precision", "ensemble mean"],
        ["precision", "label frequency"],
    ]
    assert [row[2:] for row in published.rows] == [
        ["80.18 ± 0.41", "80.42 ± 0.42"],
        ["82.22 ± 0.45", "82.22 ± 0.87"],
        ["70.99 ± 0.52", "72.14 ± 0.52"],
        ["72.1 ± 1.2", "73.6 ± 1.3"],
        ["72.30 ± 0.55", "73.23 ± 0.57"],
        ["73.7 ± 1.3", "74.9 ± 1.4"],
    ]
    assert "PowCod" in published.caption
    assert [row[1] for row in filters.rows] == ["none", "none", "narrow"]
    assert all(row[3].startswith(("+", "\u2212")) for row in differences.rows)
    for table in (macro, published, filters, differences):
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_volume_tables_have_every_score(results):
    _, fits, errors, published = sections.volumes.volumes(results).blocks
    for table in (fits, errors, published):
        assert {len(row) for row in table.rows} == {len(table.columns)}
    # Two experiments are shown, and two series, each with the ensemble and the baseline.
    assert len(errors.rows) == 8
    assert published.rows == [["SpgVolNet, 6 members", "\u22123.4\u202f%", "1.8\u202f%"]]


def test_error_histogram_counts_what_is_shown(results):
    predicting = [experiment for experiment in results.experiments if experiment.part.volume]
    figure = figures.volumes.volume_errors(predicting)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    for experiment, bar in zip(predicting, bars, strict=True):
        errors = experiment.part.volume.standardised_error
        assert sum(bar.y) + errors.outside == experiment.part.n
    fits = [trace.name for trace in figure.data if trace.type == "scatter"]
    assert fits == ["Cauchy distribution", "normal distribution"] * 2


def test_cell_distributions_are_fitted(results):
    structures = results.structures
    volumes = structures["primitive_volume"].to_numpy()
    figure = figures.volumes.cell_distributions(volumes, structures["number_density"].to_numpy())
    bars = [trace for trace in figure.data if trace.type == "bar"]
    lines = [trace for trace in figure.data if trace.type == "scatter"]
    for bar, line in zip(bars, lines, strict=True):
        assert sum(bar.y) == len(structures)
        assert sum(line.y) == pytest.approx(len(structures), rel=0.02)
    logarithms = np.log(volumes)
    title = f"mean {logarithms.mean():.2f}, standard deviation {logarithms.std():.2f}"
    assert figure.layout.annotations[0].text == title


@pytest.mark.parametrize(
    ("value", "half_width", "expected"),
    [
        (0.721, 0.012, "72.1 ± 1.2"),
        (0.8222, 0.0087, "82.22 ± 0.87"),
        (0.5, 0.15, "50 ± 15"),
        (0.5, 0.0, "50.0 ± 0.0"),
        (0.5, 0.00001, "50.00 ± 0.00"),
        (-0.0123, None, "\u22121.2"),
    ],
)
def test_half_widths_have_two_digits(value, half_width, expected):
    assert with_half_width(Mean(value=value, half_width=half_width)) == expected
