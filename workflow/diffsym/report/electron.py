"""Experiments on electron-diffraction patterns, and the gains from shaping and MSDN."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from diffsym.evaluation.bootstrap import accuracy_gain
from diffsym.evaluation.scores import Interval
from diffsym.report.results import Experiment, Results, labels
from diffsym.report.views import by_task


def electron_experiments(results: Results) -> list[Experiment]:
    """Experiments on electron-diffraction patterns.

    Their labels omit the class set, so that a model has one label for any number of groups. Those
    with the fewest groups come first.
    """
    chosen = [
        experiment
        for experiment in sorted(results.experiments, key=number_of_classes)
        if results.descriptors[experiment.settings.descriptor].kind == "electron"
    ]
    shortened = labels([experiment.settings for experiment in chosen], without=["classes"])
    return [
        replace(experiment, label=label)
        for experiment, label in zip(chosen, shortened, strict=True)
    ]


def number_of_classes(experiment: Experiment) -> int:
    """Number of space groups that an experiment distinguishes."""
    return len(experiment.scores.classes)


@dataclass(frozen=True)
class Gain:
    """Gains in test accuracy from shaping the patterns and from MSDN.

    Attributes
    ----------
    spot
        Best experiment on spot patterns, by its validation accuracy.
    shaped
        MSVGG on shaped patterns.
    msdn
        MSDN on shaped patterns.
    differences
        Of A_1: `shaping`, `shaped` minus `spot`; `msdn`, `msdn` minus
        `shaped`;
        `total`, their sum.
    """

    spot: Experiment
    shaped: Experiment
    msdn: Experiment
    differences: Mapping[str, Interval]


def gains(experiments: Sequence[Experiment], patterns: Mapping[str, str]) -> list[Gain]:
    """Split the gain over spot patterns into contributions of shaping and MSDN.

    After Tiong et al. 2020, "Classification experiments with varying numbers of space groups".
    Intervals are for paired differences, resample by resample.

    Parameters
    ----------
    experiments
        Experiments on electron-diffraction patterns.
    patterns
        "spot" or "shaped" by descriptor name.

    Returns
    -------
    list of Gain
        One per split and class set that has all three experiments on the same test structures; of
        several of a kind, the one with the best validation accuracy.
    """
    found = []
    for members in by_task(experiments).values():
        same_test: dict[str | None, list[Experiment]] = {}
        for experiment in members:
            same_test.setdefault(experiment.part.structures_sha256, []).append(experiment)
        for comparable in same_test.values():
            spot = [e for e in comparable if patterns[e.settings.descriptor] == "spot"]
            shaped, msdn = (
                [
                    e
                    for e in comparable
                    if patterns[e.settings.descriptor] == "shaped" and e.model["kind"] == kind
                ]
                for kind in ("tiong2020_msvgg", "tiong2020_msdn")
            )
            if spot and shaped and msdn:
                found.append(_gain(*map(_best, (spot, shaped, msdn))))
    return found


def _best(experiments: Sequence[Experiment]) -> Experiment:
    """The experiment with the highest validation accuracy."""
    return max(experiments, key=lambda experiment: experiment.validation_accuracy)


def _gain(spot: Experiment, shaped: Experiment, msdn: Experiment) -> Gain:
    """Paired differences of the accuracies of three experiments on the same test structures."""
    pairs = {"shaping": (shaped, spot), "msdn": (msdn, shaped), "total": (msdn, spot)}
    return Gain(
        spot,
        shaped,
        msdn,
        {
            name: accuracy_gain(better.part, worse.part, spot.scores.settings.confidence)
            for name, (better, worse) in pairs.items()
        },
    )
