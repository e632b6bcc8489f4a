"""Sections that stand for several: rows of a sweep, and parts of a series of splits.

Both become plain sections beside those of the user, and the rules run them like any other. The
members of a cross-validation are also counted here.
"""

from typing import Any

from diffsym.config.datasets import is_series
from diffsym.config.study import Configuration, numbered, sweep_experiments
from diffsym.errors import DiffsymError


def expand_sweeps(configuration: Configuration) -> dict[str, Any]:
    """Keys and values of a configuration, with an experiment and a model for each sweep row."""
    models: dict[str, dict[str, Any]] = {}
    experiments: dict[str, dict[str, Any]] = {}
    for sweep_name, sweep in configuration.sweeps.items():
        base = configuration.experiments[sweep.base]
        base_model = configuration.models[base.model].model_dump()
        for name, row in zip(sweep_experiments(configuration, sweep_name), sweep.rows, strict=True):
            models[name] = base_model | row.model
            experiments[name] = base.model_dump() | {"model": name, "members": row.members}
    plain = configuration.model_dump()
    clashes = sorted(
        (set(models) & set(plain["models"])) | (set(experiments) & set(plain["experiments"]))
    )
    if clashes:
        raise DiffsymError(
            f"configuration: sweeps: the name {clashes[0]} is taken by a section; rename the sweep"
        )
    plain["models"] |= models
    plain["experiments"] |= experiments
    return plain


def expand_series(configuration: Configuration) -> dict[str, Any]:
    """Keys and values of a configuration, with a split and experiments for each disjoint set."""
    splits: dict[str, dict[str, Any]] = {}
    experiments: dict[str, dict[str, Any]] = {}
    for name, split in configuration.splits.items():
        if is_series(split):
            for held_out, part in enumerate(numbered(name, split.sets), start=1):
                splits[part] = split.model_dump() | {"held_out": held_out}
    for name, runs in configuration.series().items():
        experiment = configuration.experiments[name]
        for run, part in zip(runs, numbered(experiment.split, len(runs)), strict=True):
            experiments[run] = experiment.model_dump() | {"split": part}
    plain = configuration.model_dump()
    for section, added in (("splits", splits), ("experiments", experiments)):
        clashes = sorted(set(added) & set(plain[section]))
        if clashes:
            raise DiffsymError(
                f"configuration: {section}: the name {clashes[0]} is taken by a section, but the "
                "parts of a series are numbered so; rename the section"
            )
        plain[section] |= added
    return plain


def expand_folds(configuration: Configuration) -> dict[str, Any]:
    """Keys and values of a configuration; a cross-validation has as many members as folds."""
    plain = configuration.model_dump()
    for name, experiment in configuration.experiments.items():
        if experiment.cross_validation:
            plain["experiments"][name]["members"] = configuration.splits[experiment.split].folds
    return plain
