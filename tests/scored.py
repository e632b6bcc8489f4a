"""Predictions that are made up, and scores of them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa

from diffsym import tables
from diffsym.evaluation.metrics import evaluate_experiment
from diffsym.evaluation.scores import Bootstrap, Metrics, TopK

FEW = Bootstrap(resamples=100)


def of_schema(schema: pa.Schema, columns: dict) -> pa.Table:
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in schema}, schema=schema
    )


def split_table(identifiers, numbers, roles, groups=None) -> pa.Table:
    """A split without folds; `groups` stand on one side of it, by default each structure."""
    columns = {
        "structure_id": identifiers,
        "space_group": numbers,
        "role": roles,
        "fold": [-1] * len(numbers),
        "group": identifiers if groups is None else groups,
    }
    return of_schema(tables.SPLIT, columns)


def predictions_table(identifiers, numbers, roles, classes, *, skill, rng) -> pa.Table:
    """Answers for what is not trained on, right the more often the greater `skill`."""
    held_out = np.flatnonzero((roles != "train") & np.isin(numbers, classes))
    probabilities = rng.dirichlet(np.ones(len(classes)), len(held_out))
    labels = np.searchsorted(classes, numbers[held_out])
    probabilities[np.arange(len(held_out)), labels] += skill
    columns = {
        "structure_id": np.asarray(identifiers)[held_out],
        "role": roles[held_out],
        "member": [0] * len(held_out),
        "space_group": numbers[held_out],
        "probabilities": probabilities.astype(np.float32).tolist(),
    }
    return of_schema(tables.predictions_schema(classes), columns)


@cache
def some_metrics() -> Metrics:
    """Scores of random predictions for two groups."""
    numbers, roles = np.tile([2, 14], 15), np.repeat(["train", "validation", "test"], 10)
    identifiers = [f"s:{number:02d}" for number in range(30)]
    predictions = predictions_table(
        identifiers, numbers, roles, [2, 14], skill=0.3, rng=np.random.default_rng(0)
    )
    return evaluate_experiment(
        [predictions], split_table(identifiers, numbers, roles), bootstrap=FEW
    )


def metrics_with(validation: float, test: float, top_k: int = 2) -> Metrics:
    """Scores whose accuracies on both parts are given."""
    metrics = some_metrics()

    def part(old, value):
        answers = [
            TopK(k=k, value=value, low=value - 0.1, high=value + 0.1) for k in range(1, top_k + 1)
        ]
        return replace(old, accuracy=answers, baseline=answers, gain_over_baseline=answers)

    return replace(
        metrics,
        parts=replace(
            metrics.parts,
            validation=part(metrics.parts.validation, validation),
            test=part(metrics.parts.test, test),
        ),
    )
