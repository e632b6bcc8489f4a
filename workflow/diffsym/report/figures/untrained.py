"""Figure of the accuracy on space groups that networks were not trained for."""

from collections.abc import Sequence

import plotly.graph_objects as go

from diffsym.evaluation.scores import Recognition
from diffsym.report.figures.accuracy import answers_line, label_frequency_line
from diffsym.report.figures.style import (
    SERIES_COLOURS,
    SERIES_SYMBOLS,
    TOP_WITH_LEGEND,
    experiment_panels,
    finish,
)
from diffsym.report.views import View

LINES = {
    ("features", "mean"): "features, mean",
    ("features", "nearest"): "features, nearest",
    ("images", "mean"): "images, mean",
    ("images", "nearest"): "images, nearest",
}
"""Legend names of what is compared and how."""


def untrained_top_k(experiments: Sequence[View], recognitions: Sequence[Recognition]) -> go.Figure:
    """A_k of untrained groups from features and from images, one panel per experiment.

    After Fig. 3f of Tiong et al. 2020.

    Parameters
    ----------
    experiments
        In the order of the panels.
    recognitions
        Scores of each of them.
    """
    figure, places, height = experiment_panels(experiments, panel_height=300, gap=120)
    for (row, col, _), recognition in zip(places, recognitions, strict=True):
        first = row == col == 1
        for style, ((what, reading), name) in enumerate(LINES.items()):
            line = answers_line(
                getattr(getattr(recognition.accuracy, what), reading),
                name,
                {"color": SERIES_COLOURS[style], "symbol": SERIES_SYMBOLS[style]},
                showlegend=first,
            )
            figure.add_trace(line, row=row, col=col)
        baseline = label_frequency_line(recognition.baseline, showlegend=first)
        figure.add_trace(baseline, row=row, col=col)
    figure.update_xaxes(dtick=1, title_text="number of predictions <i>k</i>")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title_text="<i>A<sub>k</sub></i>", col=1)
    return finish(figure, height, top=TOP_WITH_LEGEND)
