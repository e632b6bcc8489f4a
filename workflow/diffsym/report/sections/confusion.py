"""Section on confusion: what is mistaken for what."""

from markupsafe import Markup

from diffsym.evaluation.subgroups import Relation
from diffsym.report import figures
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import (
    Block,
    Cell,
    FigureBlock,
    Section,
    TableBlock,
    group_cell,
    percent,
)
from diffsym.report.typesetting import symbol_html, thousands

PAIRS = 15
"""Confused pairs shown per experiment."""


def confusion(results: Results) -> Section:
    """Confusion matrices and the most confused pairs."""
    best_first = sorted(results.experiments, key=lambda e: e.validation_accuracy, reverse=True)
    largest = max(len(experiment.scores.classes) for experiment in best_first)
    blocks: list[Block] = [
        FigureBlock(
            "confusion-matrices",
            figures.confusion.confusion_matrices(best_first),
            "Each row is a true space group and sums to 100 %; top-1 predictions of the ensemble "
            "on the test set. Boxes and edge strips mark the crystal systems. Choose the "
            "experiment in the menu, drag to zoom, double-click to reset.",
            min_width=figures.confusion.CELL * largest + 250,
        ),
        FigureBlock(
            "crystal-system-confusion",
            figures.confusion.crystal_system_confusion(results.experiments),
            "The same for the crystal systems, in percent of the true system: the system whose "
            "space groups have the largest summed probability is predicted.",
            min_width=figures.style.PANELS_WIDTH,
        ),
        FigureBlock(
            "error-distances",
            figures.confusion.error_distances(results.experiments),
            "Distance of wrong predictions from the truth: steps in the graph of maximal subgroups "
            "(pymatgen's table, types of translationengleiche and klassengleiche subgroups). Black "
            "bars: expectation by chance, with wrong predictions drawn from the predictions for "
            "all other structures, because frequent predictions are also central in the graph. "
            "Hatched: wrong predictions of the label-frequency baseline, which predicts only one "
            "group. After Fig. 3(c) of Vecsei et al. (2019).",
            min_width=figures.style.least_width(results.experiments),
        ),
        *(_pairs_table(experiment, position) for position, experiment in enumerate(best_first)),
    ]
    return Section(
        "confusion",
        "Confusion",
        "What is mistaken for what",
        "Structures close to a higher symmetry are easily mistaken for it: many wrong predictions "
        "are sub- or supergroups of the correct group.",
        blocks,
    )


def _pairs_table(experiment: Experiment, position: int) -> TableBlock:
    """The most confused pairs of one experiment; all but the first table are collapsed."""
    rows = [
        [
            group_cell(pair.true),
            group_cell(pair.predicted),
            thousands(pair.count),
            percent(pair.share_of_true),
            relation_cell(Relation(pair.relation, pair.distance, pair.common)),
        ]
        for pair in experiment.part.confused_pairs[:PAIRS]
    ]
    return TableBlock(
        ["true", "predicted", "structures", "of the true group", "the prediction is its"],
        rows,
        "Most frequent wrong top-1 predictions on the test set, and how the predicted group is "
        "related to the true one.",
        numeric=[2, 3],
        title=f"Most confused pairs: {experiment.label}, {experiment.split}",
        collapsed=position > 0,
    )


def relation_cell(relation: Relation) -> Cell:
    """A relation in words."""
    if relation.common is not None:
        return Markup("{} {} ({} steps)").format(
            relation.kind, symbol_html(relation.common), relation.distance
        )
    if relation.distance > 1:
        return f"{relation.kind} ({relation.distance} steps)"
    return relation.kind
