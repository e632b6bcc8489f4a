"""Series of experiments on disjoint held-out sets, and effects of ensembles, tasks and filters.

After section 4.1 of Ozaki, Ishida & Kiyobayashi 2025, J. Appl. Cryst. 58: each number is the mean
over the k held-out sets, with a 95 % interval.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

from diffsym.evaluation.macro import MACRO_SCORES, mean_over_sets, means_over_sets
from diffsym.evaluation.volumes import VOLUME_SCORES

MEANS = ("specific_mean", "ensemble_mean")
COMPARED_SETTINGS = (
    "descriptor",
    "classes",
    "target",
    "members",
    "seed",
    "filter",
    "cross_validation",
    "model",
    "training",
)
"""All settings of an experiment except its split."""


def summarise_series(
    experiments: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Means over the held-out sets of one series.

    Parameters
    ----------
    experiments
        Settings of the series' experiments, which differ only in their split.
    metrics
        Content of their metrics.json.

    Returns
    -------
    dict
        `settings`; `splits`, one per experiment; `counts` of the `train` and `test` structures, one
        per experiment; `specific_mean`, `ensemble_mean` and `baseline`, each with {value,
        half_width, sets} of every macro score; `volume`, the same for the volume scores of the
        `ensemble` and the `baseline`, or None.
    """
    tests = [entry["parts"]["test"] for entry in metrics]
    macro = [test["macro_members"] for test in tests]
    return {
        "settings": {key: experiments[0].get(key) for key in COMPARED_SETTINGS},
        "splits": [experiment["split"] for experiment in experiments],
        "counts": {
            role: [entry["counts"][role] for entry in metrics] for role in ("train", "test")
        },
        **{
            mean: means_over_sets([entry[mean] for entry in macro]) for mean in (*MEANS, "baseline")
        },
        "volume": (
            _volume_means([test["volume"] for test in tests])
            if all(test["volume"] for test in tests)
            else None
        ),
    }


def _volume_means(volumes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means of the volume scores of the ensembles and of the baselines."""
    return {
        who: means_over_sets(
            [{name: volume[who][name]["value"] for name in VOLUME_SCORES} for volume in volumes],
            VOLUME_SCORES,
        )
        for who in ("ensemble", "baseline")
    }


def effects(series: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Differences due to an ensemble, a second task and the exclusion of outliers.

    Differences are taken set by set, so that harder and easier held-out sets do not widen the
    intervals.

    Parameters
    ----------
    series
        Result of `summarise_series` by name.

    Returns
    -------
    list
        Dictionaries of the `effect` in words, the `series` and the `reference` subtracted from
        it, the `mean` and `reference_mean` compared, and `differences`, {value,
        half_width, sets} of every macro score. Ensemble averaging compares the two means of one
        series.
    """
    entries = [
        _difference("ensemble averaging", (name, "ensemble_mean"), (name, "specific_mean"), series)
        for name, one in series.items()
        if one["settings"]["members"] > 1
    ]
    for name, other in permutations(series, 2):
        effect = _effect(series[name], series[other])
        if effect:
            entries += [_difference(effect, (name, mean), (other, mean), series) for mean in MEANS]
    return entries


def _effect(one: Mapping[str, Any], reference: Mapping[str, Any]) -> str | None:
    """What distinguishes a series from a reference, if it is a single named effect."""
    differing = {
        key
        for key in COMPARED_SETTINGS
        if one["settings"].get(key) != reference["settings"].get(key)
    }
    if one["splits"] != reference["splits"]:
        return None
    if differing == {"filter"} and reference["settings"]["filter"] is None:
        return "excluding outliers"
    if "model" in differing <= {"model", "training"} and one["volume"] and not reference["volume"]:
        return "multi-task learning"
    return None


def _difference(
    effect: str,
    minuend: tuple[str, str],
    subtrahend: tuple[str, str],
    series: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """One entry of `effects`: both sides are the name of a series and of a mean."""
    (name, mean), (other, other_mean) = minuend, subtrahend
    return {
        "effect": effect,
        "series": name,
        "reference": other,
        "mean": mean,
        "reference_mean": other_mean,
        "differences": {
            score: mean_over_sets(
                [
                    value - other_value
                    for value, other_value in zip(
                        series[name][mean][score]["sets"],
                        series[other][other_mean][score]["sets"],
                        strict=True,
                    )
                ]
            )
            for score in MACRO_SCORES
        },
    }
