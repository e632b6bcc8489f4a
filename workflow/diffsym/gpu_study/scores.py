"""How right networks are on their test part, with intervals, beside the label frequency."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffsym.evaluation.bootstrap import with_intervals
from diffsym.evaluation.ranks import (
    crystal_system_scores,
    label_frequency_ranks,
    top_k_accuracies,
    true_class_rank,
)
from diffsym.evaluation.scores import Bootstrap
from diffsym.models.predictions import Answers

TOP_K = 10
BOOTSTRAP = Bootstrap()


def scores_of(
    answers: Answers,
    labels: NDArray[np.int64],
    clusters: NDArray[np.int64],
    classes: Sequence[int],
    training_counts: NDArray[np.int64],
    true_ln_volumes: NDArray[np.float32] | None = None,
) -> dict[str, Any]:
    """Accuracies of a network, or of the mean of several.

    Parameters
    ----------
    answers
        For n structures.
    labels, clusters
        Class index of each structure, and the cluster that the bootstrap draws it with, (n,).
    classes
        Space-group numbers.
    training_counts
        Training structures of each class.
    true_ln_volumes
        ln(V / A^3), (n,), where the network predicts it.

    Returns
    -------
    dict
        `n`; `accuracy` and `baseline`, the label frequency, as lists of {k, value, low, high};
        `crystal_system`, both as {value, low, high}; and `volume`, quartiles of the relative error
        of the volume, where it is predicted.
    """
    probabilities = answers.probabilities.astype(np.float64)
    keys = clusters.tolist()
    values, samples = top_k_accuracies(
        [true_class_rank(probabilities, labels), label_frequency_ranks(training_counts, labels)],
        keys,
        BOOTSTRAP,
        top_k=min(TOP_K, len(classes)),
    )
    accuracy, baseline = (
        [asdict(entry) for entry in with_intervals(row, resampled, BOOTSTRAP.confidence)]
        for row, resampled in zip(values, samples.swapaxes(0, 1), strict=True)
    )
    systems = crystal_system_scores(
        probabilities, labels, keys, classes, training_counts, BOOTSTRAP
    )
    scores = {
        "n": len(labels),
        "accuracy": accuracy,
        "baseline": baseline,
        "crystal_system": {
            "accuracy": asdict(systems.accuracy),
            "baseline": asdict(systems.baseline),
        },
    }
    if answers.ln_volumes is not None and true_ln_volumes is not None:
        errors = np.expm1(answers.ln_volumes.astype(np.float64) - true_ln_volumes)
        low, median, high = np.quantile(errors, (0.25, 0.5, 0.75)).tolist()
        scores["volume"] = {"lower_quartile": low, "median": median, "upper_quartile": high}
    return scores
