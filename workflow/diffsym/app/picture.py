"""Pictures of a pattern before and after its preparation, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from diffsym.identification.preparation import Stages
from diffsym.identification.search import compared
from diffsym.report.colours import EDGE_COLOURS
from diffsym.scattering.types import Floats
from diffsym.structures.space_groups import crystal_system

WIDTH, LEFT, RIGHT = 960, 64, 16
PANEL, GAP, TICKS, FOOT = 190, 26, 22, 44
"""Heights of a panel, of the space above it, of a row of lines and of the axis, pixels."""
POINTS = 1600
"""Of a curve at most: more than the screen shows."""


@dataclass(frozen=True)
class Overlay:
    """Lines of a structure below the curve.

    Attributes
    ----------
    label
        What stands beside them.
    space_group
        Number; its crystal system chooses the colour.
    two_theta : (n,)
        Degrees.
    """

    label: str
    space_group: int
    two_theta: Floats


def picture(stages: Stages, overlays: Sequence[Overlay]) -> str:
    """Measured pattern with its background above, what is compared and lines of structures below.

    Parameters
    ----------
    stages
        From `diffsym.identification.preparation.prepared_stages`.
    overlays
        One row of lines each.

    Returns
    -------
    str
        An element of SVG, whose texts are escaped.
    """
    low, high = float(stages.angles[0]), float(stages.angles[-1])
    top, middle = GAP, 2 * GAP + PANEL
    rows = middle + PANEL + 6
    axis = rows + TICKS * len(overlays) + 4
    scale = (WIDTH - LEFT - RIGHT) / (high - low)

    def across(angles: Floats) -> Floats:
        return LEFT + (angles - low) * scale

    after = compared(stages.heights) if stages.heights.any() else stages.heights
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {axis + FOOT}" role="img" '
        'aria-label="The pattern before and after preparation">',
        _title(top, "Measured intensity, with the background that is taken off"),
        _panel(top),
        _curve(across(stages.angles), stages.measured, top, stages.measured, "measured"),
        _curve(across(stages.angles), stages.background, top, stages.measured, "background"),
        _scale(top, stages.measured),
        _title(middle, "What is compared: cube root of what exceeds background and noise"),
        _panel(middle),
        _curve(across(stages.angles), after, middle, np.array([0.0, 1.0]), "compared"),
        _scale(middle, np.array([0.0, 1.0])),
    ]
    for row, overlay in enumerate(overlays):
        inside = overlay.two_theta[(overlay.two_theta >= low) & (overlay.two_theta <= high)]
        colour = EDGE_COLOURS[crystal_system(overlay.space_group)]
        y = rows + TICKS * row
        marks = "".join(f"M{x:.1f} {y + 3}v12" for x in across(inside))
        parts += [
            f'<path d="{marks}" stroke="{colour}" stroke-width="1.5"/>',
            f'<text x="{LEFT - 6}" y="{y + 14}" text-anchor="end">{escape(overlay.label)}</text>',
        ]
    parts.append(_angles(axis, low, high, scale))
    return "\n".join([*parts, "</svg>"])


def _title(top: float, text: str) -> str:
    return f'<text x="{LEFT}" y="{top - 8}" class="title">{text}</text>'


def _panel(top: float) -> str:
    return (
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" '
        'fill="none" stroke="#999"/>'
    )


def _curve(x: Floats, values: Floats, top: float, span: Floats, kind: str) -> str:
    """A polyline; of each pixel's values the lowest and the highest remain."""
    x, values = thinned(x, values)
    low, high = float(span.min()), float(span.max())
    y = top + PANEL - (values - low) / ((high - low) or 1.0) * (PANEL - 4) - 2
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline class="{kind}" points="{points}"/>'


def thinned(x: Floats, values: Floats, points: int = POINTS) -> tuple[Floats, Floats]:
    """The lowest and the highest value of each of `points` / 2 pieces, in order.

    Examples
    --------
    >>> import numpy as np
    >>> thinned(np.arange(8.0), np.array([0, 5, 1, 2, 9, 3, 3, 3.0]), points=4)
    (array([0., 1., 4., 5.]), array([0., 5., 9., 3.]))
    """
    if len(values) <= points:
        return x, values
    pieces = np.array_split(np.arange(len(values)), points // 2)
    kept = sorted(
        {int(piece[choice(values[piece])]) for piece in pieces for choice in (np.argmin, np.argmax)}
    )
    return x[kept], values[kept]


def _scale(top: float, span: Floats) -> str:
    """Numbers at both ends of a vertical axis, and what it is."""
    middle = top + PANEL / 2
    return (
        f'<text x="{LEFT - 6}" y="{top + 12}" text-anchor="end">{_number(span.max())}</text>'
        f'<text x="{LEFT - 6}" y="{top + PANEL}" text-anchor="end">{_number(span.min())}</text>'
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">intensity'
        "</text>"
    )


def _number(value: float) -> str:
    """At most four figures, and groups of three digits before the point."""
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


def _angles(y: float, low: float, high: float, scale: float) -> str:
    """The horizontal axis."""
    step = next(s for s in (0.5, 1, 2, 5, 10, 20) if (high - low) / s <= 12)
    ticks = np.arange(np.ceil(low / step) * step, high + 1e-9, step)
    marks = "".join(
        f'<text x="{LEFT + (tick - low) * scale:.1f}" y="{y + 16}" text-anchor="middle">{tick:g}'
        f'</text><path d="M{LEFT + (tick - low) * scale:.1f} {y}v4" stroke="#666"/>'
        for tick in ticks
    )
    return (
        f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#666"/>{marks}'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{y + 36}" text-anchor="middle">'
        "2θ, degrees</text>"
    )
