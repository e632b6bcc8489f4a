"""Sections that put the others together: experiments, sweeps, the report, and the whole study."""

from typing import Any, Literal

from pydantic import Field

from diffsym.config.base import Name, Positive, Section
from diffsym.config.datasets import AnySplit, ClassSet, Filter, Measured, is_series
from diffsym.config.descriptors import Descriptor, Reflections
from diffsym.config.models import Model, Training
from diffsym.config.structures import Source, Structures


class Report(Section):
    """The page that shows everything."""

    title: str = Field("Space groups from diffraction", min_length=1, description="page title")
    experiments: list[Name] = Field(
        min_length=1, description="experiments to run and to show, in this order"
    )
    sweeps: list[Name] = Field([], description="hyper-parameter sweeps to run and to show")


class Experiment(Section):
    """A descriptor, a split, a class set, a model and its training."""

    descriptor: Name = Field(description="section of descriptors")
    split: Name = Field(description="section of splits")
    classes: Name = Field(description="section of class_sets")
    model: Name = Field(description="section of models")
    training: Name | None = Field(None, description="section of trainings; null for logistic")
    filter: Name | None = Field(
        None, description="section of filters, for the training part only; null: all train"
    )
    target: Literal["space_group", "crystal_system"] = Field(
        "space_group", description="what a network distinguishes"
    )
    members: int = Field(1, ge=1, le=100, description="networks whose probabilities are averaged")
    cross_validation: bool = Field(
        False, description="one network per fold of the split, which validates on it; sets members"
    )
    seed: int = Field(0, ge=0, description="seed of the first member; the others follow")
    measured: list[Name] = Field(
        [], description="sections of measured that the trained networks classify"
    )
    untrained: Name | None = Field(
        None,
        description="section of class_sets: its groups outside the experiment's classes are "
        "recognised by the network's features; null: none",
    )


class SweepRow(Section):
    """One row of a sweep."""

    model: dict[str, Any] = Field({}, description="keys of the model that differ from the base")
    members: int = Field(1, ge=1, le=100, description="networks whose probabilities are averaged")


class Sweep(Section):
    """The same experiment with other hyper-parameters."""

    base: Name = Field(description="section of experiments")
    rows: list[SweepRow] = Field(min_length=1, description="one experiment each")


class Evaluation(Section):
    """How uncertainties and leakage are measured."""

    bootstrap_samples: int = Field(1000, ge=100, description="resamples of the test set")
    seed: int = Field(0, ge=0, description="seed of the bootstrap")
    leakage_threshold: Positive = Field(
        0.01,
        description="root-mean-square distance below which two descriptors count as the same",
    )


class Configuration(Section):
    """A whole study."""

    report: Report = Field(description="what is shown")
    sources: dict[Name, Source] = Field(min_length=1, description="databases")
    structures: Structures = Field(description="how the structures are made")
    reflections: Reflections = Field(
        default_factory=Reflections, description="what powder-type descriptors are made from"
    )
    descriptors: dict[Name, Descriptor] = Field(min_length=1, description="descriptors")
    class_sets: dict[Name, ClassSet] = Field(min_length=1, description="space groups distinguished")
    filters: dict[Name, Filter] = Field({}, description="outliers left out of training")
    splits: dict[Name, AnySplit] = Field(min_length=1, description="train, validation and test")
    models: dict[Name, Model] = Field(min_length=1, description="models")
    trainings: dict[Name, Training] = Field({}, description="training recipes")
    measured: dict[Name, Measured] = Field({}, description="sets of measured patterns")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="experiments")
    sweeps: dict[Name, Sweep] = Field({}, description="hyper-parameter sweeps")
    evaluation: Evaluation = Field(
        default_factory=Evaluation, description="uncertainties and leakage"
    )

    def experiments_to_run(self) -> list[str]:
        """Experiments of the report, those of its sweeps and series included."""
        names = list(self.report.experiments)
        for sweep in self.report.sweeps:
            names.extend(sweep_experiments(self, sweep))
        series = self.series()
        runs = [run for name in names for run in series.get(name, [name])]
        return list(dict.fromkeys(runs))

    def series(self) -> dict[str, list[str]]:
        """Experiments on disjoint test sets, and the experiments that each stands for."""
        return {
            name: numbered(name, split.sets)
            for name, experiment in self.experiments.items()
            if is_series(split := self.splits[experiment.split])
        }


def sweep_experiments(configuration: Configuration, sweep: str) -> list[str]:
    """Names of the experiments that a sweep expands to: `<sweep>_01`, `<sweep>_02`, ..."""
    return [f"{sweep}_{row:02d}" for row in range(1, len(configuration.sweeps[sweep].rows) + 1)]


def numbered(name: str, count: int) -> list[str]:
    """Names of what a section stands for: `<name>_1`, `<name>_2`, ..."""
    return [f"{name}_{number}" for number in range(1, count + 1)]
