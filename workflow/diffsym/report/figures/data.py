"""Figures of the data: counts by stage, space groups, and reasons for rejection."""

import textwrap
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from diffsym.report.colours import EDGE_COLOURS, SYSTEM_COLOURS
from diffsym.report.figures.style import (
    BASELINE,
    NEUTRAL,
    SERIES_COLOURS,
    TOP_WITH_LEGEND,
    TOP_WITHOUT_LEGEND,
    finish,
    system_legend,
)
from diffsym.report.typesetting import label_plotly, thousands
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system


def stage_counts(counts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Number of entries left after each stage, stacked by source.

    Parameters
    ----------
    counts
        {source: {stage: number}}, stages in their order.
    """
    stages = list(dict.fromkeys(stage for numbers in counts.values() for stage in numbers))
    totals = [sum(numbers.get(stage, 0) for numbers in counts.values()) for stage in stages]
    figure = go.Figure()
    for i, (source, numbers) in enumerate(counts.items()):
        figure.add_bar(
            y=stages,
            x=[numbers.get(stage, 0) for stage in stages],
            orientation="h",
            name=escape(source),
            marker_color=NEUTRAL if len(counts) == 1 else SERIES_COLOURS[i % len(SERIES_COLOURS)],
            hovertemplate="%{y}<br>%{x:,} of " + escape(source) + "<extra></extra>",
        )
    for stage, total in zip(stages, totals, strict=True):
        share = f"  ({total / totals[0]:.1%})" if totals[0] else ""
        figure.add_annotation(
            y=stage,
            x=total,
            text=f"<b>{thousands(total)}</b>{share}",
            showarrow=False,
            xanchor="left",
            xshift=6,
        )
    figure.update_layout(
        barmode="stack",
        showlegend=len(counts) > 1,
        xaxis={
            "title": {"text": "number of entries"},
            "range": [0, 1.22 * max(totals, default=1)],
            "tickformat": ",",
        },
        yaxis={"autorange": "reversed", "ticks": "", "ticklabelstandoff": 6},
    )
    top = TOP_WITH_LEGEND if len(counts) > 1 else TOP_WITHOUT_LEGEND
    return finish(figure, top + 60 + 48 * len(stages), top=top)


def space_group_histogram(numbers: NDArray[np.integer], classes: Sequence[int]) -> go.Figure:
    """Number of structures in each space group, pale if it is not a class of any experiment.

    Parameters
    ----------
    numbers
        Space-group number of each structure.
    classes
        Space groups that experiments learn.
    """
    counts = np.bincount(numbers, minlength=231)
    figure = go.Figure(system_legend())
    for system in CRYSTAL_SYSTEMS:
        groups = [n for n in range(1, 231) if counts[n] and crystal_system(n) == system]
        figure.add_bar(
            x=groups,
            y=[int(counts[n]) for n in groups],
            marker={
                "color": SYSTEM_COLOURS[system],
                "line": {"width": 1, "color": EDGE_COLOURS[system]},
                "opacity": [1.0 if n in classes or not classes else 0.4 for n in groups],
            },
            customdata=[
                [label_plotly(n), "a class" if n in classes else "not a class"] for n in groups
            ],
            hovertemplate="%{customdata[0]}<br>%{y:,} structures, %{customdata[1]}<extra></extra>",
            legendgroup=system,
            showlegend=False,
        )
    axis = {"title": {"text": "number of structures"}, "tickformat": ","}
    figure.update_layout(
        barmode="overlay",
        bargap=0.1,
        xaxis={"title": {"text": "space-group number"}, "range": [0, 231], "dtick": 20, "tick0": 0},
        yaxis=axis | {"type": "log", "dtick": 1},
        updatemenus=[
            {
                "type": "buttons",
                "direction": "right",
                "showactive": True,
                "x": 1.0,
                "xanchor": "right",
                "y": 1.0,
                "yanchor": "bottom",
                "pad": {"b": 6},
                "font": {"size": 13},
                "buttons": [
                    {
                        "label": "log",
                        "method": "relayout",
                        "args": [{"yaxis.type": "log", "yaxis.dtick": 1, "yaxis.autorange": True}],
                    },
                    {
                        "label": "linear",
                        "method": "relayout",
                        "args": [
                            {"yaxis.type": "linear", "yaxis.dtick": None, "yaxis.autorange": True}
                        ],
                    },
                ],
            }
        ],
    )
    return finish(figure, 450, top=TOP_WITH_LEGEND)


def rejections(rejected: pd.DataFrame) -> go.Figure:
    """Number of rejected entries for each reason, with an example on hover.

    Parameters
    ----------
    rejected
        Columns stage, code and reason.
    """
    grouped = (
        rejected.groupby("code")
        .agg(count=("reason", "size"), stage=("stage", "first"), example=("reason", "first"))
        .reset_index()
        .sort_values(["count", "code"])
    )
    figure = go.Figure(
        go.Bar(
            y=[escape(code.replace("_", " ")) for code in grouped["code"]],
            x=grouped["count"].tolist(),
            orientation="h",
            marker_color=NEUTRAL,
            text=[thousands(count) for count in grouped["count"]],
            textposition="outside",
            cliponaxis=False,
            customdata=[
                [escape(stage), _wrapped(example)]
                for stage, example in grouped[["stage", "example"]].to_numpy().tolist()
            ],
            hovertemplate="%{x:,} entries, stage %{customdata[0]}<br>%{customdata[1]}"
            "<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"title": {"text": "number of entries"}, "rangemode": "tozero"},
        yaxis={"ticks": "", "ticklabelstandoff": 6},
    )
    figure.update_layout(margin_r=60)
    return finish(figure, 110 + 34 * len(grouped))


def _wrapped(text: str, width: int = 60) -> str:
    """Escape a sentence from a table and break it into lines for a hover label."""
    return "<br>".join(escape(line) for line in textwrap.wrap(text, width))


def tolerance_dependence(
    by_tolerance: NDArray[np.integer], tolerances: Sequence[float], reference: float
) -> go.Figure:
    """Structures whose label differs from the one at the reference tolerance.

    Parameters
    ----------
    by_tolerance
        Space-group number at each tolerance, 0 where none was found, shape (n, tolerances).
    tolerances
        Distances, A.
    reference
        The tolerance that gives the labels, one of `tolerances`, A.
    """
    labels = by_tolerance[:, [list(tolerances).index(reference)]]
    kinds = {
        "higher number": (by_tolerance > labels, SERIES_COLOURS[0]),
        "lower number": ((by_tolerance < labels) & (by_tolerance > 0), SERIES_COLOURS[1]),
        "no group found": (by_tolerance == 0, BASELINE),
    }
    ticks = [
        f"{tolerance:g}" + (" (used)" if tolerance == reference else "") for tolerance in tolerances
    ]
    figure = go.Figure()
    for kind, (different, colour) in kinds.items():
        counts = different.sum(axis=0)
        figure.add_bar(
            x=ticks,
            y=counts.tolist(),
            name=kind,
            marker_color=colour,
            text=[thousands(count) if count else "" for count in counts],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            customdata=(counts / max(len(by_tolerance), 1)).tolist(),
            hovertemplate="%{x} \u00c5: %{y:,} structures (%{customdata:.1%})<extra>"
            + kind
            + "</extra>",
        )
    figure.update_layout(
        barmode="stack",
        xaxis={"title": {"text": "tolerance of the symmetry search / \u00c5"}, "type": "category"},
        yaxis={"title": {"text": "structures with a different label"}, "tickformat": ","},
    )
    return finish(figure, 380, top=TOP_WITH_LEGEND)
