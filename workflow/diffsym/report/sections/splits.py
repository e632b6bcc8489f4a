"""Section on the splits: how accuracy drops from one to the next, and what leaks across each."""

from collections.abc import Mapping

from markupsafe import Markup

from diffsym.report import figures
from diffsym.report.records import Leakage
from diffsym.report.results import Results
from diffsym.report.sections.blocks import (
    Block,
    FigureBlock,
    Section,
    TableBlock,
    percent,
)
from diffsym.report.typesetting import thousands

LEAKAGE_COLUMNS = {
    "share_with_training_formula": "same formula",
    "share_with_training_type": "same structure type",
    "share_near": "descriptor within threshold",
    "share_near_same_group": "and in the same group",
    "share_nearest_has_same_group": "nearest has the same group",
}
"""Shares of the test structures in a leakage report, and their headings."""


def splits(results: Results) -> Section:
    """The ladder of splits, and what leaks across each of them."""
    blocks: list[Block] = [
        FigureBlock(
            "accuracy-by-split",
            figures.accuracy.accuracy_by_split(results.experiments),
            "The same models on each split. A random split puts structures of one type on both "
            "sides, so part of its accuracy is recognition of known structures; the drop from "
            "split to split measures that part. Bars: bootstrap intervals; black marks: "
            "label-frequency baseline.",
            min_width=figures.style.least_width(results.experiments),
        )
    ]
    if results.leakage:
        blocks.append(_leakage_table(results.leakage))
    return Section(
        "splits",
        "Splits",
        "How much is memorised",
        "Accuracy depends on how much the test structures differ from the training structures.",
        blocks,
    )


def _leakage_table(leakage: Mapping[tuple[str, str], Leakage]) -> TableBlock:
    """Leakage of each descriptor and split."""
    return TableBlock(
        ["descriptor", "split", "test", *LEAKAGE_COLUMNS.values(), "median distance"],
        [
            [
                descriptor,
                split,
                thousands(report.test_structures),
                *(percent(getattr(report, key)) for key in LEAKAGE_COLUMNS),
                f"{report.median_distance:.3f}",
            ]
            for (descriptor, split), report in leakage.items()
        ],
        Markup(
            "What the test structures share with the training set: a formula, a structure type, "
            "or a training descriptor within a root-mean-square distance of {}. The nearest "
            "training descriptor is also a classifier: the share of test structures whose nearest "
            "neighbour has the same group is what memorisation alone achieves."
        ).format(", ".join(dict.fromkeys(f"{r.threshold:g}" for r in leakage.values()))),
        numeric=range(2, 4 + len(LEAKAGE_COLUMNS)),
        title="Leakage",
    )
