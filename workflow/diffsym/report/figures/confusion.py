"""Figures of what is mistaken for what, and how far wrong predictions are from the truth."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from diffsym.evaluation.macro import wrong_answers
from diffsym.report.colours import EDGE_COLOURS, SYSTEM_COLOURS
from diffsym.report.figures.style import (
    BASELINE,
    TOP_WITH_LEGEND,
    experiment_panels,
    experiment_styles,
    finish,
    task_panels,
)
from diffsym.report.typesetting import label_plotly
from diffsym.report.views import View
from diffsym.structures.space_groups import crystal_system, systems_among

SEQUENTIAL = (
    (0.0, "#FFFFFF"),
    (0.02, "#E4EEF7"),
    (0.25, "#9CC3E0"),
    (0.5, "#4A90C2"),
    (0.75, "#1C5C97"),
    (1.0, "#08264D"),
)

CELL = 17
"""Pixels per class in a confusion matrix: the minimum at which 13 px labels do not touch."""


def confusion_matrices(experiments: Sequence[View]) -> go.Figure:
    """Row-normalised confusion matrices, one at a time, chosen from a menu.

    Every cell is at least `CELL` pixels wide, so the width depends on the number of classes.
    """
    figure = go.Figure()
    buttons: list[dict[str, Any]] = []
    sizes = []
    for position, experiment in enumerate(experiments):
        classes = experiment.classes
        sizes.append(len(classes))
        labels = [label_plotly(number) for number in classes]
        counts = np.array(experiment.part.confusion)
        support = counts.sum(axis=1)
        share = _shares(counts, support)
        totals = np.broadcast_to(support[:, np.newaxis], counts.shape)
        figure.add_heatmap(
            x=labels,
            y=labels,
            z=np.round(share, 4).tolist(),
            zmin=0,
            zmax=1,
            customdata=np.stack([counts, totals], axis=-1).tolist(),
            colorscale=SEQUENTIAL,
            xgap=0.6,
            ygap=0.6,
            colorbar={
                "title": {"text": "share of the true class", "side": "right"},
                "tickformat": ".0%",
                "thickness": 14,
                "len": 0.6,
                "x": 1.03,
            },
            hovertemplate="true %{y}<br>predicted %{x}<br><b>%{z:.1%}</b> (%{customdata[0]:,} of "
            "%{customdata[1]:,})<extra></extra>",
            visible=position == 0,
        )
        layout = {
            "shapes": _system_strips([crystal_system(number) for number in classes]),
            "xaxis.categoryarray": labels,
            "yaxis.categoryarray": labels,
            "xaxis.range": [-0.5, len(classes) - 0.5],
            "yaxis.range": [len(classes) - 0.5, -0.5],
        }
        visible = [other == position for other in range(len(experiments))]
        buttons.append(
            {
                "label": f"{escape(experiment.label)}, {escape(experiment.task.words())}",
                "method": "update",
                "args": [{"visible": visible}, layout],
            }
        )
    first = [label_plotly(number) for number in experiments[0].classes]
    axis = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": first,
        "dtick": 1,
        "constrain": "domain",
        "showgrid": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"size": 13},
    }
    figure.update_layout(
        shapes=buttons[0]["args"][1]["shapes"],
        xaxis=axis
        | {
            "title": {"text": "predicted space group"},
            "tickangle": -90,
            "range": [-0.5, len(first) - 0.5],
        },
        yaxis=axis
        | {
            "title": {"text": "true space group"},
            "scaleanchor": "x",
            "range": [len(first) - 0.5, -0.5],
        },
        updatemenus=[
            {
                "buttons": buttons,
                "x": 0.0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
                "pad": {"b": 24},
                "font": {"size": 14},
                "bgcolor": "white",
            }
        ]
        if len(experiments) > 1
        else [],
    )
    figure.update_layout(margin={"l": 110, "r": 20, "b": 130})
    return finish(figure, CELL * max(sizes) + 270, top=TOP_WITH_LEGEND)


def crystal_system_confusion(experiments: Sequence[View]) -> go.Figure:
    """Row-normalised confusion matrices of the crystal systems, one panel per experiment."""
    scores = [experiment.part.crystal_systems for experiment in experiments]
    return _system_matrices(
        experiments,
        [(entry.names, np.array(entry.confusion)) for entry in scores],
        [np.sum(entry.confusion, axis=1) for entry in scores],
        largest=1.0,
    )


def wrong_answers_by_system(experiments: Sequence[View]) -> go.Figure:
    """Crystal systems of wrong predictions, as shares of the true system's structures.

    Predictions of another group of the same system are on the diagonal. After Fig. 4(e) and (f) of
    Tiong et al. 2020, npj Comput. Mater. 6, 196.
    """
    matrices, supports = [], []
    for experiment in experiments:
        names, system_of_class = systems_among(experiment.classes)
        membership = np.eye(len(names), dtype=np.int64)[system_of_class]
        confusion = np.array(experiment.part.confusion)
        matrices.append((names, membership.T @ wrong_answers(confusion) @ membership))
        supports.append(confusion.sum(axis=1) @ membership)
    largest = max(
        float(_shares(counts, support).max())
        for (_, counts), support in zip(matrices, supports, strict=True)
    )
    return _system_matrices(experiments, matrices, supports, largest=max(largest, 0.05))


def _system_matrices(
    experiments: Sequence[View],
    matrices: Sequence[tuple[Sequence[str], NDArray[np.int64]]],
    supports: Sequence[NDArray[np.int64]],
    *,
    largest: float,
) -> go.Figure:
    """Shares of the structures of each crystal system, one panel per experiment.

    Parameters
    ----------
    experiments
        In the order of the panels.
    matrices
        Names of the systems, and counts with the true systems in rows, of each experiment.
    supports
        Structures of each system.
    largest
        Share shown in the darkest colour.
    """
    figure, places, height = experiment_panels(experiments, panel_height=270, gap=160)
    shapes: list[dict[str, Any]] = []
    for panel, ((row, col, _), (names, counts), support) in enumerate(
        zip(places, matrices, supports, strict=True), start=1
    ):
        share = _shares(counts, support)
        totals = np.broadcast_to(support[:, np.newaxis], counts.shape)
        figure.add_heatmap(
            x=names,
            y=names,
            z=np.round(share, 4).tolist(),
            text=[[f"{100 * value:.0f}" if value >= 0.005 else "" for value in r] for r in share],
            texttemplate="%{text}",
            textfont={"size": 12},
            customdata=np.stack([counts, totals], axis=-1).tolist(),
            coloraxis="coloraxis",
            xgap=0.6,
            ygap=0.6,
            hovertemplate="true %{y}<br>predicted %{x}<br><b>%{z:.1%}</b> (%{customdata[0]:,} of "
            "%{customdata[1]:,})<extra></extra>",
            row=row,
            col=col,
        )
        suffix = "" if panel == 1 else str(panel)
        shapes += _system_strips(names, panel=suffix, thickness=0.025)
        axis = {"type": "category", "showgrid": False, "showline": False, "ticks": ""}
        edges = [-0.5, len(names) - 0.5]
        figure.update_xaxes(axis | {"range": edges, "tickangle": -45}, row=row, col=col)
        figure.update_yaxes(axis | {"range": edges[::-1]}, row=row, col=col)
        figure.update_yaxes(showticklabels=col == 1, row=row, col=col)
    # All at once, because Plotly checks all of them whenever one is added.
    figure.update_layout(shapes=shapes)
    # Clear of the strips.
    figure.update_annotations(yshift=8)
    figure.update_xaxes(title_text="predicted crystal system")
    figure.update_yaxes(
        title_text="true crystal system", title_standoff=14, ticklabelstandoff=4, col=1
    )
    figure.update_layout(
        coloraxis={
            "colorscale": SEQUENTIAL,
            "cmin": 0,
            "cmax": largest,
            "colorbar": {
                "title": {"text": "share of the true system", "side": "right"},
                "tickformat": ".0%",
                "thickness": 14,
                "len": 320,
                "lenmode": "pixels",
                "y": 1.0,
                "yanchor": "top",
            },
        }
    )
    return finish(figure, height, top=TOP_WITH_LEGEND)


def _shares(counts: NDArray[np.int64], support: NDArray[np.int64]) -> NDArray[np.float64]:
    """Counts of a row as shares of its structures; zeros where there are none."""
    totals = support[:, np.newaxis]
    return np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)


def _system_strips(
    systems: Sequence[str], *, panel: str = "", thickness: float = 0.012
) -> list[dict[str, Any]]:
    """Shapes of a confusion matrix: crystal systems along both axes, and the diagonal.

    Parameters
    ----------
    systems
        Crystal system of each row, rows of one system together.
    panel
        Suffix of the axes' names in Plotly: "" for the first panel, "2" for the second.
    thickness
        Thickness of the strips, as a fraction of the panel.
    """
    x, y = f"x{panel}", f"y{panel}"
    shapes: list[dict[str, Any]] = [
        {
            "type": "line",
            "xref": x,
            "yref": y,
            "x0": -0.5,
            "y0": -0.5,
            "x1": len(systems) - 0.5,
            "y1": len(systems) - 0.5,
            "line": {"color": "#9AA5B1", "width": 0.8, "dash": "dot"},
        }
    ]
    for system in dict.fromkeys(systems):
        first = systems.index(system)
        span = (first - 0.5, first + systems.count(system) - 0.5)
        strip = {
            "type": "rect",
            "fillcolor": SYSTEM_COLOURS[system],
            "line": {"width": 0.8, "color": EDGE_COLOURS[system]},
        }
        shapes += [
            {
                **strip,
                "xref": x,
                "yref": f"{y} domain",
                "x0": span[0],
                "x1": span[1],
                "y0": 1.0,
                "y1": 1.0 + thickness,
            },
            {
                **strip,
                "yref": y,
                "xref": f"{x} domain",
                "y0": span[0],
                "y1": span[1],
                "x0": 1.0,
                "x1": 1.0 + thickness,
            },
            {
                "type": "rect",
                "xref": x,
                "yref": y,
                "x0": span[0],
                "x1": span[1],
                "y0": span[0],
                "y1": span[1],
                "line": {"width": 0.8, "color": "#7B8794"},
            },
        ]
    return shapes


def error_distances(experiments: Sequence[View]) -> go.Figure:
    """Distance between wrong prediction and truth in the graph of maximal subgroups.

    The last bar of each distance is the label-frequency baseline. For a model that
    always predicts the same group, chance gives the same distances, so its mark lies on its bar.
    """
    figure, grouped = task_panels(experiments, 1)
    hatched = {
        "color": "white",
        "line": {"color": BASELINE, "width": 1.2},
        "pattern": {"shape": "/", "size": 6, "fgcolor": BASELINE},
    }
    baseline = "label frequency"
    markers = {
        label: {"color": style["color"]} for label, style in experiment_styles(experiments).items()
    } | {baseline: hatched}
    shown: set[str] = set()
    for col, members in enumerate(grouped.values(), start=1):
        shares = {
            experiment.label: (experiment.part.error_distances, "share", "expected")
            for experiment in members
        } | {baseline: (members[0].part.error_distances, "baseline", "baseline")}
        for label, (entries, observed, expected) in shares.items():
            name = escape(label)
            steps = [entry.distance for entry in entries]
            figure.add_bar(
                x=steps,
                y=[getattr(entry, observed) for entry in entries],
                marker=markers[label],
                name=name,
                legendgroup=label,
                offsetgroup=label,
                legendrank=2001 if label == baseline else 1000,
                showlegend=label not in shown,
                hovertemplate=name + "<br>distance %{x}: %{y:.1%} of the errors<extra></extra>",
                row=1,
                col=col,
            )
            figure.add_scatter(
                x=steps,
                y=[getattr(entry, expected) for entry in entries],
                mode="markers",
                offsetgroup=label,
                marker={"symbol": "line-ew", "size": 9, "line": {"width": 3, "color": BASELINE}},
                name="by chance",
                legendgroup="chance",
                legendrank=2000,
                showlegend=not shown,
                hovertemplate="by chance, distance %{x}: %{y:.1%}<extra></extra>",
                row=1,
                col=col,
            )
            shown.add(label)
    figure.update_layout(barmode="group", scattermode="group", bargap=0.25, scattergap=0.25)
    figure.update_xaxes(dtick=1, title_text="steps between the groups")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title_text="share of wrong predictions", row=1, col=1)
    return finish(figure, 420, top=TOP_WITH_LEGEND)
