"""Headline numbers of each experiment, and published ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from diffsym.evaluation.series import effects, summarise_series

QUOTED_ANSWERS = (1, 6)
"""Quoted accuracies: top-1, and top-6 as in Liu et al. 2019."""

PUBLISHED: tuple[Mapping[str, Any], ...] = (
    {
        "reference": "C.-H. Liu, Y. Tao, D. Hsu, Q. Du & S. J. L. Billinge, "
        "Acta Cryst. A75, 633 (2019)",
        "descriptor": "pair distribution functions",
        "data": "101 802 unique ICSD entries in 45 space groups",
        "measured_data": None,
        "split": "random 80/20 within each space group",
        "models": (
            {"model": "logistic regression on X", "top_1": 0.20},
            {"model": "logistic regression on X²", "top_1": 0.445, "top_6": 0.77},
            {"model": "convolutional network", "top_1": 0.700, "top_6": 0.919},
        ),
    },
    {
        "reference": "P. M. Vecsei, K. Choo, J. Chang & T. Neupert, Phys. Rev. B 99, 245120 (2019)",
        "descriptor": "powder patterns",
        "data": "128 404 unique ICSD entries in 230 space groups",
        "measured_data": "about 800 measured patterns from the RRUFF database",
        "split": "random, 7000 entries for testing and 7000 for validation",
        "models": (
            {
                "model": "convolutional network of Park et al. (2017), 10 members",
                "crystal_system": 0.85,
                "top_1": 0.76,
                "measured_crystal_system": 0.56,
                "measured_top_1": 0.42,
                "measured_centrosymmetric": 0.43,
                "measured_half_unclassified": 0.65,
            },
            {
                "model": "dense network, 10 members",
                "crystal_system": 0.73,
                "top_1": 0.57,
                "measured_crystal_system": 0.70,
                "measured_top_1": 0.54,
                "measured_centrosymmetric": 0.59,
                "measured_half_unclassified": 0.82,
            },
        ),
    },
    {
        "reference": "L. C. O. Tiong, J. Kim, S. S. Han & D. Kim, npj Comput. Mater. 6, 196 (2020)",
        "descriptor": "shaped electron-diffraction patterns",
        "data": "108 658 Materials Project entries in 72 space groups, and those in 8, 20 and 49 "
        "of these groups",
        "measured_data": None,
        "split": "random 80/20",
        "models": (
            {"model": "MSDN, 8 groups", "n_classes": 8, "top_1": 0.995},
            {"model": "MSDN, 20 groups", "n_classes": 20, "top_1": 0.930},
            {"model": "MSDN, 49 groups", "n_classes": 49, "top_1": 0.844},
            {
                "model": "MSDN, 72 groups",
                "n_classes": 72,
                "top_1": 0.802,
                "gain": {"shaping": 0.10, "msdn": 0.07, "total": 0.17},
                "untrained": {"structures": 3052, "groups": 30, "top_1": 0.702, "top_5": 0.875},
            },
        ),
    },
    {
        "reference": "H. Ozaki, N. Ishida & T. Kiyobayashi, J. Appl. Cryst. 58 (2025), "
        "doi:10.1107/S1600576725002419",
        "descriptor": "ideal profiles",
        "data": "62 830 PowCod entries in 57 space groups",
        "measured_data": "11 materials, 9 of which were recognised",
        "split": "five disjoint sets of 16 entries per space group (912)",
        "models": (
            {
                "model": "SpgNet, 6 members",
                "top_1": 0.721,
                "specific_mean": {
                    "precision": {"value": 0.8018, "half_width": 0.0041},
                    "recall": {"value": 0.7099, "half_width": 0.0052},
                    "f1": {"value": 0.7230, "half_width": 0.0055},
                },
                "ensemble_mean": {
                    "precision": {"value": 0.8222, "half_width": 0.0045},
                    "recall": {"value": 0.721, "half_width": 0.012},
                    "f1": {"value": 0.737, "half_width": 0.013},
                },
            },
            {
                "model": "SpgVolNet, 6 members",
                "top_1": 0.736,
                "measured_top_1": 0.82,
                "specific_mean": {
                    "precision": {"value": 0.8042, "half_width": 0.0042},
                    "recall": {"value": 0.7214, "half_width": 0.0052},
                    "f1": {"value": 0.7323, "half_width": 0.0057},
                },
                "ensemble_mean": {
                    "precision": {"value": 0.8222, "half_width": 0.0087},
                    "recall": {"value": 0.736, "half_width": 0.013},
                    "f1": {"value": 0.749, "half_width": 0.014},
                },
                "volume": {"lower_quartile": -0.034, "upper_quartile": 0.018},
            },
        ),
    },
)
"""Published results on *their* data: targets, not results of this program.

Each publication names its `data` and, if measured patterns were classified, `measured_data`.
Accuracies of its models: `crystal_system`, `top_1` and `top_6` of space groups, `centrosymmetric`
(predictions restricted to these groups) and `half_unclassified` (of the most certain half); keys
that begin with `measured_` are for the measured data. Ozaki et al. give macro scores as
`specific_mean` and `ensemble_mean` (see `diffsym.evaluation.macro`) over their held-out sets with
95 % confidence, and quartiles of V'/V - 1 as `volume`; as each of their sets has equally many
entries of every group, their accuracy equals their recall. Tiong et al. give the accuracy for
several numbers of groups, `n_classes`, and for the largest the `gain` over spot patterns: in total,
by shaping the patterns alone and by MSDN alone; `untrained` is the accuracy for structures of other
groups. What an article does not give has no key.
"""

TIONG_2020 = next(entry for entry in PUBLISHED if "Tiong" in entry["reference"])
"""Results of Tiong et al., shown next to experiments on electron diffraction."""


def quoted(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Select the quoted k from entries for k = 1, 2, ...; the last entry if there are too few."""
    return [entries[k - 1] for k in sorted({min(k, len(entries)) for k in QUOTED_ANSWERS})]


def summarise(
    experiments: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, Mapping[str, Any]],
    series: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Collect the headline numbers of all experiments.

    Parameters
    ----------
    experiments
        Configuration of each experiment by name: descriptor, split, classes, model, training,
        members, seed.
    metrics
        Content of each experiment's metrics.json by name.
    series
        Experiments of each series on disjoint test sets, by the name of the series.

    Returns
    -------
    dict
        `experiments`: settings, counts, and test accuracies {k, value, low, high} of each ensemble
        and of the label-frequency baseline for the quoted k, for the crystal system and among
        centrosymmetric groups. `comparable`: experiments with the same split and classes, which can
        be compared across descriptors and models, and as `best` the one with the highest
        *validation* accuracy, so that the test set is not used for any choice. `series`: means over
        the test sets of each series; `effects`: what distinguishes them. `published`: results from
        the literature on their own data.
    """
    rows = {name: _row(settings, metrics[name]) for name, settings in experiments.items()}
    means = {
        name: summarise_series([experiments[run] for run in runs], [metrics[run] for run in runs])
        for name, runs in (series or {}).items()
    }
    comparable: dict[tuple[str, str], list[str]] = {}
    for name, row in rows.items():
        comparable.setdefault((row["split"], row["classes"]), []).append(name)
    return {
        "experiments": rows,
        "comparable": [
            {
                "split": split,
                "classes": classes,
                "experiments": names,
                "best": max(names, key=lambda name: rows[name]["validation_accuracy"]),
            }
            for (split, classes), names in comparable.items()
        ],
        "series": means,
        "effects": effects(means),
        "published": [dict(entry) for entry in PUBLISHED],
    }


def _row(settings: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Headline numbers of one experiment."""
    test = metrics["parts"]["test"]
    systems, centrosymmetric = test["crystal_systems"], test["centrosymmetric"]
    return {
        **{
            key: settings[key]
            for key in ("descriptor", "split", "classes", "model", "training", "members", "seed")
        },
        "n_classes": len(metrics["classes"]),
        "counts": metrics["counts"],
        "validation_accuracy": metrics["parts"]["validation"]["accuracy"][0]["value"],
        "cross_validation": metrics["cross_validation"],
        **{key: quoted(test[key]) for key in ("accuracy", "baseline", "gain_over_baseline")},
        "members_mean": test["members_mean"][0],
        "members_spread": test["members_spread"][0] if test["members_spread"] else None,
        "crystal_system": {key: systems[key] for key in ("accuracy", "baseline")},
        "centrosymmetric": centrosymmetric
        and {key: centrosymmetric[key][0] for key in ("accuracy", "baseline")},
        "half_unclassified": test["certainty"]["half_unclassified"],
        "macro": test["macro"],
        "volume": test["volume"] and {key: test["volume"][key] for key in ("ensemble", "baseline")},
        "log_loss": test["log_loss"],
        "expected_calibration_error": test["calibration"]["expected_calibration_error"],
    }
