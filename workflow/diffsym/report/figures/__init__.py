"""The report's figures: one function per figure, data in, `plotly.graph_objects.Figure` out.

Each module has the figures of one topic; `style` has what they share. Each crystal system has the
same colour in every figure; experiments have colours that no crystal system uses. Strings from
databases are escaped before they become labels, because Plotly reads them as HTML.
"""

from diffsym.report.figures import (
    accuracy,
    certainty,
    confusion,
    data,
    descriptors,
    electron,
    feature_maps,
    learning,
    patterns,
    style,
    untrained,
    volumes,
)

__all__ = [
    "accuracy",
    "certainty",
    "confusion",
    "data",
    "descriptors",
    "electron",
    "feature_maps",
    "learning",
    "patterns",
    "style",
    "untrained",
    "volumes",
]
