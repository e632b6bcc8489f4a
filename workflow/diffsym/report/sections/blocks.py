"""Building blocks of a section: figures, tables and texts, and the formatting of numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup

from diffsym.evaluation.scores import Interval, Mean
from diffsym.report.typesetting import NARROW_SPACE, symbol_html
from diffsym.structures.space_groups import crystal_system

Cell = str | Markup
EXAMPLES = 15
"""Rows of a table of examples."""


@dataclass(frozen=True)
class FigureBlock:
    """A figure with its caption.

    Attributes
    ----------
    key
        Identifier in the page.
    figure
        The picture.
    caption
        What it shows and how it was made.
    min_width
        Pixels below which the figure scrolls instead of shrinking.
    half
        Whether two such figures may be placed side by side.
    """

    key: str
    figure: go.Figure
    caption: Cell
    min_width: int = 0
    half: bool = False


@dataclass(frozen=True)
class TableBlock:
    """A table with its caption; `numeric` columns are aligned to the right."""

    columns: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    caption: Cell
    numeric: Sequence[int] = ()
    title: Cell = ""
    collapsed: bool = False


@dataclass(frozen=True)
class TextBlock:
    """Preformatted text under a heading that unfolds."""

    title: str
    text: str


Block = FigureBlock | TableBlock | TextBlock


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Attributes
    ----------
    key
        Anchor in the page.
    label
        Short name for the navigation.
    title, lead
        Heading, and the sentence below it.
    blocks
        Figures, tables and texts, from top to bottom.
    """

    key: str
    label: str
    title: str
    lead: Cell
    blocks: Sequence[Block]


def percent(value: float) -> str:
    """A share as "52.1 %"."""
    return f"{100 * value:.1f}{NARROW_SPACE}%"


def percent_interval(entry: Interval) -> str:
    """An accuracy with its interval, "52.1 % [50.2, 54.0]"."""
    return f"{percent(entry.value)} [{100 * entry.low:.1f}, {100 * entry.high:.1f}]"


def points_interval(entry: Interval) -> str:
    """A difference of accuracies in percentage points with its interval, "+2.1 [−0.2, +4.0]"."""
    value, low, high = (f"{100 * bound:+.1f}" for bound in (entry.value, entry.low, entry.high))
    return minus(f"{value} [{low}, {high}]")


def with_half_width(entry: Mean, *, sign: str = "") -> str:
    """A mean over test sets in percent, with two digits of its half width, "72.1 ± 1.2".

    `sign` is "+" for differences.
    """
    value, half_width = 100 * entry.value, entry.half_width
    if half_width is None:
        return minus(f"{value:{sign}.1f}")
    digits = 1 if half_width == 0 else 1 - math.floor(math.log10(100 * half_width))
    digits = min(max(digits, 0), 2)
    return minus(f"{value:{sign}.{digits}f} ± {100 * half_width:.{digits}f}")


def minus(text: str) -> str:
    """A number with a minus sign instead of a hyphen."""
    return text.replace("-", "\u2212")


def group_cell(space_group: int) -> Markup:
    """Symbol and number of a space group, after a dot in the colour of its crystal system."""
    system = crystal_system(space_group)
    return Markup(
        '<span class="dot {}" title="{}"></span>{} <span class="number">{}</span>'
    ).format(system, system, symbol_html(space_group), space_group)


def text_or_empty(value: Any) -> str:
    """A string from a table; empty if missing."""
    return "" if pd.isna(value) else str(value)
