"""Series of experiments on disjoint held-out sets, and effects of ensembles, tasks and filters.

After section 4.1 of Ozaki, Ishida & Kiyobayashi 2025, J. Appl. Cryst. 58: each number is the mean
over the k held-out sets, with a 95 % interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import permutations
from typing import Any, get_args

from diffsym.evaluation.macro import each_macro, macro_over_sets, mean_over_sets
from diffsym.evaluation.scores import (
    VOLUME_SCORES,
    AveragedScores,
    Effect,
    Interval,
    Macro,
    MeanOverSets,
    Metrics,
    Series,
    SeriesCounts,
    SeriesSettings,
    Spread,
    VolumeSummary,
)

MEANS: tuple[AveragedScores, ...] = get_args(AveragedScores)
COMPARED_SETTINGS = [field.name for field in fields(SeriesSettings)]


def summarise_series(
    experiments: Sequence[Mapping[str, Any]], metrics: Sequence[Metrics]
) -> Series:
    """Means over the held-out sets of one series.

    Parameters
    ----------
    experiments
        Settings of the series' experiments, which differ only in their split.
    metrics
        Their scores.
    """
    tests = [entry.parts.test for entry in metrics]
    volumes = [test.volume for test in tests if test.volume is not None]
    return Series(
        settings=SeriesSettings(**{key: experiments[0][key] for key in COMPARED_SETTINGS}),
        splits=[experiment["split"] for experiment in experiments],
        counts=SeriesCounts(
            train=[entry.counts.train for entry in metrics],
            test=[entry.counts.test for entry in metrics],
        ),
        specific_mean=macro_over_sets([test.macro_members.specific_mean for test in tests]),
        ensemble_mean=macro_over_sets([test.macro_members.ensemble_mean for test in tests]),
        baseline=macro_over_sets([test.macro_members.baseline for test in tests]),
        volume=(
            VolumeSummary(
                ensemble=_spread_over_sets([volume.ensemble for volume in volumes]),
                baseline=_spread_over_sets([volume.baseline for volume in volumes]),
            )
            if len(volumes) == len(tests)
            else None
        ),
    )


def _spread_over_sets(spreads: Sequence[Spread[Interval]]) -> Spread[MeanOverSets]:
    """Means of each volume score."""
    return Spread(
        **{
            name: mean_over_sets([getattr(spread, name).value for spread in spreads])
            for name in VOLUME_SCORES
        }
    )


def effects(series: Mapping[str, Series]) -> list[Effect]:
    """Differences due to an ensemble, a second task and the exclusion of outliers.

    Differences are taken set by set, so that harder and easier held-out sets do not widen the
    intervals.

    Parameters
    ----------
    series
        Each series by name.

    Returns
    -------
    list of Effect
        Ensemble averaging compares the two means of one series.
    """
    entries = [
        _difference("ensemble averaging", (name, "ensemble_mean"), (name, "specific_mean"), series)
        for name, one in series.items()
        if one.settings.members > 1
    ]
    for name, other in permutations(series, 2):
        effect = _effect(series[name], series[other])
        if effect:
            entries += [_difference(effect, (name, mean), (other, mean), series) for mean in MEANS]
    return entries


def _effect(one: Series, reference: Series) -> str | None:
    """What distinguishes a series from a reference, if it is a single named effect."""
    differing = {
        key
        for key in COMPARED_SETTINGS
        if getattr(one.settings, key) != getattr(reference.settings, key)
    }
    if one.splits != reference.splits:
        return None
    if differing == {"filter"} and reference.settings.filter is None:
        return "excluding outliers"
    if "model" in differing <= {"model", "training"} and one.volume and not reference.volume:
        return "multi-task learning"
    return None


def _difference(
    effect: str,
    minuend: tuple[str, AveragedScores],
    subtrahend: tuple[str, AveragedScores],
    series: Mapping[str, Series],
) -> Effect:
    """One entry of `effects`: both sides are the name of a series and of a mean."""
    (name, mean), (other, other_mean) = minuend, subtrahend
    own: Macro[MeanOverSets] = getattr(series[name], mean)
    others: Macro[MeanOverSets] = getattr(series[other], other_mean)

    def difference(score: str) -> MeanOverSets:
        pairs = zip(getattr(own, score).sets, getattr(others, score).sets, strict=True)
        return mean_over_sets([value - other_value for value, other_value in pairs])

    return Effect(
        effect=effect,
        series=name,
        reference=other,
        mean=mean,
        reference_mean=other_mean,
        differences=each_macro(difference),
    )
