"""Figure of the feature maps of a network block."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from diffsym.report.figures.style import finish, png_source

TILE = 112
"""Pixels of the side of an image on a wide page."""
FILLED = 0.96
"""Share of its tile that an image fills along each side."""
TOP, BOTTOM = 60, 20
"""Pixels above and below the images; the channel numbers are above."""


def feature_maps(
    names: Sequence[str],
    images: NDArray[np.uint8],
    maps: NDArray[np.uint8],
    channels: NDArray[np.integer],
) -> go.Figure:
    """Image and feature maps of several structures, one row each.

    After Fig. 6 of Tiong et al. 2020.

    Parameters
    ----------
    names
        Names of the structures, in Plotly's HTML, length n.
    images
        Input images of the network, (n, height, width).
    maps
        (n, m, rows, columns).
    channels
        Channel number of each map, (m,).
    """
    headings = ["image", *(str(channel) for channel in channels)]
    figure = go.Figure(
        [
            _tile(picture, row, column, f"{name}<br>{heading}")
            for row, (name, image, of_one) in enumerate(zip(names, images, maps, strict=True))
            for column, (heading, picture) in enumerate(
                zip(headings, [image, *of_one], strict=True)
            )
        ]
    )
    axis = {"showgrid": False, "showline": False, "ticks": "", "constrain": "domain"}
    figure.update_xaxes(
        range=[0, len(headings)],
        side="top",
        tickvals=[column + FILLED / 2 for column in range(len(headings))],
        ticktext=headings,
        **axis,
    )
    figure.update_yaxes(
        range=[len(names), 0],
        scaleanchor="x",
        constraintoward="top",
        tickvals=[row + FILLED / 2 for row in range(len(names))],
        ticktext=list(names),
        **axis,
    )
    figure.update_layout(margin_b=BOTTOM)
    return finish(figure, TILE * len(names) + TOP + BOTTOM, top=TOP)


def _tile(picture: NDArray[np.uint8], row: int, column: int, text: str) -> go.Image:
    """A grey picture in its place; its first row is at the bottom."""
    height, width = picture.shape
    step_x, step_y = FILLED / width, FILLED / height
    return go.Image(
        source=png_source(picture[::-1]),
        x0=column + step_x / 2,
        dx=step_x,
        y0=row + step_y / 2,
        dy=step_y,
        zsmooth="fast",
        hovertemplate=f"{text}<extra></extra>",
    )
