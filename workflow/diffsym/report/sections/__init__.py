"""The sections of the report, in order: each a small function from the results to content.

A section returns None if the study has nothing to show in it. To add one, write such a function in
the module of its topic, build it from the figures, tables and texts in `blocks`, and add it to
`SECTIONS`. Figures come from the package `diffsym.report.figures`.
"""

from collections.abc import Callable

from diffsym.report.results import Results
from diffsym.report.sections import (
    accuracy,
    certainty,
    confusion,
    data,
    descriptors,
    electron,
    feature_maps,
    learning,
    literature,
    measured,
    networks,
    patterns,
    provenance,
    series,
    splits,
    untrained,
    volumes,
)
from diffsym.report.sections.blocks import Section

SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    data.data,
    descriptors.pair_distribution,
    descriptors.powder,
    descriptors.ideal,
    patterns.patterns,
    learning.learning,
    networks.networks,
    accuracy.top_k,
    accuracy.recall,
    confusion.confusion,
    electron.electron,
    splits.splits,
    certainty.calibration,
    certainty.certainty,
    measured.measured,
    volumes.cells,
    series.held_out_sets,
    volumes.volumes,
    untrained.untrained,
    feature_maps.feature_maps,
    learning.sweeps,
    literature.published,
    provenance.provenance,
)
"""The report from top to bottom, below its summary."""
