"""Common style of all figures: colours, template, legends and panels.

The colours of the crystal systems are Okabe & Ito's, safe for the colour-blind; experiments
and other series have other hues.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.express as px
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from diffsym.evaluation.scores import Interval
from diffsym.report.colours import EDGE_COLOURS, SYSTEM_COLOURS
from diffsym.report.typesetting import NARROW_SPACE
from diffsym.report.views import Task, V, View, by_task
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS

SERIES_COLOURS = ("#332288", "#CC3377", "#7A4A12", "#9A7FD1", "#37474F", "#E39AC0", "#6B6B00")
"""For experiments and other series: no hue is used for a crystal system."""
SERIES_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon")
INK = "#1F2933"
NEUTRAL = "#5B6B7B"
GRID = "#E3E8ED"
SEPARATORS = f".{NARROW_SPACE}"
"""Decimal and thousands separators."""
BASELINE = "#222222"

TOP_WITHOUT_LEGEND = 32
TOP_WITH_LEGEND = 120
"""Pixels above a plot; a legend may take two rows, and titles may have two lines."""
LEGEND_ROW = 32
LEGEND_SYMBOL = 45
LEGEND_CHARACTER = 6.6
NARROW_PLOT = 600
TITLE_ROW = 24
"""Pixels: legend row, symbol of an entry, character, width left for a legend on a page of 800
pixels, and second line of a title below the legend."""
TASK_WIDTH = 190
"""Minimum width of a panel with its own axes, pixels; below it, neighbouring labels touch."""

PANEL_COLUMNS = 3
PANELS_WIDTH = 900
"""Panels per row with one panel per experiment, and the pixels they need side by side."""

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


def finish(figure: go.Figure, height: int, *, top: int = TOP_WITHOUT_LEGEND) -> go.Figure:
    """Apply the common look; the width follows the page.

    Parameters
    ----------
    figure
        Changed in place and returned.
    height
        Height of the whole figure, pixels.
    top
        Pixels above the plot. The first row is for Plotly's buttons, the next for the legend, so
        that they never overlap each other or the data. A legend that needs more than two rows on a
        narrow page makes the figure taller; the page removes what the legend does not need at its
        actual width, using `layout.meta`.
    """
    if top == TOP_WITH_LEGEND:
        more = LEGEND_ROW * max(_legend_rows(figure) - 2, 0)
        height, top = height + more, top + more
        figure.update_layout(
            meta={
                "height": height,
                "top": top,
                "spare": more,
                "legend_row": LEGEND_ROW,
                "above_legend": TOP_WITHOUT_LEGEND,
                "below_legend": TITLE_ROW,
            }
        )
    figure.update_layout(template=TEMPLATE, height=height, autosize=True, separators=SEPARATORS)
    figure.update_layout(margin_t=top, legend_y=1 - TOP_WITHOUT_LEGEND / height)
    return figure.update_annotations(font_size=15)


def _legend_rows(figure: go.Figure) -> int:
    """Rows of the legend on a narrow page, if all entries were as wide as the widest."""
    names = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    widest = LEGEND_SYMBOL + LEGEND_CHARACTER * max(map(len, names), default=0)
    return -(-len(names) // max(int(NARROW_PLOT / widest), 1))


def png_source(picture: NDArray[np.uint8]) -> str:
    """A picture, grey (rows, columns) or coloured (rows, columns, 3), as a PNG inside the page."""
    encoded = px.imshow(
        np.ascontiguousarray(picture),
        binary_string=True,
        binary_backend="pypng",
        binary_compression_level=9,
        contrast_rescaling="infer",
    )
    return encoded.data[0].source


def error_bars(entries: Sequence[Interval]) -> dict[str, Any]:
    """Asymmetric error bars of numbers with intervals."""
    return {
        "type": "data",
        "array": [entry.high - entry.value for entry in entries],
        "arrayminus": [entry.value - entry.low for entry in entries],
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


def system_marker(systems: Sequence[str], **more: Any) -> dict[str, Any]:
    """Marker settings in the colours of the crystal systems, the yellow one with a dark edge."""
    return {
        "color": [SYSTEM_COLOURS[system] for system in systems],
        "line": {"width": 1.2, "color": [EDGE_COLOURS[system] for system in systems]},
        **more,
    }


def experiment_styles(experiments: Sequence[View]) -> dict[str, dict[str, Any]]:
    """Colour and marker of each experiment label, the same in every panel.

    When the colours are used up, they repeat with other markers.
    """
    labels = list(dict.fromkeys(experiment.label for experiment in experiments))
    return {
        label: {
            "color": SERIES_COLOURS[i % len(SERIES_COLOURS)],
            "symbol": SERIES_SYMBOLS[(i + i // len(SERIES_COLOURS)) % len(SERIES_SYMBOLS)],
        }
        for i, label in enumerate(labels)
    }


def least_width(experiments: Sequence[View]) -> int:
    """Pixels needed by panels with one column per task."""
    return TASK_WIDTH * len(by_task(experiments))


def task_panels(
    experiments: Sequence[V], rows: int, **more: Any
) -> tuple[go.Figure, dict[Task, list[V]]]:
    """Panels with one column per task."""
    grouped = by_task(experiments)
    figure = make_subplots(
        rows=rows,
        cols=len(grouped),
        column_titles=["<br>".join(map(escape, filter(None, task))) for task in grouped],
        shared_yaxes="rows",
        horizontal_spacing=0.04,
        **more,
    )
    return figure, grouped


def experiment_panels(
    experiments: Sequence[V], *, panel_height: int, gap: int, **more: Any
) -> tuple[go.Figure, list[tuple[int, int, V]], int]:
    """One panel per experiment, at most `PANEL_COLUMNS` in a row.

    Parameters
    ----------
    experiments
        In the order of the panels.
    panel_height, gap
        Height of a panel, and of the space for titles and labels between two rows, pixels.
    more
        Passed to `make_subplots`.

    Returns
    -------
    figure
        Empty except for the panel titles.
    places
        Row, column and experiment of each panel.
    height
        Height that the whole figure needs, pixels.
    """
    titles = [f"{escape(e.label)}<br>{escape(e.task.words())}" for e in experiments]
    figure, places, height = panels(titles, panel_height=panel_height, gap=gap, **more)
    return figure, [(*place, e) for place, e in zip(places, experiments, strict=True)], height


def panels(
    titles: Sequence[str],
    *,
    panel_height: int,
    gap: int,
    columns: int = PANEL_COLUMNS,
    horizontal_spacing: float = 0.05,
    **more: Any,
) -> tuple[go.Figure, list[tuple[int, int]], int]:
    """One panel per title, at most `columns` in a row.

    Parameters
    ----------
    titles
        In Plotly's HTML, in the order of the panels.
    panel_height, gap
        Height of a panel, and of the space for titles and labels between two rows, pixels.
    columns
        Panels per row.
    horizontal_spacing
        Between two panels, as a share of the width.
    more
        Passed to `make_subplots`.

    Returns
    -------
    figure
        Empty except for the titles.
    places
        Row and column of each panel.
    height
        Height that the whole figure needs, pixels.
    """
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    inner = rows * panel_height + (rows - 1) * gap
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=titles,
        vertical_spacing=gap / inner,
        horizontal_spacing=horizontal_spacing,
        **more,
    )
    places = [(1 + i // columns, 1 + i % columns) for i in range(rows * columns)]
    # Panels without a title would be empty axes.
    for row, col in places[len(titles) :]:
        figure.update_xaxes(visible=False, row=row, col=col)
        figure.update_yaxes(visible=False, row=row, col=col)
    return figure, places[: len(titles)], inner + gap + TOP_WITH_LEGEND
