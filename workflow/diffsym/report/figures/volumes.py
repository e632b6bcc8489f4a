"""Figures of the volumes of primitive cells: their distribution, and the errors of predictions."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from diffsym.datasets.filters import normal_histogram
from diffsym.evaluation.volumes import expected_counts
from diffsym.report.figures.style import (
    BASELINE,
    SERIES_COLOURS,
    TOP_WITH_LEGEND,
    experiment_panels,
    finish,
)
from diffsym.report.views import View


def cell_distributions(volumes: NDArray[np.float64], densities: NDArray[np.float64]) -> go.Figure:
    """Distributions of the primitive volume and of the number density with their normal fits.

    After Fig. 1 of Ozaki et al. 2025, J. Appl. Cryst. 58.

    Parameters
    ----------
    volumes
        Volumes of the primitive cells, A^3, shape (n,).
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
    return finish(figure, 430, top=TOP_WITH_LEGEND)


def volume_errors(experiments: Sequence[View]) -> go.Figure:
    """Errors of the standardised ln V with a Cauchy and a normal fit, one panel per experiment.

    After Fig. 3 of Ozaki et al. 2025, J. Appl. Cryst. 58.
    """
    figure, places, height = experiment_panels(experiments, panel_height=280, gap=130)
    for row, col, experiment in places:
        assert experiment.part.volume is not None
        errors = experiment.part.volume.standardised_error
        fits = {
            "Cauchy distribution": (expected_counts(errors, "cauchy"), SERIES_COLOURS[1], "solid"),
            "normal distribution": (expected_counts(errors, "normal"), BASELINE, "dash"),
        }
        _add_histogram(
            figure,
            np.array(errors.edges),
            np.array(errors.counts),
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
    return finish(figure, height, top=TOP_WITH_LEGEND)


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
    """Add the bars of a histogram, and the expected counts of fitted distributions as lines.

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
