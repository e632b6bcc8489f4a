"""Figures of accuracy.

Top-k accuracy on computed structures and on patterns rendered from them; accuracy by split, by
space group and by crystal system.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diffsym.evaluation.scores import Interval, RoundTrip, TopK
from diffsym.evaluation.summary import QUOTED_ANSWERS
from diffsym.report.figures.style import (
    BASELINE,
    NEUTRAL,
    SERIES_COLOURS,
    SERIES_SYMBOLS,
    TOP_WITH_LEGEND,
    error_bars,
    experiment_panels,
    experiment_styles,
    finish,
    system_legend,
    system_marker,
    task_panels,
)
from diffsym.report.typesetting import label_plotly
from diffsym.report.views import View, by_task
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system


def top_k_accuracy(experiments: Sequence[View]) -> go.Figure:
    """A_1 ... A_6 and their first differences for each split, with the baseline.

    After Fig. 2 of Liu et al. 2019.
    """
    answers = QUOTED_ANSWERS[-1]
    figure, grouped = task_panels(experiments, 2, vertical_spacing=0.12, row_heights=[0.62, 0.38])
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    for col, members in enumerate(grouped.values(), start=1):
        for experiment in members:
            style = styles[experiment.label]
            part = experiment.part
            for row, answered in enumerate((part.accuracy, part.first_differences), start=1):
                # A_1 is its own first difference and would dwarf the others.
                entries = answered[row - 1 : answers]
                first_time = row == 1 and experiment.label not in shown
                line = answers_line(entries, experiment.label, style, showlegend=first_time)
                figure.add_trace(line, row=row, col=col)
            shown.add(experiment.label)
        baseline = members[0].part.baseline[:answers]
        figure.add_trace(label_frequency_line(baseline, showlegend=col == 1), row=1, col=col)
    figure.update_xaxes(dtick=1)
    figure.update_xaxes(title_text="number of predictions <i>k</i>", row=2)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title_text="<i>A<sub>k</sub></i>", row=1, col=1)
    figure.update_yaxes(
        title_text="<i>A<sub>k</sub></i> \u2212 <i>A</i><sub><i>k</i>\u22121</sub>", row=2, col=1
    )
    return finish(figure, 640, top=TOP_WITH_LEGEND)


def top_n_accuracy(experiments: Sequence[View]) -> go.Figure:
    """A_n for all computed n on each split, with the baseline.

    After Fig. 5(a) of Vecsei et al. 2019, Phys. Rev. B 99, 245120.
    """
    figure, grouped = task_panels(experiments, 1)
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    for col, members in enumerate(grouped.values(), start=1):
        for experiment in members:
            label = experiment.label
            line = answers_line(
                experiment.part.accuracy, label, styles[label], showlegend=label not in shown
            )
            figure.add_trace(line, row=1, col=col)
            shown.add(label)
        baseline = members[0].part.baseline
        figure.add_trace(label_frequency_line(baseline, showlegend=col == 1), row=1, col=col)
    figure.update_xaxes(dtick=1, title_text="number of predictions <i>n</i>")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title_text="<i>A<sub>n</sub></i>", row=1, col=1)
    return finish(figure, 480, top=TOP_WITH_LEGEND)


def round_trips(
    trips: Sequence[tuple[View, RoundTrip]],
) -> go.Figure:
    """A_n of the same structures from their own descriptors and from rendered patterns.

    Parameters
    ----------
    trips
        View of a set of patterns and its round trip; one panel each.
    """
    figure, places, height = experiment_panels(
        [view for view, _ in trips],
        panel_height=240,
        gap=110,
        shared_xaxes="all",
        shared_yaxes="all",
    )
    for (row, col, _), (_, trip) in zip(places, trips, strict=True):
        lines = {"own descriptor": trip.structure, "from pattern": trip.pattern}
        for style, (name, answers) in enumerate(lines.items()):
            line = answers_line(
                answers,
                name,
                {"color": SERIES_COLOURS[style], "symbol": SERIES_SYMBOLS[style]},
                showlegend=(row, col) == (1, 1),
            )
            figure.add_trace(line, row=row, col=col)
    figure.update_xaxes(dtick=1, title_text="number of predictions <i>n</i>", showticklabels=True)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title_text="<i>A<sub>n</sub></i>", col=1)
    return finish(figure, height, top=TOP_WITH_LEGEND)


def accuracy_line(
    entries: Sequence[Interval], label: str, style: Mapping[str, Any], **more: Any
) -> go.Scatter:
    """Accuracies of a model with their intervals, against any x."""
    return go.Scatter(
        y=[entry.value for entry in entries],
        error_y=error_bars(entries),
        mode="lines+markers",
        marker={"size": 9, **style},
        line={"color": style["color"], "width": 2},
        name=escape(label),
        legendgroup=label,
        **more,
    )


def answers_line(
    entries: Sequence[TopK], label: str, style: Mapping[str, Any], **more: Any
) -> go.Scatter:
    """Accuracy, or the gain from each prediction, against the number of predictions."""
    return accuracy_line(
        entries,
        label,
        style,
        x=[entry.k for entry in entries],
        customdata=[[entry.low, entry.high] for entry in entries],
        hovertemplate=escape(label) + "<br>k = %{x}: <b>%{y:.1%}</b> "
        "[%{customdata[0]:.1%}, %{customdata[1]:.1%}]<extra></extra>",
        **more,
    )


def label_frequency_line(entries: Sequence[TopK], **more: Any) -> go.Scatter:
    """Accuracy of the label-frequency baseline against the number of predictions."""
    return go.Scatter(
        x=[entry.k for entry in entries],
        y=[entry.value for entry in entries],
        mode="lines+markers",
        marker={
            "size": 8,
            "symbol": "x-thin",
            "color": BASELINE,
            "line": {"width": 2, "color": BASELINE},
        },
        line={"color": BASELINE, "dash": "dot", "width": 1.6},
        name="label frequency",
        legendgroup="label frequency",
        hovertemplate="label frequency<br>k = %{x}: %{y:.1%}<extra></extra>",
        **more,
    )


def accuracy_by_split(experiments: Sequence[View]) -> go.Figure:
    """The quoted accuracies on the splits side by side, with intervals and baseline."""
    tasks = list(by_task(experiments))
    last = min(len(experiment.part.accuracy) for experiment in experiments)
    ks = sorted({min(k, last) for k in QUOTED_ANSWERS})
    figure = make_subplots(
        rows=1,
        cols=len(ks),
        shared_yaxes=True,
        horizontal_spacing=0.06,
        subplot_titles=[f"<i>A</i><sub>{k}</sub>" for k in ks],
    )
    styles = experiment_styles(experiments)
    for col, k in enumerate(ks, start=1):
        for label, style in styles.items():
            own = [experiment for experiment in experiments if experiment.label == label]
            entries = [experiment.part.accuracy[k - 1] for experiment in own]
            baseline = [experiment.part.baseline[k - 1] for experiment in own]
            x = [escape(experiment.task.words()) for experiment in own]
            figure.add_scatter(
                x=x,
                y=[entry.value for entry in entries],
                error_y=error_bars(entries),
                mode="markers",
                marker={"size": 11, **style},
                name=escape(label),
                legendgroup=label,
                offsetgroup=label,
                showlegend=col == 1,
                customdata=[
                    [entry.low, entry.high, experiment.part.n]
                    for entry, experiment in zip(entries, own, strict=True)
                ],
                hovertemplate=escape(label) + ", %{x}<br><b>%{y:.1%}</b> [%{customdata[0]:.1%}, "
                "%{customdata[1]:.1%}]<br>%{customdata[2]:,} test structures<extra></extra>",
                row=1,
                col=col,
            )
            figure.add_scatter(
                x=x,
                y=[entry.value for entry in baseline],
                error_y=error_bars(baseline),
                mode="markers",
                marker={
                    "size": 12,
                    "symbol": "line-ew",
                    "color": BASELINE,
                    "line": {"width": 3, "color": BASELINE},
                },
                name="label frequency",
                legendgroup="label frequency",
                offsetgroup=label,
                showlegend=col == 1 and label == next(reversed(styles)),
                hovertemplate="label frequency, %{x}<br>%{y:.1%}<extra></extra>",
                row=1,
                col=col,
            )
    figure.update_layout(scattermode="group", scattergap=0.35)
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=[escape(task.words()) for task in tasks],
        range=[-0.5, len(tasks) - 0.5],
        showgrid=False,
        title_text="split",
    )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title_text="test accuracy", row=1, col=1)
    return finish(figure, 460, top=TOP_WITH_LEGEND)


def recall_by_space_group(experiments: Sequence[View]) -> go.Figure:
    """Recall against space-group number, one row per experiment.

    Marker areas show the group's frequency in training, colours the crystal system.
    After Fig. 3 of Liu et al. 2019.
    """
    figure = make_subplots(
        rows=len(experiments),
        cols=1,
        shared_xaxes=True,
        subplot_titles=[escape(experiment.label) for experiment in experiments],
        vertical_spacing=min(0.2, 0.16 / len(experiments)),
    )
    figure.add_traces(system_legend())
    for row, experiment in enumerate(experiments, start=1):
        scores = [entry for entry in experiment.part.per_class if entry.recall is not None]
        largest = max(entry.training_frequency for entry in scores)
        for system in CRYSTAL_SYSTEMS:
            own = [e for e in scores if crystal_system(e.space_group) == system]
            figure.add_scatter(
                x=[entry.space_group for entry in own],
                y=[entry.recall for entry in own],
                mode="markers",
                marker=system_marker(
                    [system] * len(own),
                    size=[entry.training_frequency for entry in own],
                    sizemode="area",
                    sizeref=largest / 34**2,
                    sizemin=4,
                    opacity=0.85,
                ),
                customdata=[
                    [
                        label_plotly(entry.space_group),
                        entry.support,
                        entry.training_count,
                        entry.training_frequency,
                        entry.precision,
                    ]
                    for entry in own
                ],
                hovertemplate="<b>%{customdata[0]}</b><br>recall %{y:.1%} of %{customdata[1]:,} "
                "test structures<br>precision %{customdata[4]:.1%}<br>%{customdata[2]:,} training "
                "structures (%{customdata[3]:.1%})<extra></extra>",
                legendgroup=system,
                showlegend=False,
                row=row,
                col=1,
            )
    figure.update_xaxes(range=[-3, 234], dtick=20, tick0=0)
    figure.update_xaxes(title_text="space-group number", row=len(experiments), col=1)
    figure.update_yaxes(
        title_text="recall", tickformat=".0%", range=[-0.09, 1.14], tickvals=[0, 0.25, 0.5, 0.75, 1]
    )
    figure.update_layout(legend_itemsizing="constant")
    return finish(figure, 170 + 270 * len(experiments), top=TOP_WITH_LEGEND)


def crystal_system_accuracy(experiments: Sequence[View]) -> go.Figure:
    """Space-group accuracy within each crystal system, one panel per split."""
    figure, grouped = task_panels(experiments, 1)
    styles = experiment_styles(experiments)
    for label, style in styles.items():
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=escape(label),
            hoverinfo="skip",
            marker={"size": 11, "symbol": style["symbol"], "color": NEUTRAL},
        )
    for col, members in enumerate(grouped.values(), start=1):
        for experiment in members:
            scores = experiment.part.crystal_systems.systems
            systems = [entry.crystal_system for entry in scores]
            figure.add_scatter(
                x=systems,
                y=[entry.space_group_accuracy for entry in scores],
                mode="markers",
                marker=system_marker(systems, size=12, symbol=styles[experiment.label]["symbol"]),
                offsetgroup=experiment.label,
                showlegend=False,
                customdata=[[entry.support, entry.crystal_system_accuracy] for entry in scores],
                hovertemplate=escape(experiment.label) + ", %{x}<br>space group %{y:.1%}<br>"
                "crystal system %{customdata[1]:.1%}<br>%{customdata[0]:,} structures"
                "<extra></extra>",
                row=1,
                col=col,
            )
    figure.update_layout(scattermode="group", scattergap=0.4)
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=CRYSTAL_SYSTEMS, tickangle=-45
    )
    figure.update_yaxes(tickformat=".0%", range=[-0.04, 1.04])
    figure.update_yaxes(title_text="space-group accuracy", row=1, col=1)
    return finish(figure, 440, top=TOP_WITH_LEGEND)
