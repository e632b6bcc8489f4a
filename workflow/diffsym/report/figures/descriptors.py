"""Figures of one structure's descriptors, as networks see them."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from diffsym.report.figures.style import SERIES_COLOURS, finish


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
    return finish(figure, 560)


def quadratic_map(r: NDArray[np.float64], X: NDArray[np.float64]) -> go.Figure:
    """The quadratic form X_i X_j as a map over (r_i, r_j); only the upper triangle is used."""
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
    return finish(figure, 560)


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
    return finish(figure, 420)


def ideal_example(d_star: NDArray[np.float64], intensity: NDArray[np.floating]) -> go.Figure:
    """A profile of lines without width, one stick per non-empty bin.

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
    return finish(figure, 420)
