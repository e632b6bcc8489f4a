"""Section on measured patterns, and on patterns rendered from test structures."""

from collections.abc import Sequence

import pyarrow as pa
from markupsafe import Markup

from diffsym.evaluation.members import answers_by_member, volumes_by_member
from diffsym.evaluation.volumes import predicts_volumes
from diffsym.report import figures
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.answered import answered_blocks
from diffsym.report.sections.blocks import (
    EXAMPLES,
    Block,
    FigureBlock,
    Section,
    TableBlock,
    group_cell,
    percent,
    percent_interval,
)
from diffsym.report.sections.members import member_answers_table, member_volumes_table


def measured(results: Results) -> Section | None:
    """Accuracy on measured patterns, and the loss in a round trip through a pattern."""
    blocks = [
        *_measured_blocks(results),
        *_round_trip_blocks(results),
        *answered_blocks(results.answered),
    ]
    for experiment in results.experiments:
        for name, predictions in results.measured_predictions(experiment.name).items():
            blocks += _answers_blocks(experiment, name, predictions)
    if not blocks:
        return None
    return Section(
        "measured",
        "Measured",
        "Measured patterns",
        "Networks trained on computed patterns are tested on measured ones, which played no part "
        "in choosing settings or epochs.",
        blocks,
    )


def _measured_blocks(results: Results) -> list[Block]:
    """Accuracy on patterns of known space group, without sets rendered from test structures."""
    scored = [
        (experiment, name, entry)
        for experiment in results.experiments
        for name, entry in experiment.scores.measured.items()
        if entry.part and not entry.round_trip
    ]
    if not scored:
        return []
    views = [experiment.on_measured(name) for experiment, name, _ in scored]
    return [
        TableBlock(
            [
                "patterns",
                "model",
                "known, in the classes",
                "A₁",
                "label frequency",
                "A₁, test set",
                "A₁ of all known",
                "crystal system",
                "label frequency",
                "centrosymmetric",
            ],
            [
                [
                    name,
                    experiment.label,
                    f"{entry.n_labelled} of {entry.n}, {entry.n_in_classes}",
                    percent_interval(view.part.accuracy[0]),
                    percent(view.part.baseline[0].value),
                    percent(experiment.part.accuracy[0].value),
                    percent(entry.accuracy_of_labelled or 0.0),
                    percent_interval(view.part.crystal_systems.accuracy),
                    percent(view.part.crystal_systems.baseline.value),
                    percent_interval(view.part.centrosymmetric.accuracy[0])
                    if view.part.centrosymmetric
                    else "",
                ]
                for (experiment, name, entry), view in zip(scored, views, strict=True)
            ],
            "Top-1 accuracy on patterns whose space group is one of the classes, with 95 % "
            "bootstrap intervals over patterns, next to the label-frequency baseline and the "
            "accuracy on the computed patterns of the test set. A₁ of all known counts patterns of "
            "other groups as wrong. Last: patterns and predictions restricted to centrosymmetric "
            "groups.",
            numeric=range(2, 10),
        ),
        FigureBlock(
            "measured-top-n",
            figures.accuracy.top_n_accuracy(views),
            "Share of patterns whose space group is among the n most probable; after Fig. 5(a) of "
            "Vecsei et al. (2019).",
        ),
        FigureBlock(
            "measured-distances",
            figures.confusion.error_distances(views),
            "Steps between wrong predictions and the truth in the graph of maximal subgroups; "
            "after Fig. 3(c) of Vecsei et al. (2019). Bars and marks as in the section on "
            "confusion.",
        ),
        FigureBlock(
            "measured-certainty",
            figures.certainty.certainty_histograms(views),
            "Certainty of correct and wrong top-1 predictions, stacked; after Fig. 5(b) and "
            "(c) of Vecsei et al. (2019), which show measured patterns.",
            min_width=figures.style.PANELS_WIDTH,
        ),
        FigureBlock(
            "measured-thresholds",
            figures.certainty.certainty_thresholds(views),
            "Patterns below the threshold stay unclassified. Marked: the threshold that leaves "
            "half of them unclassified; after Fig. 5(d) and (e) of Vecsei et al. (2019).",
            min_width=figures.style.PANELS_WIDTH,
        ),
    ]


def _round_trip_blocks(results: Results) -> list[Block]:
    """Accuracy lost when test structures come as patterns instead of their own descriptors."""
    trips = [
        (experiment, name, entry.round_trip)
        for experiment in results.experiments
        for name, entry in experiment.scores.measured.items()
        if entry.round_trip
    ]
    if not trips:
        return []
    return [
        FigureBlock(
            "round-trip",
            figures.accuracy.round_trips(
                [(experiment.on_measured(name), trip) for experiment, name, trip in trips]
            ),
            "The same test structures from their own descriptors and from patterns rendered with "
            "the peak shapes, noise and background of an instrument and converted like measured "
            "patterns. The gap between the lines is the loss; 95 % bootstrap intervals over "
            "structures.",
            min_width=figures.style.PANELS_WIDTH,
        ),
        TableBlock(
            ["patterns", "model", "split", "own descriptor", "from pattern", "loss"],
            [
                [
                    name,
                    experiment.label,
                    experiment.split,
                    *map(percent_interval, (trip.structure[0], trip.pattern[0], trip.loss[0])),
                ]
                for experiment, name, trip in trips
            ],
            "Top-1 accuracies; the interval of the loss is for the paired difference.",
            numeric=[3, 4, 5],
        ),
    ]


def _answers_blocks(
    experiment: Experiment, name: str, predictions: Sequence[pa.Table]
) -> list[Block]:
    """Predictions of each member, and predicted volumes, for the first patterns of a set."""
    shown = predictions[0].slice(0, EXAMPLES)
    numbers = dict(
        zip(shown["structure_id"].to_pylist(), shown["space_group"].to_pylist(), strict=True)
    )
    headings = {
        pattern: pattern if number is None else Markup("{}: {}").format(pattern, group_cell(number))
        for pattern, number in numbers.items()
    }
    title = f"{name}, {experiment.label}, {experiment.split}"
    blocks: list[Block] = [
        member_answers_table(
            {headings[pattern]: answers_by_member(predictions, pattern) for pattern in numbers},
            title=f"Predictions: {title}",
        )
    ]
    if predicts_volumes(predictions):
        volumes = {
            headings[pattern]: volumes_by_member(predictions, pattern) for pattern in numbers
        }
        blocks.append(member_volumes_table(volumes, title=f"Volumes: {title}"))
    return blocks
