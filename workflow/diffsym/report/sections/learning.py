"""Sections on training: learning curves, and hyper-parameter sweeps."""

from collections.abc import Sequence

from diffsym.evaluation.scores import Part
from diffsym.report import figures
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import (
    Block,
    FigureBlock,
    Section,
    TableBlock,
    percent,
    percent_interval,
    with_half_width,
)
from diffsym.report.typesetting import thousands


def learning(results: Results) -> Section | None:
    """Learning curves of the models trained in epochs."""
    trained = [experiment for experiment in results.experiments if experiment.histories]
    if not trained:
        return None
    blocks: list[Block] = [
        FigureBlock(
            "learning-curves",
            figures.learning.learning_curves(trained),
            "Accuracy and cost against the epoch, one line per ensemble member. The cost is the "
            "cross entropy in nat; for networks that alternate between costs, like those of "
            "Vecsei et al. (2019), it is the cost used in the epoch. The training curve is the "
            "mean over an epoch while the weights change and dropout is active; the validation "
            "curve is taken at its end without dropout. Class weights enter the training loss "
            "only. Networks for crystal systems are scored on systems here.",
        )
    ]
    if any(experiment.scores.cross_validation for experiment in trained):
        blocks.append(_cross_validation_table(trained))
    return Section(
        "learning",
        "Learning",
        "Learning curves",
        "The gap between the training and validation curves shows how much the network memorised.",
        blocks,
    )


def _cross_validation_table(experiments: Sequence[Experiment]) -> TableBlock:
    """Accuracies on structures that a network has not seen: folds and test set."""
    return TableBlock(
        [
            "split",
            "model",
            "folds",
            "structures",
            "mean A₁ of the folds / %",
            "lowest … highest / %",
            "label frequency / %",
            "test A₁",
        ],
        [
            [
                experiment.split,
                experiment.label,
                str(len(folds.structures)),
                thousands(sum(folds.structures)),
                with_half_width(folds.accuracy),
                " … ".join(f"{100 * f(folds.accuracy.sets):.1f}" for f in (min, max)),
                with_half_width(folds.baseline),
                percent_interval(experiment.part.accuracy[0]),
            ]
            for experiment in experiments
            if (folds := experiment.scores.cross_validation)
        ],
        "Each network is trained on all folds but one, and evaluated on that fold. ±: 95 % "
        "interval over the folds (Student’s t). Label frequency: always predicting the most "
        "frequent class. The test set is classified by the mean probability of all networks; "
        "brackets: bootstrap interval.",
        numeric=range(2, 8),
        title="Cross-validation",
    )


def sweeps(results: Results) -> Section | None:
    """Hyper-parameter sweeps, one table each."""
    if not results.sweeps:
        return None
    return Section(
        "sweeps",
        "Sweeps",
        "Hyper-parameters",
        "Each row is a complete experiment. Compare rows by their validation accuracy.",
        [_sweep_table(name, rows) for name, rows in results.sweeps.items()],
    )


def _sweep_table(name: str, rows: Sequence[Experiment]) -> TableBlock:
    keys = [key for key in rows[0].model if len({str(row.model.get(key)) for row in rows}) > 1]
    return TableBlock(
        [
            *(key.replace("_", " ") for key in keys),
            "members",
            "validation A₁",
            "test A₁",
            "test A₁ of one member",
        ],
        [
            [
                *(str(row.model.get(key)) for key in keys),
                str(row.settings.members),
                percent_interval(row.scores.parts.validation.accuracy[0]),
                percent_interval(row.part.accuracy[0]),
                _mean_and_spread(row.part),
            ]
            for row in rows
        ],
        "The settings that differ, and the accuracies with bootstrap intervals; for a single "
        "member, the mean and standard deviation over the members' seeds.",
        numeric=range(len(keys) + 4),
        title=name,
    )


def _mean_and_spread(part: Part) -> str:
    mean = percent(part.members_mean[0])
    return f"{mean} ± {100 * part.members_spread[0]:.1f}" if part.members_spread else mean
