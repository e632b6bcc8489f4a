"""Inputs of the report: paths of results, and the study they describe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffsym import tables
from diffsym.evaluation.series import summarise_series
from diffsym.files import read_json

STRUCTURE_COLUMNS = (
    "structure_id",
    "source",
    "name",
    "formula",
    "declared_symbol",
    "declared_space_group",
    "space_group",
    "space_group_by_tolerance",
    "structure_type",
    "primitive_volume",
    "number_density",
    "members",
    "licence",
)


@dataclass(frozen=True)
class ExperimentInputs:
    """One experiment of the configuration and the files it produced.

    Attributes
    ----------
    name, descriptor, split, classes, model, training
        Names of the experiment and of its configuration sections.
    members
        Number of ensemble members.
    seed
        Seed of the first member.
    sweep
        Name of the sweep the experiment is a row of, or None; each sweep has its own table.
    model_settings
        The model's section of the configuration.
    metrics
        The experiment's metrics.json.
    target
        What the network predicts: "space_group" or "crystal_system".
    filter
        Name of the filter that left outliers out of training, or None.
    cross_validation
        Whether each member validates on its own fold.
    series
        Name of the series on disjoint test sets that the experiment belongs to, or None.
    histories
        history.json of each member; empty for models not trained in epochs.
    courses
        epochs.json of each member; empty if the training keeps no snapshots.
    measured
        Set of measured patterns -> predictions table of each member.
    untrained
        untrained.json, or None if the experiment names no untrained groups.
    feature_maps
        feature_maps.npz of a network with streams, otherwise None.
    """

    name: str
    descriptor: str
    split: str
    classes: str
    model: str
    training: str | None
    members: int
    seed: int
    metrics: Path
    target: str = "space_group"
    filter: str | None = None
    cross_validation: bool = False
    series: str | None = None
    histories: Sequence[Path] = ()
    courses: Sequence[Path] = ()
    measured: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    untrained: Path | None = None
    feature_maps: Path | None = None
    sweep: str | None = None
    model_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def validation(self) -> str | None:
        """Folds that validate the members, in words; None for the split's validation set."""
        return f"{self.members} folds" if self.cross_validation else None


@dataclass(frozen=True)
class DescriptorInputs:
    """One descriptor table and the axis of its values.

    Attributes
    ----------
    kind
        Kind in the configuration, "pdf" for example; it chooses the report section.
    table
        The descriptor's Parquet file.
    axis
        Position of each value, in the units of the kind (A for "pdf", degrees for "powder", 1/A for
        "ideal").
    settings
        The descriptor's section of the configuration.
    """

    kind: str
    table: Path
    axis: NDArray[np.float64]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportInputs:
    """Everything the report shows, as paths and plain settings.

    Attributes
    ----------
    title
        Heading of the page.
    structures, rejected
        The structures and the rejected table.
    statistics
        results/structures.json; its `sources` gives the entries and structures of each source.
    tolerances, symprec
        Tolerances of `space_group_by_tolerance`, and the one used for `space_group`, in A.
    experiments
        In display order.
    descriptors
        By name.
    leakage
        Leakage reports by (descriptor, split).
    resolved_configuration
        The configuration as the workflow used it (YAML or JSON).
    provenance
        JSON files (versions, checksums, revision) by heading.
    benchmarks
        Snakemake's benchmark tables of each rule's jobs, by rule.
    """

    title: str
    structures: Path
    rejected: Path
    statistics: Path
    tolerances: Sequence[float]
    symprec: float
    experiments: Sequence[ExperimentInputs] = ()
    descriptors: Mapping[str, DescriptorInputs] = field(default_factory=dict)
    leakage: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    resolved_configuration: Path | None = None
    provenance: Mapping[str, Path] = field(default_factory=dict)
    benchmarks: Mapping[str, Sequence[Path]] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """An evaluated experiment as shown in figures.

    Attributes
    ----------
    inputs
        Its names and files.
    label
        What distinguishes it from other experiments on the same split.
    task
        Its split, plus its class set if experiments on the split differ in it. Only accuracies
        within one task can be compared.
    metrics
        Content of metrics.json.
    histories
        Content of each member's history.json.
    courses
        Content of each member's epochs.json.
    """

    inputs: ExperimentInputs
    label: str
    task: str
    metrics: Mapping[str, Any]
    histories: Sequence[Mapping[str, Any]]
    courses: Sequence[Mapping[str, Any]] = ()

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.inputs.split

    @property
    def validation_accuracy(self) -> float:
        """Top-1 accuracy on the validation set."""
        return self.metrics["parts"]["validation"]["accuracy"][0]["value"]

    @property
    def folds(self) -> Mapping[str, Any] | None:
        """Accuracies of the folds of a cross-validation; None without one."""
        return self.metrics["cross_validation"]

    @property
    def test(self) -> Mapping[str, Any]:
        """Metrics of the test set."""
        return self.metrics["parts"]["test"]

    @property
    def measured(self) -> Mapping[str, Mapping[str, Any]]:
        """Metrics of the sets of measured patterns, by the name of the set."""
        return self.metrics.get("measured", {})

    def on_measured(self, name: str) -> "Experiment":
        """The experiment with a set of measured patterns in place of the test set."""
        parts = {**self.metrics["parts"], "test": self.measured[name]["part"]}
        return replace(
            self,
            inputs=replace(self.inputs, split=f"measured: {name}"),
            task=f"measured: {name}",
            metrics={**self.metrics, "parts": parts},
        )


def labels(experiments: Sequence[ExperimentInputs]) -> list[str]:
    """Label each experiment by its model, by its descriptor if there are several, and so on.

    A label includes those of classes, training, target, filter and folds that distinguish
    experiments with the same model and descriptor.
    """
    parts = ["model"]
    if len({experiment.descriptor for experiment in experiments}) > 1:
        parts.append("descriptor")
    told_apart = {tuple(getattr(e, part) for part in parts) for e in experiments}
    parts += [
        part
        for part in ("classes", "training", "target", "filter", "validation")
        if len({(e.model, e.descriptor, getattr(e, part)) for e in experiments}) > len(told_apart)
    ]
    values = [[getattr(experiment, part) for part in parts] for experiment in experiments]
    return [", ".join(value for value in row if value is not None) for row in values]


def tasks(experiments: Sequence[ExperimentInputs]) -> list[str]:
    """Task of each experiment, see `Experiment`."""
    class_sets: dict[str, set[str]] = {}
    for experiment in experiments:
        class_sets.setdefault(experiment.split, set()).add(experiment.classes)
    return [
        e.split if len(class_sets[e.split]) == 1 else f"{e.split}, {e.classes}" for e in experiments
    ]


def by_task(experiments: Sequence[Experiment]) -> dict[str, list[Experiment]]:
    """Experiments of each task, both in the order given."""
    grouped: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        grouped.setdefault(experiment.task, []).append(experiment)
    return grouped


class Study:
    """The results behind a report, each file read once and only if a section needs it."""

    def __init__(self, inputs: ReportInputs) -> None:
        self.inputs = inputs

    @cached_property
    def structures(self) -> pd.DataFrame:
        """Unique structures, without coordinates."""
        return tables.read_table(
            self.inputs.structures, tables.STRUCTURES, STRUCTURE_COLUMNS
        ).to_pandas()

    @cached_property
    def rejected(self) -> pd.DataFrame:
        """Rejected entries."""
        return tables.read_table(self.inputs.rejected, tables.REJECTED).to_pandas()

    @cached_property
    def statistics(self) -> Mapping[str, Any]:
        """Counts of the structures stage."""
        return read_json(self.inputs.statistics)

    def _read(self, chosen: Sequence[ExperimentInputs]) -> list[Experiment]:
        return [
            Experiment(
                inputs=experiment,
                label=label,
                task=task,
                metrics=read_json(experiment.metrics),
                histories=[read_json(path) for path in experiment.histories],
                courses=[read_json(path) for path in experiment.courses],
            )
            for experiment, label, task in zip(chosen, labels(chosen), tasks(chosen), strict=True)
        ]

    @cached_property
    def experiments(self) -> list[Experiment]:
        """All experiments shown in figures; of a series, the one on the first test set."""
        chosen: dict[tuple[bool, str], ExperimentInputs] = {}
        for entry in self.inputs.experiments:
            if entry.sweep is None:
                chosen.setdefault((entry.series is None, entry.series or entry.name), entry)
        return self._read(list(chosen.values()))

    @cached_property
    def series(self) -> dict[str, list[Experiment]]:
        """All experiments of each series on disjoint test sets."""
        names = dict.fromkeys(
            e.series for e in self.inputs.experiments if e.series is not None and e.sweep is None
        )
        return {
            name: self._read([entry for entry in self.inputs.experiments if entry.series == name])
            for name in names
        }

    @cached_property
    def series_means(self) -> dict[str, dict[str, Any]]:
        """Means over the test sets of each series, see `diffsym.evaluation.series`."""
        return {
            name: summarise_series(
                [vars(run.inputs) for run in runs], [run.metrics for run in runs]
            )
            for name, runs in self.series.items()
        }

    @cached_property
    def sweeps(self) -> dict[str, list[Experiment]]:
        """Experiments of each sweep."""
        names = dict.fromkeys(e.sweep for e in self.inputs.experiments if e.sweep is not None)
        return {
            name: self._read([entry for entry in self.inputs.experiments if entry.sweep == name])
            for name in names
        }

    @cached_property
    def leakage(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Leakage reports by (descriptor, split)."""
        return {key: read_json(path) for key, path in self.inputs.leakage.items()}

    @property
    def classes(self) -> list[int]:
        """Space groups that are a class of any experiment."""
        return sorted({n for e in self.experiments for n in e.metrics["classes"]})

    def described(self, kind: str | None = None) -> pd.DataFrame:
        """Structures that have every descriptor, or every descriptor of a kind."""
        structures = self.structures
        for descriptor in self.inputs.descriptors.values():
            if kind in (None, descriptor.kind):
                described = tables.read_table(descriptor.table, columns=["structure_id"])
                identifiers = described["structure_id"].to_pylist()
                structures = structures[structures["structure_id"].isin(identifiers)]
        return structures

    @cached_property
    def example(self) -> Mapping[str, Any]:
        """The structure whose descriptors are shown: the first of the most common space group.

        Only structures that have every descriptor are considered.
        """
        return first_of_commonest(self.described())


def first_of_commonest(structures: pd.DataFrame) -> dict[str, Any]:
    """The first structure of the most common space group."""
    commonest = structures["space_group"].mode().iloc[0]
    return dict(structures[structures["space_group"] == commonest].iloc[0])
