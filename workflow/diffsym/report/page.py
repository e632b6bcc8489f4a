"""The report: one self-contained HTML page that shows all results."""

from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from diffsym.report.colours import EDGE_COLOURS, SYSTEM_COLOURS
from diffsym.report.results import Results
from diffsym.report.sections import SECTIONS
from diffsym.report.sections.blocks import (
    FigureBlock,
    TableBlock,
    percent,
    percent_interval,
)
from diffsym.report.sections.data import stage_counts
from diffsym.report.typesetting import thousands

PLOT_OPTIONS = {
    # The page watches the widths itself: Plotly only listens to the window, and can keep a
    # transient width.
    "responsive": False,
    "displaylogo": False,
    # Plotly's button would send the figure to a server; this page contacts none.
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg"},
}


def plot_markup(figure: go.Figure, key: str) -> Markup:
    """Div and script of a figure; the page itself contains plotly.js once.

    Plotly escapes `<`, `>` and `/` inside the JSON, so no string can end the script element.
    """
    return Markup(  # noqa: S704 - Plotly's own output
        figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"plot-{key}",
            config=PLOT_OPTIONS,
            default_width="100%",
            default_height=f"{figure.layout.height}px",
        )
    )


def _environment() -> Environment:
    """Jinja environment that escapes every string except our own markup."""
    environment = Environment(
        loader=PackageLoader("diffsym.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "percent_interval": percent_interval,
        "thousands": thousands,
    }
    environment.globals["plot"] = plot_markup
    environment.tests |= {
        "figure": lambda block: isinstance(block, FigureBlock),
        "table": lambda block: isinstance(block, TableBlock),
    }
    return environment


def _overview(results: Results) -> dict[str, Any]:
    """Content of the summary at the top of the page."""
    labels = {experiment.name: experiment.label for experiment in results.experiments}
    shown = results.summary.shown
    counts = stage_counts(results)
    return {
        "entries": sum(next(iter(numbers.values())) for numbers in counts.values()),
        "sources": list(counts),
        "structures": len(results.structures),
        "structure_types": results.structures["structure_type"].nunique(),
        "classes": len(results.classes),
        "experiments": {name: results.summary.experiments[name] for name in labels},
        "comparable": shown,
        "splits": len({group.split for group in shown}),
        "labels": labels,
    }


def render(results: Results) -> str:
    """Render the page.

    Parameters
    ----------
    results
        The results of the study.

    Returns
    -------
    str
        Self-contained HTML with the style sheet, plotly.js and all data.
    """
    built = [section for build in SECTIONS if (section := build(results)) is not None]
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=results.study.report.title,
            overview=_overview(results),
            sections=built,
            plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - the library itself
            system_colours={
                system: (colour, EDGE_COLOURS[system]) for system, colour in SYSTEM_COLOURS.items()
            },
        )
    )
