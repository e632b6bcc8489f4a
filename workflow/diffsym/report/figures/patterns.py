"""Gallery of electron-diffraction patterns: raw images, spot and shaped patterns of structures."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from diffsym.report.figures.style import TOP_WITHOUT_LEGEND, finish, png_source

PANEL = 225
"""Pixels of the side of a pattern on a wide page."""
GAP = 56
"""Pixels between two rows, for the structure's name and the axis labels."""
TOP = TOP_WITHOUT_LEGEND + 64
"""Pixels above the first row, for Plotly's buttons and the names of columns and row."""
BOTTOM = 60


def pattern_gallery(
    names: Sequence[str],
    beams: Sequence[str],
    q: NDArray[np.float64],
    spot: NDArray[np.uint8],
    shaped: NDArray[np.uint8],
) -> go.Figure:
    """Patterns of several structures, one row each.

    The raw images are the channels of the spot pattern, in grey.

    Parameters
    ----------
    names
        Names of the structures, in Plotly's HTML, length n.
    beams
        Names of the three beam directions.
    q
        Positions of the pixels along an axis of the detector, 1/A, shape (p,).
    spot, shaped
        Patterns, shape (n, p, p, 3).
    """
    columns = [*(f"beam along {axis}" for axis in beams), "spot pattern", "shaped pattern"]
    inner = len(names) * PANEL + (len(names) - 1) * GAP
    figure = make_subplots(
        rows=len(names),
        cols=len(columns),
        horizontal_spacing=0.012,
        vertical_spacing=GAP / inner,
    )
    for row, name in enumerate(names, start=1):
        pictures = [*np.moveaxis(spot[row - 1], -1, 0), spot[row - 1], shaped[row - 1]]
        for col, (title, picture) in enumerate(zip(columns, pictures, strict=True), start=1):
            figure.add_trace(_image(picture, q), row=row, col=col)
            if row == 1:
                _add_heading(figure, title, row, col, x=0.5, yshift=30)
        _add_heading(figure, f"<b>{name}</b>", row, 1, x=0.0, yshift=2)
    half_pixel = (q[1] - q[0]) / 2
    edges = [float(q[0] - half_pixel), float(q[-1] + half_pixel)]
    axis = {
        "showgrid": False,
        "showticklabels": False,
        "constrain": "domain",
        # No ticks at the edges, where labels of two panels would touch.
        "tickvals": [edges[0] / 2, 0.0, edges[1] / 2],
    }
    figure.update_xaxes(range=edges, **axis)
    # Patterns shrink side by side on a narrow page; their rows stay below their names.
    figure.update_yaxes(range=edges, constraintoward="top", **axis)
    figure.update_xaxes(
        title_text="<i>q<sub>v</sub></i> / Å<sup>−1</sup>", showticklabels=True, row=len(names)
    )
    figure.update_yaxes(
        title_text="<i>q<sub>u</sub></i> / Å<sup>−1</sup>", showticklabels=True, col=1
    )
    figure.update_layout(margin_b=BOTTOM)
    return finish(figure, inner + TOP + BOTTOM, top=TOP)


def _image(picture: NDArray[np.uint8], q: NDArray[np.float64]) -> go.Image:
    """A picture, grey or coloured, as a PNG inside the page; rows run along u, columns along v."""
    step = float(q[1] - q[0])
    return go.Image(
        source=png_source(picture),
        x0=float(q[0]),
        dx=step,
        y0=float(q[0]),
        dy=step,
        hovertemplate="<i>q<sub>v</sub></i> = %{x:.2f} Å<sup>−1</sup><br>"
        "<i>q<sub>u</sub></i> = %{y:.2f} Å<sup>−1</sup><extra></extra>",
    )


def _add_heading(
    figure: go.Figure, text: str, row: int, col: int, *, x: float, yshift: int
) -> None:
    """Text above a panel, wherever its upper edge is."""
    panel = figure.get_subplot(row, col)
    axes = (panel.xaxis.plotly_name, panel.yaxis.plotly_name)
    figure.add_annotation(
        text=text,
        xref=f"{axes[0].replace('axis', '')} domain",
        yref=f"{axes[1].replace('axis', '')} domain",
        x=x,
        y=1.0,
        xanchor="left" if x == 0.0 else "center",
        yanchor="bottom",
        yshift=yshift,
        showarrow=False,
    )
