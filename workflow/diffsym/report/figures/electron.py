"""Figures of experiments on electron-diffraction patterns, after Tiong et al. 2020.

L. C. O. Tiong, J. Kim, S. S. Han & D. Kim, npj Comput. Mater. 6, 196 (2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diffsym.evaluation.scores import Interval, PublishedModel
from diffsym.report.colours import SYSTEM_COLOURS
from diffsym.report.electron import Gain, number_of_classes
from diffsym.report.figures.accuracy import accuracy_line, answers_line, label_frequency_line
from diffsym.report.figures.style import (
    BASELINE,
    NEUTRAL,
    SERIES_COLOURS,
    TOP_WITH_LEGEND,
    error_bars,
    experiment_styles,
    finish,
    panels,
    system_legend,
    task_panels,
)
from diffsym.report.results import Experiment
from diffsym.report.typesetting import label_plotly
from diffsym.report.views import Task, by_task
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system

ANSWERS = 5
"""Largest k of the top-k accuracies of Tiong et al."""
CLASS_WIDTH = 17
"""Pixels per space group: the minimum at which their numbers do not touch."""
BACKGROUND_OPACITY = 0.22
GAIN_NAMES = {"shaping": "shaping", "msdn": "MSDN", "total": "both"}


def accuracy_by_classes(
    experiments: Sequence[Experiment], published: Sequence[PublishedModel]
) -> go.Figure:
    """A_1 against the number of space groups, one line per network and pattern; their Fig. 3(a).

    Parameters
    ----------
    experiments
        Experiments on electron-diffraction patterns; one panel per split.
    published
        Accuracies on other data; shown where this study has the same number of classes.
    """
    # Along a line the classes change and the split stays.
    figure, grouped = task_panels([replace(e, task=Task(e.split)) for e in experiments], 1)
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    for col, unsorted in enumerate(grouped.values(), start=1):
        place = {"row": 1, "col": col}
        members = sorted(unsorted, key=number_of_classes)
        for label, style in styles.items():
            own = [experiment for experiment in members if experiment.label == label]
            if own:
                line = _classes_line(own, style, showlegend=label not in shown)
                figure.add_trace(line, **place)
                shown.add(label)
        baseline = {number_of_classes(e): e.part.baseline[0].value for e in members}
        figure.add_scatter(
            x=[str(number) for number in baseline],
            y=list(baseline.values()),
            mode="lines+markers",
            marker={"size": 7, "color": BASELINE},
            line={"color": BASELINE, "dash": "dot", "width": 1.6},
            name="label frequency",
            legendgroup="label frequency",
            offsetgroup="label frequency",
            showlegend=col == 1,
            hovertemplate="label frequency, %{x} groups: %{y:.1%}<extra></extra>",
            **place,
        )
        targets = [entry for entry in published if entry.n_classes in baseline]
        figure.add_scatter(
            x=[str(entry.n_classes) for entry in targets],
            y=[entry.top_1 for entry in targets],
            mode="markers",
            marker={
                "symbol": "star-open",
                "size": 14,
                "color": NEUTRAL,
                "line": {"width": 1.6},
            },
            name="published, other data",
            legendgroup="published",
            offsetgroup="published",
            showlegend=col == 1 and bool(targets),
            hovertemplate="published, other data, %{x} groups: %{y:.1%}<extra></extra>",
            **place,
        )
    # Side by side, because intervals of several networks overlap.
    figure.update_layout(scattermode="group", scattergap=0.6)
    numbers = sorted({number_of_classes(experiment) for experiment in experiments})
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=[str(number) for number in numbers],
        range=[-0.5, len(numbers) - 0.5],
        title_text="number of space groups",
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.04])
    figure.update_yaxes(title_text="test <i>A</i><sub>1</sub>", row=1, col=1)
    return finish(figure, 480, top=TOP_WITH_LEGEND)


def _classes_line(
    experiments: Sequence[Experiment], style: Mapping[str, Any], **more: Any
) -> go.Scatter:
    """A_1 of one network against the number of classes."""
    label = experiments[0].label
    entries = [experiment.part.accuracy[0] for experiment in experiments]
    return accuracy_line(
        entries,
        label,
        style,
        x=[str(number_of_classes(experiment)) for experiment in experiments],
        offsetgroup=label,
        customdata=[
            [entry.low, entry.high, experiment.part.n]
            for entry, experiment in zip(entries, experiments, strict=True)
        ],
        hovertemplate=escape(label) + ", %{x} groups<br><b>%{y:.1%}</b> [%{customdata[0]:.1%}, "
        "%{customdata[1]:.1%}]<br>%{customdata[2]:,} test structures<extra></extra>",
        **more,
    )


def top_k_by_classes(experiments: Sequence[Experiment]) -> go.Figure:
    """A_1 ... A_5, one panel per class set and split; their Fig. 3(b) to (e)."""
    grouped = by_task(experiments)
    figure, places, height = panels(
        _titles(grouped), panel_height=280, gap=120, columns=2, horizontal_spacing=0.09
    )
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    for (row, col), members in zip(places, grouped.values(), strict=True):
        for experiment in members:
            label = experiment.label
            line = answers_line(
                experiment.part.accuracy[:ANSWERS],
                label,
                styles[label],
                showlegend=label not in shown,
            )
            figure.add_trace(line, row=row, col=col)
            shown.add(label)
        baseline = members[0].part.baseline[:ANSWERS]
        line = label_frequency_line(baseline, showlegend=(row, col) == (1, 1))
        figure.add_trace(line, row=row, col=col)
    figure.update_xaxes(dtick=1, title_text="number of predictions <i>k</i>")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.04])
    figure.update_yaxes(title_text="test <i>A<sub>k</sub></i>", col=1)
    return finish(figure, height, top=TOP_WITH_LEGEND)


def recall_by_class_set(experiments: Sequence[Experiment]) -> go.Figure:
    """Recall of each space group, one panel per class set and split; their Fig. 4(a), (b).

    Background colours mark the crystal systems.
    """
    grouped = by_task(experiments)
    figure, places, height = panels(_titles(grouped), panel_height=270, gap=130, columns=1)
    figure.add_traces(system_legend())
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    for (row, col), members in zip(places, grouped.values(), strict=True):
        classes = members[0].classes
        for experiment in members:
            label = experiment.label
            # A group without test structures has no recall and leaves a gap.
            scores = experiment.part.per_class
            figure.add_scatter(
                x=list(range(len(classes))),
                y=[entry.recall for entry in scores],
                mode="markers",
                marker={"size": 8, "opacity": 0.85, **styles[label]},
                name=escape(label),
                legendgroup=label,
                showlegend=label not in shown,
                customdata=[[label_plotly(e.space_group), e.support] for e in scores],
                hovertemplate=escape(label) + "<br><b>%{customdata[0]}</b>: %{y:.1%} of "
                "%{customdata[1]:,} test structures<extra></extra>",
                row=row,
                col=col,
            )
            shown.add(label)
        _add_backgrounds(figure, [crystal_system(number) for number in classes], row, col)
        figure.update_xaxes(
            tickvals=list(range(len(classes))),
            ticktext=[str(number) for number in classes],
            tickangle=-90,
            tickfont_size=13,
            range=[-0.5, len(classes) - 0.5],
            row=row,
            col=col,
        )
    figure.update_xaxes(title_text="space-group number", showgrid=False)
    figure.update_yaxes(title_text="recall", tickformat=".0%", range=[-0.04, 1.04])
    return finish(figure, height, top=TOP_WITH_LEGEND)


def accuracy_by_system(experiments: Sequence[Experiment]) -> go.Figure:
    """Mean space-group accuracy within each crystal system as bars; their Fig. 4(c), (d)."""
    grouped = by_task(experiments)
    figure, places, height = panels(_titles(grouped), panel_height=270, gap=130, columns=1)
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    for (row, col), members in zip(places, grouped.values(), strict=True):
        present = members[0].part.crystal_systems.names
        for experiment in members:
            label = experiment.label
            scores = experiment.part.crystal_systems.systems
            figure.add_bar(
                x=[present.index(entry.crystal_system) for entry in scores],
                y=[entry.space_group_accuracy for entry in scores],
                marker={"color": styles[label]["color"], "line": {"width": 0}},
                name=escape(label),
                legendgroup=label,
                offsetgroup=label,
                showlegend=label not in shown,
                customdata=[[entry.crystal_system, entry.support] for entry in scores],
                hovertemplate=escape(label) + ", %{customdata[0]}<br><b>%{y:.1%}</b> of "
                "%{customdata[1]:,} test structures<extra></extra>",
                row=row,
                col=col,
            )
            shown.add(label)
        _add_backgrounds(figure, present, row, col)
        figure.update_xaxes(
            tickvals=list(range(len(present))),
            ticktext=present,
            range=[-0.5, len(present) - 0.5],
            row=row,
            col=col,
        )
    figure.update_layout(barmode="group", bargap=0.3)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(title_text="space-group accuracy", tickformat=".0%", range=[0, 1.04])
    return finish(figure, height, top=TOP_WITH_LEGEND)


def gain_bars(gains: Sequence[Gain]) -> go.Figure:
    """Gains in A_1 from shaping, from MSDN and from both, with intervals."""
    figure = make_subplots()
    names = [_title(gain.msdn, "<br>") for gain in gains]
    for colour, (key, name) in zip(SERIES_COLOURS, GAIN_NAMES.items(), strict=False):
        entries = [
            Interval(**{bound: 100 * value for bound, value in vars(gain.differences[key]).items()})
            for gain in gains
        ]
        figure.add_bar(
            x=names,
            y=[entry.value for entry in entries],
            error_y=error_bars(entries),
            marker={"color": colour},
            name=name,
            customdata=[[entry.low, entry.high] for entry in entries],
            hovertemplate=name + "<br><b>%{y:+.1f}</b> [%{customdata[0]:+.1f}, "
            "%{customdata[1]:+.1f}] percentage points<extra></extra>",
        )
    figure.update_layout(barmode="group", bargap=0.4)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(
        title_text="gain in test <i>A</i><sub>1</sub> / percentage points",
        zeroline=True,
        zerolinecolor=BASELINE,
    )
    return finish(figure, 440, top=TOP_WITH_LEGEND)


def _title(experiment: Experiment, separator: str = ": ") -> str:
    """Number of groups, class set and split."""
    return (
        f"{number_of_classes(experiment)} groups{separator}"
        f"{escape(experiment.settings.classes)}, {escape(experiment.split)}"
    )


def _titles(grouped: Mapping[Task, Sequence[Experiment]]) -> list[str]:
    """Title of the panel of each task."""
    return [_title(members[0]) for members in grouped.values()]


def _add_backgrounds(figure: go.Figure, systems: Sequence[str], row: int, col: int) -> None:
    """Colour the background by crystal system; position i of the x axis belongs to systems[i]."""
    for system in CRYSTAL_SYSTEMS:
        positions = [i for i, other in enumerate(systems) if other == system]
        if positions:
            figure.add_vrect(
                x0=positions[0] - 0.5,
                x1=positions[-1] + 0.5,
                fillcolor=SYSTEM_COLOURS[system],
                opacity=BACKGROUND_OPACITY,
                line_width=0,
                layer="below",
                row=row,
                col=col,
            )
