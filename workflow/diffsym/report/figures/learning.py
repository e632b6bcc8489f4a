"""Figure of the learning curves: accuracy and cost against the epoch."""

from collections.abc import Iterator, Sequence
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diffsym.report.figures.style import SERIES_COLOURS, TOP_WITH_LEGEND, finish
from diffsym.report.results import Experiment

CURVE_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def learning_curves(experiments: Sequence[Experiment]) -> go.Figure:
    """Accuracy and cost against the epoch, one row per experiment, one line per member."""
    figure = make_subplots(
        rows=len(experiments),
        cols=2,
        subplot_titles=[
            f"{escape(e.label)}<br>{escape(e.task.words())}: {what}"
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
    return finish(figure, 150 + 270 * len(experiments), top=TOP_WITH_LEGEND)


def _curves(
    experiment: Experiment,
) -> Iterator[tuple[str, int, int, Sequence[int], Sequence[float]]]:
    """Name, member, column, epochs and values of each learning curve of an experiment.

    The first column shows the accuracy, the second the cost.
    """
    for member, history in enumerate(experiment.histories, start=1):
        for name, prefix in (("training", ""), ("validation", "val_")):
            for col, quantity in enumerate(("accuracy", "loss"), start=1):
                values = getattr(history, prefix + quantity)
                yield name, member, col, range(1, len(values) + 1), values
    for member, course in enumerate(experiment.courses, start=1):
        for name, values in course.accuracy.items():
            part = name if name == "test" else f"measured: {name}"
            yield part, member, 1, course.epochs, values
