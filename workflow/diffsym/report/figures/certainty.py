"""Figures of predicted probabilities: calibration, and the gain from thresholds."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from diffsym.report.figures.style import (
    BASELINE,
    SERIES_COLOURS,
    TOP_WITH_LEGEND,
    error_bars,
    experiment_panels,
    experiment_styles,
    finish,
    task_panels,
)
from diffsym.report.views import View


def reliability(experiments: Sequence[View]) -> go.Figure:
    """Accuracy against confidence for each split, and how often each confidence occurs."""
    figure, grouped = task_panels(
        experiments, 2, vertical_spacing=0.1, row_heights=[0.7, 0.3], shared_xaxes="columns"
    )
    styles = experiment_styles(experiments)
    shown: set[str] = set()
    largest = max(
        entry.count / experiment.part.n
        for experiment in experiments
        for entry in experiment.part.calibration.bins
    )
    for col, members in enumerate(grouped.values(), start=1):
        figure.add_scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            name="perfect calibration",
            line={"color": BASELINE, "dash": "dot", "width": 1.4},
            legendgroup="perfect",
            showlegend=col == 1,
            hoverinfo="skip",
            row=1,
            col=col,
        )
        for experiment in members:
            style = styles[experiment.label]
            bins = experiment.part.calibration.bins
            filled = [entry for entry in bins if entry.count]
            figure.add_scatter(
                x=[entry.confidence for entry in filled],
                y=[entry.accuracy for entry in filled],
                mode="lines+markers",
                marker={"size": 9, **style},
                line={"color": style["color"], "width": 1.8},
                name=escape(experiment.label),
                legendgroup=experiment.label,
                showlegend=experiment.label not in shown,
                customdata=[entry.count for entry in filled],
                hovertemplate=escape(experiment.label) + "<br>confidence %{x:.1%}, accuracy "
                "%{y:.1%}<br>%{customdata:,} structures<extra></extra>",
                row=1,
                col=col,
            )
            figure.add_scatter(
                x=[(entry.low + entry.high) / 2 for entry in bins],
                y=[entry.count / experiment.part.n for entry in bins],
                mode="lines",
                line={"color": style["color"], "width": 1.8, "shape": "hvh"},
                legendgroup=experiment.label,
                showlegend=False,
                hovertemplate="confidence about %{x:.2f}: %{y:.1%} of the structures"
                "<extra></extra>",
                row=2,
                col=col,
            )
            shown.add(experiment.label)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", tickvals=[0.2, 0.4, 0.6, 0.8])
    figure.update_xaxes(title_text="confidence", row=2)
    figure.update_yaxes(title_text="accuracy", range=[-0.04, 1.04], tickformat=".0%", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.1 * largest], row=2)
    figure.update_yaxes(title_text="share", row=2, col=1)
    return finish(figure, 600, top=TOP_WITH_LEGEND)


def certainty_histograms(experiments: Sequence[View]) -> go.Figure:
    """Certainty of correct and wrong top-1 predictions, one panel per experiment.

    After Fig. 5(b) and (c) of Vecsei et al. 2019, Phys. Rev. B 99, 245120.
    """
    figure, places, height = experiment_panels(
        experiments, panel_height=210, gap=110, shared_xaxes="all", shared_yaxes="all"
    )
    for row, col, experiment in places:
        bins = experiment.part.calibration.bins
        heights = {
            "correct": ([entry.right for entry in bins], SERIES_COLOURS[0]),
            "wrong": ([entry.count - entry.right for entry in bins], SERIES_COLOURS[1]),
        }
        for name, (counts, colour) in heights.items():
            figure.add_bar(
                x=[(entry.low + entry.high) / 2 for entry in bins],
                width=[entry.high - entry.low for entry in bins],
                y=counts,
                name=f"{name} predictions",
                legendgroup=name,
                showlegend=(row, col) == (1, 1),
                marker={"color": colour, "line": {"width": 0.6, "color": "white"}},
                customdata=[[entry.low, entry.high] for entry in bins],
                hovertemplate="certainty %{customdata[0]:.0%} to %{customdata[1]:.0%}: %{y:,} "
                + name
                + "<extra></extra>",
                row=row,
                col=col,
            )
    largest = max(
        entry.count for experiment in experiments for entry in experiment.part.calibration.bins
    )
    figure.update_layout(barmode="stack", bargap=0)
    figure.update_xaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], title_text="certainty"
    )
    figure.update_xaxes(showticklabels=True)
    figure.update_yaxes(tickformat=",", range=[0, 1.05 * largest])
    figure.update_yaxes(title_text="structures or patterns", col=1)
    return finish(figure, height, top=TOP_WITH_LEGEND)


# A number above a marker this high would be cut off by the panel.
ROOM_ABOVE = 0.95


def certainty_thresholds(experiments: Sequence[View]) -> go.Figure:
    """Accuracy on classified structures and share of unclassified ones against the threshold.

    One panel per experiment; the threshold that leaves half of the structures unclassified is
    marked. After Fig. 5(d) and (e) of Vecsei et al. 2019, Phys. Rev. B 99, 245120.
    """
    figure, places, height = experiment_panels(
        experiments, panel_height=210, gap=110, shared_xaxes="all", shared_yaxes="all"
    )
    lines = {
        "accuracy": ("accuracy on the classified", SERIES_COLOURS[0], "solid"),
        "unclassified": ("share left unclassified", SERIES_COLOURS[1], "dash"),
    }
    for row, col, experiment in places:
        once = {"showlegend": (row, col) == (1, 1), "row": row, "col": col}
        curve = experiment.part.certainty.curve
        half = experiment.part.certainty.half_unclassified
        above = half.accuracy.high < ROOM_ABOVE
        for key, (name, colour, dash) in lines.items():
            figure.add_scatter(
                x=curve.threshold,
                y=getattr(curve, key),
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                name=name,
                legendgroup=key,
                hovertemplate="threshold %{x:.0%}: " + name + " %{y:.1%}<extra></extra>",
                **once,
            )
        figure.add_scatter(
            x=[half.threshold] * 2,
            y=[0, 1],
            mode="lines",
            line={"color": BASELINE, "dash": "dot", "width": 1.4},
            name="half unclassified",
            legendgroup="half",
            hoverinfo="skip",
            **once,
        )
        figure.add_scatter(
            x=[half.threshold],
            y=[half.accuracy.value],
            error_y=error_bars([half.accuracy]),
            mode="markers+text",
            marker={"color": SERIES_COLOURS[0], "size": 9},
            text=[f"{half.accuracy.value:.0%} " if above else f"<br>{half.accuracy.value:.0%} "],
            textposition="top left" if above else "bottom left",
            textfont={"size": 15, "color": SERIES_COLOURS[0]},
            hovertemplate="half unclassified: threshold %{x:.1%}, accuracy %{y:.1%}<extra></extra>",
            **once | {"showlegend": False},
        )
    figure.update_xaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], showticklabels=True
    )
    figure.update_xaxes(title_text="certainty threshold")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.04])
    figure.update_yaxes(title_text="share", col=1)
    return finish(figure, height, top=TOP_WITH_LEGEND)
