"""The report's pictures: one function a figure, data in, `plotly.graph_objects.Figure` out.

Each crystal system keeps one colour in every figure (Okabe & Ito's palette, safe for the
colour-blind); experiments are told apart by colours that no crystal system uses. Strings from
databases are escaped before they become labels, because Plotly reads them as HTML.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from diffsym.datasets.filters import normal_histogram
from diffsym.evaluation.inputs import Experiment, by_split
from diffsym.evaluation.summary import QUOTED_ANSWERS
from diffsym.evaluation.typesetting import label_plotly
from diffsym.evaluation.volumes import expected_counts
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system

SYSTEM_COLOURS = {
    "triclinic": "#0072B2",
    "monoclinic": "#E69F00",
    "orthorhombic": "#009E73",
    "tetragonal": "#56B4E9",
    "trigonal": "#8C8C8C",
    "hexagonal": "#F0E442",
    "cubic": "#D55E00",
}
EDGE_COLOURS = {
    system: "#4D4D00" if system == "hexagonal" else colour
    for system, colour in SYSTEM_COLOURS.items()
}
"""Yellow on white needs a dark edge; all others are edged in their own colour."""

CURVE_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SERIES_COLOURS = ("#332288", "#CC3377", "#7A4A12", "#9A7FD1", "#37474F", "#E39AC0", "#6B6B00")
"""For experiments and other series: no hue of a crystal system."""
SERIES_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon")
INK = "#1F2933"
NEUTRAL = "#5B6B7B"
GRID = "#E3E8ED"
SEPARATORS = ".\u2009"
"""Of decimals and of thousands."""
BASELINE = "#222222"
SEQUENTIAL = (
    (0.0, "#FFFFFF"),
    (0.02, "#E4EEF7"),
    (0.25, "#9CC3E0"),
    (0.5, "#4A90C2"),
    (0.75, "#1C5C97"),
    (1.0, "#08264D"),
)
TOP_WITHOUT_LEGEND = 32
TOP_WITH_LEGEND = 120
"""Pixels above a plot; a legend may take two rows, and titles may have two lines."""
LEGEND_ROW = 32
LEGEND_SYMBOL = 45
LEGEND_CHARACTER = 6.6
NARROW_PLOT = 600
"""Pixels of a row of a legend, of an entry beside its text, of a character, and of the width that
is left for a legend on a page of 800 pixels."""
CELL = 17
"""Pixels a class takes in a confusion matrix: the least at which 13 px labels do not touch."""

PANEL_COLUMNS = 3
PANELS_WIDTH = 900
"""Panels in a row where each experiment has its own, and the pixels they need side by side."""

TEMPLATE = go.layout.Template(
    layout={
        "font": {
            "family": "Source Sans 3, Segoe UI, Helvetica, Arial, sans-serif",
            "size": 14,
            "color": INK,
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hoverlabel": {
            "font": {"size": 14, "color": INK},
            "bgcolor": "white",
            "bordercolor": NEUTRAL,
        },
        "xaxis": {
            "gridcolor": GRID,
            "linecolor": INK,
            "showline": True,
            "ticks": "outside",
            "tickcolor": INK,
            "zeroline": False,
            "automargin": True,
        },
        "yaxis": {
            "gridcolor": GRID,
            "linecolor": INK,
            "showline": True,
            "ticks": "outside",
            "tickcolor": INK,
            "zeroline": False,
            "automargin": True,
        },
        "legend": {
            "orientation": "h",
            "yref": "container",
            "y": 1.0,
            "yanchor": "top",
            "x": 0.0,
            "xanchor": "left",
            "font": {"size": 14},
        },
        "margin": {"l": 70, "r": 24, "t": 70, "b": 60},
        "bargap": 0.25,
    }
)


def _thousands(count: int) -> str:
    """A count with thin spaces between thousands, as `SEPARATORS` makes it on the axes."""
    return f"{count:,}".replace(",", SEPARATORS[1])


def _finish(figure: go.Figure, height: int, *, top: int = TOP_WITHOUT_LEGEND) -> go.Figure:
    """Apply the common look; the width follows the page.

    Parameters
    ----------
    figure
        Changed in place and returned.
    height
        Of the whole figure, pixels.
    top
        Pixels above the plot. The first row of them belongs to Plotly's buttons, the next to the
        legend, so that they never lie on each other or on the data. A legend that needs more than
        two rows on a narrow page makes the figure higher.
    """
    if top == TOP_WITH_LEGEND:
        more = LEGEND_ROW * max(_legend_rows(figure) - 2, 0)
        height, top = height + more, top + more
    figure.update_layout(template=TEMPLATE, height=height, autosize=True, separators=SEPARATORS)
    figure.update_layout(margin_t=top, legend_y=1 - TOP_WITHOUT_LEGEND / height)
    return figure.update_annotations(font_size=15)


def _legend_rows(figure: go.Figure) -> int:
    """Rows that the legend takes on a narrow page, if all entries were as wide as the widest."""
    names = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    widest = LEGEND_SYMBOL + LEGEND_CHARACTER * max(map(len, names), default=0)
    return -(-len(names) // max(int(NARROW_PLOT / widest), 1))


def _error_bars(entries: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Asymmetric error bars from entries of {value, low, high}."""
    return {
        "type": "data",
        "array": [entry["high"] - entry["value"] for entry in entries],
        "arrayminus": [entry["value"] - entry["low"] for entry in entries],
        "thickness": 1.4,
        "width": 4,
    }


def system_legend() -> list[go.Scatter]:
    """Legend entries of all crystal systems, the same in every figure."""
    return [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=system,
            legendgroup=system,
            marker={
                "size": 13,
                "symbol": "square",
                "color": SYSTEM_COLOURS[system],
                "line": {"width": 1.2, "color": EDGE_COLOURS[system]},
            },
            hoverinfo="skip",
        )
        for system in CRYSTAL_SYSTEMS
    ]


def _marker(systems: Sequence[str], **more: Any) -> dict[str, Any]:
    """Marker settings in the colours of the crystal systems, the yellow one with a dark edge."""
    return {
        "color": [SYSTEM_COLOURS[system] for system in systems],
        "line": {"width": 1.2, "color": [EDGE_COLOURS[system] for system in systems]},
        **more,
    }


def _styles(experiments: Sequence[Experiment]) -> dict[str, dict[str, Any]]:
    """Colour and marker of each experiment label, the same in every panel.

    When the colours are used up they return with other markers.
    """
    labels = list(dict.fromkeys(experiment.label for experiment in experiments))
    return {
        label: {
            "color": SERIES_COLOURS[i % len(SERIES_COLOURS)],
            "symbol": SERIES_SYMBOLS[(i + i // len(SERIES_COLOURS)) % len(SERIES_SYMBOLS)],
        }
        for i, label in enumerate(labels)
    }


def stage_counts(counts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Number of entries that are left after each stage, stacked by source.

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
            text=f"<b>{_thousands(total)}</b>{share}",
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
    return _finish(figure, top + 60 + 48 * len(stages), top=top)


def space_group_histogram(numbers: NDArray[np.integer], classes: Sequence[int]) -> go.Figure:
    """Number of structures in each space group, pale where it is no class of any experiment.

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
    return _finish(figure, 450, top=TOP_WITH_LEGEND)


def rejections(rejected: pd.DataFrame) -> go.Figure:
    """Number of rejected entries for each reason, with one such sentence on hover.

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
            text=[_thousands(count) for count in grouped["count"]],
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
    return _finish(figure, 110 + 34 * len(grouped))


def _wrapped(text: str, width: int = 60) -> str:
    """Escape a sentence from a table and break it into lines for a hover label."""
    return "<br>".join(escape(line) for line in textwrap.wrap(text, width))


def tolerance_dependence(
    by_tolerance: NDArray[np.integer], tolerances: Sequence[float], reference: float
) -> go.Figure:
    """Structures whose label at a tolerance differs from that at the reference tolerance.

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
            text=[_thousands(count) if count else "" for count in counts],
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
        yaxis={"title": {"text": "structures with another label"}, "tickformat": ","},
    )
    return _finish(figure, 380, top=TOP_WITH_LEGEND)


def pdf_example(r: NDArray[np.float64], X: NDArray[np.float64]) -> go.Figure:
    """A normalised pair distribution function X and its quadratic form X^2 as a vector.

    After Fig. 1 of Liu et al. 2019, Acta Cryst. A75, 633.

    Parameters
    ----------
    r
        Distances, A, shape (m,).
    X
        Normalised G(r), shape (m,).
    """
    i, j = np.triu_indices(len(X), k=1)
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.2)
    figure.add_scatter(
        x=np.round(r, 4).tolist(),
        y=np.round(X, 4).tolist(),
        mode="lines",
        line={"color": SERIES_COLOURS[0], "width": 2},
        hovertemplate="r = %{x:.2f} \u00c5<br>X = %{y:.3f}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_scatter(
        y=np.round(X[i] * X[j], 3).tolist(),
        mode="lines",
        line={"color": SERIES_COLOURS[1], "width": 0.7},
        hovertemplate="component %{x}<br>X<sub>i</sub>X<sub>j</sub> = %{y:.3f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_xaxes(title_text="<i>r</i> / \u00c5", row=1, col=1)
    figure.update_xaxes(title_text="component of <b>X</b>\u00b2", tickformat=",", row=2, col=1)
    figure.update_yaxes(title_text="<b>X</b>", row=1, col=1)
    figure.update_yaxes(title_text="<b>X</b>\u00b2", row=2, col=1)
    figure.update_layout(showlegend=False)
    return _finish(figure, 560)


def quadratic_map(r: NDArray[np.float64], X: NDArray[np.float64]) -> go.Figure:
    """The quadratic form X_i X_j as a map over (r_i, r_j), the upper triangle that is used."""
    product = np.round(np.outer(X, X), 3)
    z = [[float(product[i, j]) if j > i else None for j in range(len(X))] for i in range(len(X))]
    axis = np.round(r, 3).tolist()
    figure = go.Figure(
        go.Heatmap(
            x=axis,
            y=axis,
            z=z,
            colorscale="Viridis",
            zmin=0,
            zmax=1,
            colorbar={
                "title": {"text": "X<sub>i</sub>X<sub>j</sub>", "side": "right"},
                "thickness": 16,
            },
            hovertemplate="r<sub>i</sub> = %{y:.2f} \u00c5<br>r<sub>j</sub> = %{x:.2f} \u00c5"
            "<br>X<sub>i</sub>X<sub>j</sub> = %{z:.3f}<extra></extra>",
            hoverongaps=False,
        )
    )
    figure.update_layout(
        xaxis={
            "title": {"text": "<i>r<sub>j</sub></i> / \u00c5"},
            "constrain": "domain",
            "showgrid": False,
        },
        yaxis={
            "title": {"text": "<i>r<sub>i</sub></i> / \u00c5"},
            "scaleanchor": "x",
            "constrain": "domain",
            "showgrid": False,
        },
    )
    return _finish(figure, 560)


def powder_example(two_theta: NDArray[np.float64], intensity: NDArray[np.floating]) -> go.Figure:
    """A powder pattern.

    Parameters
    ----------
    two_theta
        Scattering angle, degrees, shape (m,).
    intensity
        Relative to the strongest value, shape (m,).
    """
    figure = go.Figure(
        go.Scatter(
            x=np.round(two_theta, 4).tolist(),
            y=np.round(intensity.astype(np.float64), 4).tolist(),
            mode="lines",
            line={"color": SERIES_COLOURS[0], "width": 1.2},
            hovertemplate="2<i>θ</i> = %{x:.2f}°<br>intensity %{y:.3f}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"title": {"text": "2<i>θ</i> / °"}, "range": [two_theta[0], two_theta[-1]]},
        yaxis={"title": {"text": "intensity / strongest"}, "rangemode": "tozero"},
    )
    return _finish(figure, 420)


def ideal_example(d_star: NDArray[np.float64], intensity: NDArray[np.floating]) -> go.Figure:
    """A profile of lines without width, a stick for each bin that is not empty.

    Parameters
    ----------
    d_star
        1/d of the bins, 1/A, shape (m,).
    intensity
        Sum of |F|^2 in each bin, relative to the largest, shape (m,).
    """
    lines = np.flatnonzero(intensity)
    positions = np.round(d_star[lines], 5).tolist()
    heights = np.round(intensity[lines].astype(np.float64), 5).tolist()
    figure = go.Figure(
        go.Scatter(
            x=[value for position in positions for value in (position, position, None)],
            y=[value for height in heights for value in (0, height, None)],
            mode="lines",
            line={"color": SERIES_COLOURS[0], "width": 1.5},
            hovertemplate="1/<i>d</i> = %{x:.4f} Å<sup>−1</sup><br>|<i>F</i>|² / largest = %{y:.4f}"
            "<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={
            "title": {"text": "1/<i>d</i> / Å<sup>−1</sup>"},
            "range": [float(d_star[0]), float(d_star[-1])],
        },
        yaxis={"title": {"text": "|<i>F</i>|² / largest"}, "rangemode": "tozero"},
    )
    return _finish(figure, 420)


def learning_curves(experiments: Sequence[Experiment]) -> go.Figure:
    """Accuracy and cost against the epoch, one row an experiment, one line a member."""
    figure = make_subplots(
        rows=len(experiments),
        cols=2,
        subplot_titles=[
            f"{escape(e.label)}<br>{escape(e.split)}: {what}"
            for e in experiments
            for what in ("accuracy", "cost")
        ],
        horizontal_spacing=0.1,
        vertical_spacing=0.28 / len(experiments),
    )
    names = list(dict.fromkeys(name for e in experiments for name, *_ in _curves(e)))
    shown: set[str] = set()
    for row, experiment in enumerate(experiments, start=1):
        for name, member, col, epochs, values in _curves(experiment):
            style = names.index(name)
            figure.add_scatter(
                x=list(epochs),
                y=[round(value, 5) for value in values],
                mode="lines+markers" if len(values) < 15 else "lines",
                marker_size=5,
                line={
                    "color": SERIES_COLOURS[style % len(SERIES_COLOURS)],
                    "width": 1.8,
                    "dash": CURVE_DASHES[style % len(CURVE_DASHES)],
                },
                name=escape(name),
                legendgroup=name,
                showlegend=name not in shown,
                hovertemplate=f"{escape(name)}, member {member}<br>epoch %{{x}}: "
                + ("%{y:.1%}" if col == 1 else "%{y:.3f}")
                + "<extra></extra>",
                row=row,
                col=col,
            )
            shown.add(name)
        figure.update_yaxes(
            title_text="top-1 accuracy", tickformat=".0%", rangemode="tozero", row=row, col=1
        )
        figure.update_yaxes(title_text="cost", rangemode="tozero", row=row, col=2)
    figure.update_xaxes(title_text="epoch", row=len(experiments))
    return _finish(figure, 150 + 270 * len(experiments), top=TOP_WITH_LEGEND)


def _curves(
    experiment: Experiment,
) -> Iterator[tuple[str, int, int, Sequence[int], Sequence[float]]]:
    """Name, member, column, epochs and values of each learning curve of an experiment.

    The first column shows the accuracy, the second the cost.
    """
    for member, history in enumerate(experiment.histories, start=1):
        for name, prefix in (("training", ""), ("validation", "val_")):
            for col, quantity in enumerate(("accuracy", "loss"), start=1):
                values = history.get(prefix + quantity, [])
                yield name, member, col, range(1, len(values) + 1), values
    for member, course in enumerate(experiment.courses, start=1):
        for name, values in course["accuracy"].items():
            part = name if name == "test" else f"measured: {name}"
            yield part, member, 1, course["epochs"], values


def _split_panels(
    experiments: Sequence[Experiment], rows: int, **more: Any
) -> tuple[go.Figure, dict[str, list[Experiment]]]:
    """Panels with a column for each split."""
    grouped = by_split(experiments)
    figure = make_subplots(
        rows=rows,
        cols=len(grouped),
        column_titles=[escape(split) for split in grouped],
        shared_yaxes="rows",
        horizontal_spacing=0.04,
        **more,
    )
    return figure, grouped


def _experiment_panels(
    experiments: Sequence[Experiment], *, panel_height: int, gap: int, **more: Any
) -> tuple[go.Figure, list[tuple[int, int, Experiment]], int]:
    """A panel for each experiment, at most `PANEL_COLUMNS` in a row.

    Parameters
    ----------
    experiments
        In the order of the panels.
    panel_height, gap
        Of a panel and of the space for titles and labels between two rows, pixels.
    more
        For `make_subplots`.

    Returns
    -------
    figure
        Empty but for the titles of the panels.
    places
        Row, column and experiment of each panel.
    height
        That the whole figure needs, pixels.
    """
    columns = min(PANEL_COLUMNS, len(experiments))
    rows = -(-len(experiments) // columns)
    inner = rows * panel_height + (rows - 1) * gap
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[f"{escape(e.label)}<br>{escape(e.split)}" for e in experiments],
        vertical_spacing=gap / inner,
        horizontal_spacing=0.05,
        **more,
    )
    places = [
        (1 + i // columns, 1 + i % columns, experiment) for i, experiment in enumerate(experiments)
    ]
    # Panels without an experiment would be empty axes.
    for i in range(len(experiments), rows * columns):
        place = {"row": 1 + i // columns, "col": 1 + i % columns}
        figure.update_xaxes(visible=False, **place)
        figure.update_yaxes(visible=False, **place)
    return figure, places, inner + gap + TOP_WITH_LEGEND


def _answers_line(
    entries: Sequence[Mapping[str, float]], label: str, style: Mapping[str, Any], **more: Any
) -> go.Scatter:
    """An accuracy, or what an answer adds to it, against the number of answers."""
    return go.Scatter(
        x=[entry["k"] for entry in entries],
        y=[entry["value"] for entry in entries],
        error_y=_error_bars(entries),
        mode="lines+markers",
        marker={"size": 9, **style},
        line={"color": style["color"], "width": 2},
        name=escape(label),
        legendgroup=label,
        customdata=[[entry["low"], entry["high"]] for entry in entries],
        hovertemplate=escape(label) + "<br>k = %{x}: <b>%{y:.1%}</b> "
        "[%{customdata[0]:.1%}, %{customdata[1]:.1%}]<extra></extra>",
        **more,
    )


def _label_frequency_line(entries: Sequence[Mapping[str, float]], **more: Any) -> go.Scatter:
    """Accuracy of the label-frequency baseline against the number of answers."""
    return go.Scatter(
        x=[entry["k"] for entry in entries],
        y=[entry["value"] for entry in entries],
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


def top_k_accuracy(experiments: Sequence[Experiment]) -> go.Figure:
    """A_1 ... A_6 and their first differences for each split, with the baseline.

    After Fig. 2 of Liu et al. 2019.
    """
    answers = QUOTED_ANSWERS[-1]
    figure, grouped = _split_panels(experiments, 2, vertical_spacing=0.12, row_heights=[0.62, 0.38])
    styles = _styles(experiments)
    shown: set[str] = set()
    for col, members in enumerate(grouped.values(), start=1):
        for experiment in members:
            style = styles[experiment.label]
            for row, quantity in enumerate(("accuracy", "first_differences"), start=1):
                # A_1 is its own first difference and would dwarf the others.
                entries = experiment.test[quantity][row - 1 : answers]
                first_time = row == 1 and experiment.label not in shown
                line = _answers_line(entries, experiment.label, style, showlegend=first_time)
                figure.add_trace(line, row=row, col=col)
            shown.add(experiment.label)
        baseline = members[0].test["baseline"][:answers]
        figure.add_trace(_label_frequency_line(baseline, showlegend=col == 1), row=1, col=col)
    figure.update_xaxes(dtick=1)
    figure.update_xaxes(title_text="number of answers <i>k</i>", row=2)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title_text="<i>A<sub>k</sub></i>", row=1, col=1)
    figure.update_yaxes(
        title_text="<i>A<sub>k</sub></i> \u2212 <i>A</i><sub><i>k</i>\u22121</sub>", row=2, col=1
    )
    return _finish(figure, 640, top=TOP_WITH_LEGEND)


def top_n_accuracy(experiments: Sequence[Experiment]) -> go.Figure:
    """A_n for all n that were computed, on each split, with the baseline.

    After Fig. 5(a) of Vecsei et al. 2019, Phys. Rev. B 99, 245120.
    """
    figure, grouped = _split_panels(experiments, 1)
    styles = _styles(experiments)
    shown: set[str] = set()
    for col, members in enumerate(grouped.values(), start=1):
        for experiment in members:
            label = experiment.label
            line = _answers_line(
                experiment.test["accuracy"], label, styles[label], showlegend=label not in shown
            )
            figure.add_trace(line, row=1, col=col)
            shown.add(label)
        baseline = members[0].test["baseline"]
        figure.add_trace(_label_frequency_line(baseline, showlegend=col == 1), row=1, col=col)
    figure.update_xaxes(dtick=1, title_text="number of answers <i>n</i>")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title_text="<i>A<sub>n</sub></i>", row=1, col=1)
    return _finish(figure, 480, top=TOP_WITH_LEGEND)


def round_trips(
    trips: Sequence[tuple[Experiment, str, Mapping[str, Sequence[Mapping[str, float]]]]],
) -> go.Figure:
    """A_n of the same structures by their own descriptors and by rendered patterns of them.

    Parameters
    ----------
    trips
        Experiment, name of the set of patterns, and `round_trip` of its metrics; a panel each.
    """
    views = [experiment.on_measured(name) for experiment, name, _ in trips]
    figure, places, height = _experiment_panels(
        views, panel_height=240, gap=110, shared_xaxes="all", shared_yaxes="all"
    )
    lines = {"structure": "own descriptor", "pattern": "by pattern"}
    for (row, col, _), (_, _, trip) in zip(places, trips, strict=True):
        for style, (key, name) in enumerate(lines.items()):
            line = _answers_line(
                trip[key],
                name,
                {"color": SERIES_COLOURS[style], "symbol": SERIES_SYMBOLS[style]},
                showlegend=(row, col) == (1, 1),
            )
            figure.add_trace(line, row=row, col=col)
    figure.update_xaxes(dtick=1, title_text="number of answers <i>n</i>", showticklabels=True)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title_text="<i>A<sub>n</sub></i>", col=1)
    return _finish(figure, height, top=TOP_WITH_LEGEND)


def accuracy_by_split(experiments: Sequence[Experiment]) -> go.Figure:
    """The quoted accuracies on the splits side by side, with intervals and baseline."""
    splits = list(by_split(experiments))
    last = min(experiment.metrics["settings"]["top_k"] for experiment in experiments)
    ks = sorted({min(k, last) for k in QUOTED_ANSWERS})
    figure = make_subplots(
        rows=1,
        cols=len(ks),
        shared_yaxes=True,
        horizontal_spacing=0.06,
        subplot_titles=[f"<i>A</i><sub>{k}</sub>" for k in ks],
    )
    styles = _styles(experiments)
    for col, k in enumerate(ks, start=1):
        for label, style in styles.items():
            own = [experiment for experiment in experiments if experiment.label == label]
            entries = [experiment.test["accuracy"][k - 1] for experiment in own]
            baseline = [experiment.test["baseline"][k - 1] for experiment in own]
            x = [escape(experiment.split) for experiment in own]
            figure.add_scatter(
                x=x,
                y=[entry["value"] for entry in entries],
                error_y=_error_bars(entries),
                mode="markers",
                marker={"size": 11, **style},
                name=escape(label),
                legendgroup=label,
                offsetgroup=label,
                showlegend=col == 1,
                customdata=[
                    [entry["low"], entry["high"], experiment.test["n"]]
                    for entry, experiment in zip(entries, own, strict=True)
                ],
                hovertemplate=escape(label) + ", %{x}<br><b>%{y:.1%}</b> [%{customdata[0]:.1%}, "
                "%{customdata[1]:.1%}]<br>%{customdata[2]:,} test structures<extra></extra>",
                row=1,
                col=col,
            )
            figure.add_scatter(
                x=x,
                y=[entry["value"] for entry in baseline],
                error_y=_error_bars(baseline),
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
        categoryarray=[escape(split) for split in splits],
        range=[-0.5, len(splits) - 0.5],
        showgrid=False,
        title_text="split",
    )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title_text="test accuracy", row=1, col=1)
    return _finish(figure, 460, top=TOP_WITH_LEGEND)


def recall_by_space_group(experiments: Sequence[Experiment]) -> go.Figure:
    """Recall against the space-group number, one row an experiment.

    The marker's area follows the group's frequency in training, its colour the crystal system.
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
        scores = [entry for entry in experiment.test["per_class"] if entry["recall"] is not None]
        largest = max(entry["training_frequency"] for entry in scores)
        for system in CRYSTAL_SYSTEMS:
            own = [e for e in scores if crystal_system(e["space_group"]) == system]
            figure.add_scatter(
                x=[entry["space_group"] for entry in own],
                y=[entry["recall"] for entry in own],
                mode="markers",
                marker=_marker(
                    [system] * len(own),
                    size=[entry["training_frequency"] for entry in own],
                    sizemode="area",
                    sizeref=largest / 34**2,
                    sizemin=4,
                    opacity=0.85,
                ),
                customdata=[
                    [
                        label_plotly(entry["space_group"]),
                        entry["support"],
                        entry["training_count"],
                        entry["training_frequency"],
                        entry["precision"],
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
    return _finish(figure, 170 + 270 * len(experiments), top=TOP_WITH_LEGEND)


def _system_strips(
    systems: Sequence[str], *, panel: str = "", thickness: float = 0.012
) -> list[dict[str, Any]]:
    """Shapes of a confusion matrix: crystal systems along both axes, and the diagonal.

    Parameters
    ----------
    systems
        Crystal system of each row, rows of one system together.
    panel
        Suffix of the axes' names in Plotly: "" for the first panel, "2" for the second one.
    thickness
        Of the strips, as a fraction of the panel.
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


def confusion_matrices(experiments: Sequence[Experiment]) -> go.Figure:
    """Row-normalised confusion matrices, one at a time, chosen from a menu.

    Every cell is at least `CELL` pixels wide, so the figure is as wide as its classes need.
    """
    figure = go.Figure()
    buttons: list[dict[str, Any]] = []
    sizes = []
    for position, experiment in enumerate(experiments):
        classes = experiment.metrics["classes"]
        sizes.append(len(classes))
        labels = [label_plotly(number) for number in classes]
        counts = np.array(experiment.test["confusion"])
        support = counts.sum(axis=1, keepdims=True)
        share = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
        figure.add_heatmap(
            x=labels,
            y=labels,
            z=np.round(share, 4).tolist(),
            zmin=0,
            zmax=1,
            customdata=np.stack([counts, np.broadcast_to(support, counts.shape)], axis=-1).tolist(),
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
                "label": f"{escape(experiment.label)}, {escape(experiment.split)}",
                "method": "update",
                "args": [{"visible": visible}, layout],
            }
        )
    first = [label_plotly(number) for number in experiments[0].metrics["classes"]]
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
    return _finish(figure, CELL * max(sizes) + 270, top=TOP_WITH_LEGEND)


def crystal_system_confusion(experiments: Sequence[Experiment]) -> go.Figure:
    """Row-normalised confusion matrices of the crystal systems, a panel for each experiment."""
    figure, places, height = _experiment_panels(experiments, panel_height=270, gap=160)
    for panel, (row, col, experiment) in enumerate(places, start=1):
        scores = experiment.test["crystal_systems"]
        names = scores["names"]
        counts = np.array(scores["confusion"])
        support = counts.sum(axis=1, keepdims=True)
        share = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
        figure.add_heatmap(
            x=names,
            y=names,
            z=np.round(share, 4).tolist(),
            text=[[f"{100 * value:.0f}" if value >= 0.005 else "" for value in r] for r in share],
            texttemplate="%{text}",
            textfont={"size": 12},
            customdata=np.stack([counts, np.broadcast_to(support, counts.shape)], axis=-1).tolist(),
            coloraxis="coloraxis",
            xgap=0.6,
            ygap=0.6,
            hovertemplate="true %{y}<br>predicted %{x}<br><b>%{z:.1%}</b> (%{customdata[0]:,} of "
            "%{customdata[1]:,})<extra></extra>",
            row=row,
            col=col,
        )
        suffix = "" if panel == 1 else str(panel)
        for shape in _system_strips(names, panel=suffix, thickness=0.025):
            figure.add_shape(shape)
        axis = {"type": "category", "showgrid": False, "showline": False, "ticks": ""}
        edges = [-0.5, len(names) - 0.5]
        figure.update_xaxes(axis | {"range": edges, "tickangle": -45}, row=row, col=col)
        figure.update_yaxes(axis | {"range": edges[::-1]}, row=row, col=col)
        figure.update_yaxes(showticklabels=col == 1, row=row, col=col)
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
            "cmax": 1,
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
    return _finish(figure, height, top=TOP_WITH_LEGEND)


def certainty_histograms(experiments: Sequence[Experiment]) -> go.Figure:
    """Certainty of right and of wrong first answers, a panel for each experiment.

    After Fig. 5(b) and (c) of Vecsei et al. 2019, Phys. Rev. B 99, 245120.
    """
    figure, places, height = _experiment_panels(
        experiments, panel_height=210, gap=110, shared_xaxes="all", shared_yaxes="all"
    )
    for row, col, experiment in places:
        bins = experiment.test["calibration"]["bins"]
        heights = {
            "right": ([entry["right"] for entry in bins], SERIES_COLOURS[0]),
            "wrong": ([entry["count"] - entry["right"] for entry in bins], SERIES_COLOURS[1]),
        }
        for name, (counts, colour) in heights.items():
            figure.add_bar(
                x=[(entry["low"] + entry["high"]) / 2 for entry in bins],
                width=[entry["high"] - entry["low"] for entry in bins],
                y=counts,
                name=f"{name} first answers",
                legendgroup=name,
                showlegend=(row, col) == (1, 1),
                marker={"color": colour, "line": {"width": 0.6, "color": "white"}},
                customdata=[[entry["low"], entry["high"]] for entry in bins],
                hovertemplate="certainty %{customdata[0]:.0%} to %{customdata[1]:.0%}: %{y:,} "
                + name
                + "<extra></extra>",
                row=row,
                col=col,
            )
    largest = max(
        entry["count"]
        for experiment in experiments
        for entry in experiment.test["calibration"]["bins"]
    )
    figure.update_layout(barmode="stack", bargap=0)
    figure.update_xaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], title_text="certainty"
    )
    figure.update_xaxes(showticklabels=True)
    figure.update_yaxes(tickformat=",", range=[0, 1.05 * largest])
    figure.update_yaxes(title_text="structures or patterns", col=1)
    return _finish(figure, height, top=TOP_WITH_LEGEND)


def certainty_thresholds(experiments: Sequence[Experiment]) -> go.Figure:
    """Accuracy of the classified and share of the unclassified structures against the threshold.

    One panel for each experiment; the threshold that leaves half of the structures unclassified is
    marked. After Fig. 5(d) and (e) of Vecsei et al. 2019, Phys. Rev. B 99, 245120.
    """
    figure, places, height = _experiment_panels(
        experiments, panel_height=210, gap=110, shared_xaxes="all", shared_yaxes="all"
    )
    lines = {
        "accuracy": ("accuracy of the classified", SERIES_COLOURS[0], "solid"),
        "unclassified": ("share left unclassified", SERIES_COLOURS[1], "dash"),
    }
    for row, col, experiment in places:
        once = {"showlegend": (row, col) == (1, 1), "row": row, "col": col}
        curve = experiment.test["certainty"]["curve"]
        half = experiment.test["certainty"]["half_unclassified"]
        for key, (name, colour, dash) in lines.items():
            figure.add_scatter(
                x=curve["threshold"],
                y=curve[key],
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                name=name,
                legendgroup=key,
                hovertemplate="threshold %{x:.0%}: " + name + " %{y:.1%}<extra></extra>",
                **once,
            )
        figure.add_scatter(
            x=[half["threshold"]] * 2,
            y=[0, 1],
            mode="lines",
            line={"color": BASELINE, "dash": "dot", "width": 1.4},
            name="half unclassified",
            legendgroup="half",
            hoverinfo="skip",
            **once,
        )
        figure.add_scatter(
            x=[half["threshold"]],
            y=[half["accuracy"]["value"]],
            error_y=_error_bars([half["accuracy"]]),
            mode="markers+text",
            marker={"color": SERIES_COLOURS[0], "size": 9},
            text=[f"{half['accuracy']['value']:.0%} "],
            textposition="top left",
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
    return _finish(figure, height, top=TOP_WITH_LEGEND)


def reliability(experiments: Sequence[Experiment]) -> go.Figure:
    """Accuracy against confidence for each split, and how often each confidence occurs."""
    figure, grouped = _split_panels(
        experiments, 2, vertical_spacing=0.1, row_heights=[0.7, 0.3], shared_xaxes="columns"
    )
    styles = _styles(experiments)
    shown: set[str] = set()
    largest = max(
        entry["count"] / experiment.test["n"]
        for experiment in experiments
        for entry in experiment.test["calibration"]["bins"]
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
            bins = experiment.test["calibration"]["bins"]
            filled = [entry for entry in bins if entry["count"]]
            figure.add_scatter(
                x=[entry["confidence"] for entry in filled],
                y=[entry["accuracy"] for entry in filled],
                mode="lines+markers",
                marker={"size": 9, **style},
                line={"color": style["color"], "width": 1.8},
                name=escape(experiment.label),
                legendgroup=experiment.label,
                showlegend=experiment.label not in shown,
                customdata=[entry["count"] for entry in filled],
                hovertemplate=escape(experiment.label) + "<br>confidence %{x:.1%}, accuracy "
                "%{y:.1%}<br>%{customdata:,} structures<extra></extra>",
                row=1,
                col=col,
            )
            figure.add_scatter(
                x=[(entry["low"] + entry["high"]) / 2 for entry in bins],
                y=[entry["count"] / experiment.test["n"] for entry in bins],
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
    return _finish(figure, 600, top=TOP_WITH_LEGEND)


def crystal_system_accuracy(experiments: Sequence[Experiment]) -> go.Figure:
    """Space-group accuracy within each crystal system, one panel a split."""
    figure, grouped = _split_panels(experiments, 1)
    styles = _styles(experiments)
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
            scores = experiment.test["crystal_systems"]["systems"]
            systems = [entry["crystal_system"] for entry in scores]
            figure.add_scatter(
                x=systems,
                y=[entry["space_group_accuracy"] for entry in scores],
                mode="markers",
                marker=_marker(systems, size=12, symbol=styles[experiment.label]["symbol"]),
                offsetgroup=experiment.label,
                showlegend=False,
                customdata=[
                    [entry["support"], entry["crystal_system_accuracy"]] for entry in scores
                ],
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
    return _finish(figure, 440, top=TOP_WITH_LEGEND)


def error_distances(experiments: Sequence[Experiment]) -> go.Figure:
    """Distance between wrong answer and truth in the graph of maximal subgroups.

    The last bar of each distance is the label-frequency baseline. Chance would give a model that
    always answers the same group just what it has, so its mark lies on its bar.
    """
    figure, grouped = _split_panels(experiments, 1)
    hatched = {
        "color": "white",
        "line": {"color": BASELINE, "width": 1.2},
        "pattern": {"shape": "/", "size": 6, "fgcolor": BASELINE},
    }
    baseline = "label frequency"
    markers = {
        label: {"color": style["color"]} for label, style in _styles(experiments).items()
    } | {baseline: hatched}
    shown: set[str] = set()
    for col, members in enumerate(grouped.values(), start=1):
        shares = {
            experiment.label: (experiment.test["error_distances"], "share", "expected")
            for experiment in members
        } | {baseline: (members[0].test["error_distances"], "baseline", "baseline")}
        for label, (entries, observed, expected) in shares.items():
            name = escape(label)
            steps = [entry["distance"] for entry in entries]
            figure.add_bar(
                x=steps,
                y=[entry[observed] for entry in entries],
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
                y=[entry[expected] for entry in entries],
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
    figure.update_yaxes(title_text="share of wrong answers", row=1, col=1)
    return _finish(figure, 420, top=TOP_WITH_LEGEND)


def cell_distributions(volumes: NDArray[np.float64], densities: NDArray[np.float64]) -> go.Figure:
    """Distributions of the primitive volume and of the number density with their normal fits.

    After Fig. 1 of Ozaki et al. 2025, J. Appl. Cryst. 58.

    Parameters
    ----------
    volumes
        Of the primitive cells, A^3, shape (n,).
    densities
        Atoms per A^3, shape (n,).
    """
    quantities = {
        "<i>U</i> = ln(<i>V</i> / \u00c5\u00b3)": ("U", normal_histogram(np.log(volumes))),
        "<i>\u03b7</i> = ln(<i>n</i> \u00c5\u00b3 / <i>V</i>)": (
            "\u03b7",
            normal_histogram(np.log(densities)),
        ),
    }
    figure = make_subplots(
        rows=1,
        cols=2,
        horizontal_spacing=0.1,
        subplot_titles=[
            f"mean {histogram.mean:.2f}, ".replace("-", "\u2212")
            + f"standard deviation {histogram.standard_deviation:.2f}"
            for _, histogram in quantities.values()
        ],
    )
    for col, (title, (symbol, histogram)) in enumerate(quantities.items(), start=1):
        _add_histogram(
            figure,
            histogram.edges,
            histogram.counts,
            {"normal distribution": (histogram.expected, SERIES_COLOURS[1], "solid")},
            symbol,
            row=1,
            col=col,
        )
        figure.update_xaxes(title_text=title, row=1, col=col)
    figure.update_layout(bargap=0)
    figure.update_yaxes(tickformat=",", rangemode="tozero")
    figure.update_yaxes(title_text="structures", col=1)
    return _finish(figure, 430, top=TOP_WITH_LEGEND)


def volume_errors(experiments: Sequence[Experiment]) -> go.Figure:
    """Errors of the standardised ln V with a Cauchy and a normal fit, a panel an experiment.

    After Fig. 3 of Ozaki et al. 2025, J. Appl. Cryst. 58.
    """
    figure, places, height = _experiment_panels(experiments, panel_height=280, gap=130)
    for row, col, experiment in places:
        errors = experiment.test["volume"]["standardised_error"]
        fits = {
            "Cauchy distribution": (expected_counts(errors, "cauchy"), SERIES_COLOURS[1], "solid"),
            "normal distribution": (expected_counts(errors, "normal"), BASELINE, "dash"),
        }
        _add_histogram(
            figure,
            np.array(errors["edges"]),
            np.array(errors["counts"]),
            fits,
            "error",
            row=row,
            col=col,
        )
    figure.update_layout(bargap=0)
    figure.update_xaxes(
        title_text="ln(<i>V</i>\u2032 / <i>V</i>) / <i>\u03c3<sub>U</sub></i>", tickformat="~g"
    )
    figure.update_yaxes(tickformat=",", rangemode="tozero")
    figure.update_yaxes(title_text="test structures", col=1)
    return _finish(figure, height, top=TOP_WITH_LEGEND)


def _add_histogram(
    figure: go.Figure,
    edges: NDArray[np.float64],
    counts: NDArray[np.integer],
    fits: Mapping[str, tuple[NDArray[np.float64], str, str]],
    symbol: str,
    *,
    row: int,
    col: int,
) -> None:
    """Add the bars of a histogram, and what fitted distributions have in its bins as lines.

    Parameters
    ----------
    figure
        Changed in place; its first panel makes the legend.
    edges, counts
        Shape (m + 1,) and (m,).
    fits
        Counts of shape (m,), colour and dash by the name of the distribution.
    symbol
        Name of the quantity in hover labels.
    row, col
        The panel.
    """
    place = {"row": row, "col": col}
    centres = np.round((edges[1:] + edges[:-1]) / 2.0, 5).tolist()
    figure.add_bar(
        x=centres,
        y=counts.tolist(),
        width=float(edges[1] - edges[0]),
        name="structures",
        legendgroup="structures",
        showlegend=row == col == 1,
        marker={"color": SERIES_COLOURS[0], "line": {"width": 0.6, "color": "white"}},
        hovertemplate=symbol + " %{x:.3f}: %{y:,} structures<extra></extra>",
        **place,
    )
    for name, (expected, colour, dash) in fits.items():
        figure.add_scatter(
            x=centres,
            y=np.round(expected, 2).tolist(),
            mode="lines",
            line={"color": colour, "width": 2.2, "dash": dash},
            name=name,
            legendgroup=name,
            showlegend=row == col == 1,
            hovertemplate=name + "<br>" + symbol + " %{x:.3f}: %{y:.1f}<extra></extra>",
            **place,
        )
