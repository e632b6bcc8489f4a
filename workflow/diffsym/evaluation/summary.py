"""The few numbers of each experiment that people quote, beside those that were published."""

from collections.abc import Mapping
from typing import Any

PUBLISHED: tuple[Mapping[str, Any], ...] = tuple(
    {
        "model": model,
        "top_1": top_1,
        "top_6": top_6,
        "data": "101 802 unique ICSD entries in 45 space groups",
        "split": "random 80/20 within each space group",
        "reference": "C.-H. Liu, Y. Tao, D. Hsu, Q. Du & S. J. L. Billinge, "
        "Acta Cryst. A75, 633 (2019)",
    }
    for model, top_1, top_6 in (
        ("logistic regression on X", 0.20, None),
        ("logistic regression on X²", 0.445, 0.77),
        ("convolutional network", 0.700, 0.919),
    )
)
"""Figures of the literature on *its* data. They are targets, not results of this program."""


def summarise(
    experiments: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Collect the headline numbers of all experiments.

    Parameters
    ----------
    experiments
        Configuration of each experiment by name: descriptor, split, classes, model, training,
        members, seed.
    metrics
        Content of each experiment's metrics.json by name.

    Returns
    -------
    dict
        `experiments`: for each one its settings, counts, and the test accuracies {k, value, low,
        high} of the ensemble and of the label-frequency baseline for the first and last k.
        `best_by_split`: the experiment with the highest *validation* accuracy on each split, so
        that the test part chooses nothing. `published`: figures of the literature on its data.
    """
    rows = {name: _row(settings, metrics[name]) for name, settings in experiments.items()}
    best: dict[str, str] = {}
    for name, row in rows.items():
        leader = best.get(row["split"])
        if leader is None or row["validation_accuracy"] > rows[leader]["validation_accuracy"]:
            best[row["split"]] = name
    return {
        "experiments": rows,
        "best_by_split": best,
        "published": [dict(entry) for entry in PUBLISHED],
    }


def _row(settings: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Headline numbers of one experiment."""
    test = metrics["parts"]["test"]
    quoted = sorted({1, metrics["settings"]["top_k"]})
    return {
        **{
            key: settings[key]
            for key in ("descriptor", "split", "classes", "model", "training", "members", "seed")
        },
        "n_classes": len(metrics["classes"]),
        "counts": metrics["counts"],
        "validation_accuracy": metrics["parts"]["validation"]["accuracy"][0]["value"],
        "accuracy": [test["accuracy"][k - 1] for k in quoted],
        "baseline": [test["baseline"][k - 1] for k in quoted],
        "gain_over_baseline": [test["gain_over_baseline"][k - 1] for k in quoted],
        "members_mean": test["members_mean"][0],
        "members_spread": test["members_spread"][0] if test["members_spread"] else None,
        "crystal_system_accuracy": test["crystal_systems"]["accuracy"],
        "macro": test["macro"],
        "log_loss": test["log_loss"],
        "expected_calibration_error": test["calibration"]["expected_calibration_error"],
    }
