"""The report's pictures: one function a figure, data in, `plotly.graph_objects.Figure` out.

Each module has the figures of a topic, and `style` what they share. Each crystal system keeps one
colour in every figure; experiments are told apart by colours that no crystal system uses. Strings
from databases are escaped before they become labels, because Plotly reads them as HTML.
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
