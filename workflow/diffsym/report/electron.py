"""Experiments on electron-diffraction patterns: which there are, and what shaping and MSDN gain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diffsym.evaluation.bootstrap import with_interval
from diffsym.report.inputs import Experiment, Study, by_task, labels


def electron_experiments(study: Study) -> list[Experiment]:
    """Experiments on electron-diffraction patterns.

    Their labels do not name the classes, so that a model has one label whatever the number of
    groups that it tells apart. Those with the fewest groups come first.
    """
    chosen = [
        experiment
        for experiment in sorted(study.experiments, key=number_of_classes)
        if _kind(study, experiment.inputs.descriptor) == "electron"
    ]
    shortened = labels([replace(experiment.inputs, classes="") for experiment in chosen])
    return [
        replace(experiment, label=label)
        for experiment, label in zip(chosen, shortened, strict=True)
    ]


def _kind(study: Study, descriptor: str) -> str | None:
    """Kind of a descriptor, if its table is shown."""
    inputs = study.inputs.descriptors.get(descriptor)
    return inputs.kind if inputs else None


def number_of_classes(experiment: Experiment) -> int:
    """How many space groups an experiment tells apart."""
    return len(experiment.metrics["classes"])


@dataclass(frozen=True)
class Gain:
    """What shaping the patterns and what MSDN add to the test accuracy.

    Attributes
    ----------
    spot
        Best experiment on spot patterns, by its validation accuracy.
    shaped
        MSVGG on shaped patterns.
    msdn
        MSDN on shaped patterns.
    differences
        {value, low, high} of A_1: `shaping`, `shaped` less `spot`; `msdn`, `msdn` less `shaped`;
        `total`, their sum.
    """

    spot: Experiment
    shaped: Experiment
    msdn: Experiment
    differences: Mapping[str, Mapping[str, float]]


def gains(experiments: Sequence[Experiment], patterns: Mapping[str, str]) -> list[Gain]:
    """Split the gain over spot patterns into those of shaping and of MSDN.

    After Tiong et al. 2020, "Classification experiments with varying numbers of space groups".
    Intervals are those of paired differences, resample by resample.

    Parameters
    ----------
    experiments
        On electron-diffraction patterns.
    patterns
        "spot" or "shaped" by the name of the descriptor.

    Returns
    -------
    list of Gain
        One for each split and class set that has all three experiments with the same test
        structures. If there are several of a kind, that with the best validation accuracy.
    """
    found = []
    for members in by_task(experiments).values():
        same_test: dict[str, list[Experiment]] = {}
        for experiment in members:
            same_test.setdefault(experiment.test["structures_sha256"], []).append(experiment)
        for comparable in same_test.values():
            spot = [e for e in comparable if patterns[e.inputs.descriptor] == "spot"]
            shaped, msdn = (
                [
                    e
                    for e in comparable
                    if patterns[e.inputs.descriptor] == "shaped"
                    and e.inputs.model_settings.get("kind") == kind
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
            name: with_interval(
                better.test["accuracy"][0]["value"] - worse.test["accuracy"][0]["value"],
                np.subtract(better.test["resampled_accuracy"], worse.test["resampled_accuracy"]),
                spot.metrics["settings"]["confidence"],
            )
            for name, (better, worse) in pairs.items()
        },
    )
