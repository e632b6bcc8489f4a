"""Headline numbers of each experiment, and published ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from diffsym.evaluation.published import PUBLISHED
from diffsym.evaluation.scores import (
    Comparable,
    Compared,
    ExperimentSummary,
    Metrics,
    Summary,
    TopK,
    VolumeSummary,
)
from diffsym.evaluation.series import effects, summarise_series

QUOTED_ANSWERS = (1, 6)
"""Quoted accuracies: top-1, and top-6 as in Liu et al. 2019."""


def quoted(entries: Sequence[TopK]) -> list[TopK]:
    """Select the quoted k from entries for k = 1, 2, ...; the last entry if there are too few."""
    return [entries[k - 1] for k in sorted({min(k, len(entries)) for k in QUOTED_ANSWERS})]


def summarise(
    experiments: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, Metrics],
    series: Mapping[str, Sequence[str]] | None = None,
    shown: Sequence[str] | None = None,
) -> Summary:
    """Collect the headline numbers of all experiments.

    Parameters
    ----------
    experiments
        Configuration of each experiment by name.
    metrics
        Scores of each experiment by name.
    series
        Experiments of each series on disjoint test sets, by the name of the series.
    shown
        Experiments that figures show; by default all.

    Returns
    -------
    Summary
        The best of comparable experiments is the one with the highest *validation* accuracy, so
        that the test set is not used for any choice.
    """
    rows = {name: _row(settings, metrics[name]) for name, settings in experiments.items()}
    means = {
        name: summarise_series([experiments[run] for run in runs], [metrics[run] for run in runs])
        for name, runs in (series or {}).items()
    }
    return Summary(
        experiments=rows,
        comparable=_comparable(rows),
        shown=_comparable({name: rows[name] for name in (rows if shown is None else shown)}),
        series=means,
        effects=effects(means),
        published=PUBLISHED,
    )


def _comparable(rows: Mapping[str, ExperimentSummary]) -> list[Comparable]:
    """Groups of experiments with the same split and class set."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, row in rows.items():
        groups.setdefault((row.split, row.classes), []).append(name)
    return [
        Comparable(
            split=split,
            classes=classes,
            experiments=names,
            best=max(names, key=lambda name: rows[name].validation_accuracy),
        )
        for (split, classes), names in groups.items()
    ]


def _row(settings: Mapping[str, Any], metrics: Metrics) -> ExperimentSummary:
    """Headline numbers of one experiment."""
    test = metrics.parts.test
    systems, centrosymmetric, volume = test.crystal_systems, test.centrosymmetric, test.volume
    return ExperimentSummary(
        **{
            key: settings[key]
            for key in ("descriptor", "split", "classes", "model", "training", "members", "seed")
        },
        n_classes=len(metrics.classes),
        counts=metrics.counts,
        validation_accuracy=metrics.parts.validation.accuracy[0].value,
        cross_validation=metrics.cross_validation,
        accuracy=quoted(test.accuracy),
        baseline=quoted(test.baseline),
        gain_over_baseline=quoted(test.gain_over_baseline),
        members_mean=test.members_mean[0],
        members_spread=test.members_spread[0] if test.members_spread else None,
        crystal_system=Compared(accuracy=systems.accuracy, baseline=systems.baseline),
        centrosymmetric=(
            Compared(accuracy=centrosymmetric.accuracy[0], baseline=centrosymmetric.baseline[0])
            if centrosymmetric
            else None
        ),
        half_unclassified=test.certainty.half_unclassified,
        macro=test.macro,
        volume=(
            VolumeSummary(ensemble=volume.ensemble, baseline=volume.baseline) if volume else None
        ),
        log_loss=test.log_loss,
        expected_calibration_error=test.calibration.expected_calibration_error,
    )
