"""Sections that stand for several: rows of a sweep, and parts of a series of splits.

Both become plain sections beside those of the user, and the rules run them like any other. The
members of a cross-validation are also counted here.
"""

from dataclasses import replace
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.settings import values_of
from diffsym.study.configuration import Configuration, Experiment, numbered, sweep_experiments


def expand_sweeps(configuration: Configuration) -> dict[str, Any]:
    """Keys and values of a configuration, with an experiment and a model for each sweep row.

    They are to be validated: a row may name keys that its model lacks.
    """
    models: dict[str, dict[str, Any]] = {}
    experiments: dict[str, dict[str, Any]] = {}
    for sweep_name, sweep in configuration.sweeps.items():
        base = configuration.experiments[sweep.base]
        base_model = values_of(configuration.models[base.model])
        for name, row in zip(sweep_experiments(configuration, sweep_name), sweep.rows, strict=True):
            models[name] = base_model | row.model
            experiments[name] = values_of(base) | {"model": name, "members": row.members}
    plain = values_of(configuration)
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


def expand_series(configuration: Configuration) -> Configuration:
    """Return a configuration with a split and experiments for each of several disjoint sets."""
    splits = {
        part: split.part(held_out)
        for name, split in configuration.splits.items()
        if split.parts is not None
        for held_out, part in enumerate(numbered(name, split.parts), start=1)
    }
    experiments: dict[str, Experiment] = {}
    for name, runs in configuration.series().items():
        experiment = configuration.experiments[name]
        for run, part in zip(runs, numbered(experiment.split, len(runs)), strict=True):
            experiments[run] = replace(experiment, split=part)
    for section, added in (("splits", splits), ("experiments", experiments)):
        clashes = sorted(set(added) & set(getattr(configuration, section)))
        if clashes:
            raise DiffsymError(
                f"configuration: {section}: the name {clashes[0]} is taken by a section, but the "
                "parts of a series are numbered so; rename the section"
            )
    return replace(
        configuration,
        splits=configuration.splits | splits,
        experiments=configuration.experiments | experiments,
    )


def expand_folds(configuration: Configuration) -> Configuration:
    """Return a configuration in which a cross-validation has as many members as folds."""
    experiments = {
        name: replace(experiment, members=configuration.splits[experiment.split].folds)
        for name, experiment in configuration.experiments.items()
        if experiment.cross_validation
    }
    return replace(configuration, experiments=configuration.experiments | experiments)
