"""The results of a study as the report reads them: typed, each file once and only if needed."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diffsym import tables
from diffsym.evaluation.examples import first_of_commonest
from diffsym.evaluation.scores import Effect, Metrics, Recognition, Series, SeriesSettings, Summary
from diffsym.evaluation.series import COMPARED_SETTINGS
from diffsym.evaluation.storage import read_scores
from diffsym.report.records import (
    Course,
    History,
    Leakage,
    SourceCounts,
    SourceRecord,
    Statistics,
)
from diffsym.report.views import Task, View
from diffsym.settings import values_of
from diffsym.structures.selection import STAGE
from diffsym.study.plan import Plan

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

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Experiment(View):
    """An evaluated experiment, and the view of its test set.

    Attributes
    ----------
    name
        Its name in the configuration.
    split
        Its split.
    settings
        The rest of its settings.
    model
        The model's section of the configuration.
    scores
        All its scores; `part` is those of the test set.
    histories, courses
        Learning curves and accuracies over the epochs of each member; empty for models that record
        none.
    """

    name: str
    split: str
    settings: SeriesSettings
    model: Mapping[str, Any]
    scores: Metrics
    histories: Sequence[History] = ()
    courses: Sequence[Course] = ()

    @property
    def validation_accuracy(self) -> float:
        """Top-1 accuracy on the validation set."""
        return self.scores.parts.validation.accuracy[0].value

    def on_measured(self, name: str) -> View:
        """The view of a set of measured patterns."""
        part = self.scores.measured[name].part
        assert part is not None
        return View(label=self.label, task=Task(f"measured: {name}"), part=part)


@dataclass(frozen=True)
class Descriptor:
    """One descriptor table.

    Attributes
    ----------
    kind
        Kind in the configuration; it chooses the section of the report.
    table
        The table's file.
    settings
        Its section.
    """

    kind: str
    table: Path
    settings: Any

    @property
    def axis(self) -> NDArray[np.float64]:
        """Position of each value, in the units of the kind."""
        axis: NDArray[np.float64] = importlib.import_module(self.settings.module).axis(
            self.settings
        )
        return axis


def labels(chosen: Sequence[SeriesSettings], without: Sequence[str] = ()) -> list[str]:
    """Label each experiment by its model, by its descriptor if there are several, and so on.

    A label includes those of classes, training, target, filter and folds that distinguish
    experiments with the same model and descriptor, except those in `without`.
    """
    values = [_names(settings) for settings in chosen]
    parts = ["model"]
    if len({names["descriptor"] for names in values}) > 1:
        parts.append("descriptor")
    told_apart = {tuple(names[part] for part in parts) for names in values}
    parts += [
        part
        for part in ("classes", "training", "target", "filter", "validation")
        if part not in without
        and len({(n["model"], n["descriptor"], n[part]) for n in values}) > len(told_apart)
    ]
    return [", ".join(name for part in parts if (name := names[part])) for names in values]


def _names(settings: SeriesSettings) -> dict[str, str | None]:
    """What a label may name."""
    return {
        "model": settings.model,
        "descriptor": settings.descriptor,
        "classes": settings.classes,
        "training": settings.training,
        "target": settings.target,
        "filter": settings.filter,
        "validation": f"{settings.members} folds" if settings.cross_validation else None,
    }


class Results:
    """The results behind a report.

    Parameters
    ----------
    plan
        The study, and where its results lie.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.study = plan.study
        self.layout = plan.layout

    # Structures and descriptors

    @cached_property
    def structures(self) -> pd.DataFrame:
        """Unique structures, without coordinates."""
        return tables.read_table(
            self.layout.structures, tables.STRUCTURES, STRUCTURE_COLUMNS
        ).to_pandas()

    @cached_property
    def without_structure(self) -> pd.DataFrame:
        """Entries that were rejected or left out."""
        return tables.read_table(self.layout.rejected, tables.REJECTED).to_pandas()

    @property
    def rejected(self) -> pd.DataFrame:
        """Rejected entries."""
        return self.without_structure[self.without_structure["stage"] != STAGE]

    @property
    def left_out(self) -> pd.DataFrame:
        """Entries that the filters of their source left out."""
        return self.without_structure[self.without_structure["stage"] == STAGE]

    @cached_property
    def sources(self) -> Mapping[str, SourceCounts]:
        """Counts of each source."""
        return read_scores(self.layout.statistics, Statistics).sources

    @cached_property
    def source_records(self) -> dict[str, SourceRecord]:
        """What each source says of itself."""
        return {
            name: read_scores(self.layout.source_record(name), SourceRecord)
            for name in self.study.structures.sources
        }

    @cached_property
    def descriptors(self) -> dict[str, Descriptor]:
        """Descriptors that experiments use, by name."""
        return {
            name: Descriptor(
                self.study.descriptors[name].kind,
                Path(self.layout.descriptor(name)),
                self.study.descriptors[name],
            )
            for name in self.plan.used("descriptor")
        }

    @cached_property
    def example(self) -> Mapping[str, Any]:
        """The structure whose descriptors are shown: the first of the most common space group.

        Only structures that have every descriptor are considered.
        """
        structures = self.structures
        for descriptor in self.descriptors.values():
            described = tables.read_table(descriptor.table, columns=["structure_id"])
            identifiers = described["structure_id"].to_pylist()
            structures = structures[structures["structure_id"].isin(identifiers)]
        return first_of_commonest(structures)

    def gallery(self, descriptor: str) -> Arrays:
        """Patterns of structures from several crystal systems."""
        return _arrays(self.layout.gallery(descriptor))

    # Experiments

    @cached_property
    def summary(self) -> Summary:
        """Headline numbers of all experiments."""
        return read_scores(self.layout.summary, Summary)

    @cached_property
    def experiments(self) -> list[Experiment]:
        """All experiments shown in figures; of a series, the one on the first test set."""
        return self._read(self.plan.shown())

    @cached_property
    def sweeps(self) -> dict[str, list[Experiment]]:
        """Experiments of each sweep."""
        rows: dict[str, list[str]] = {}
        for name, sweep in self.plan.sweep_of_experiments().items():
            rows.setdefault(sweep, []).append(name)
        return {sweep: self._read(names) for sweep, names in rows.items()}

    def _read(self, names: Sequence[str]) -> list[Experiment]:
        """Experiments with what labels and tasks tell them apart."""
        sections = [self.study.experiments[name] for name in names]
        settings = [
            SeriesSettings(**{key: getattr(section, key) for key in COMPARED_SETTINGS})
            for section in sections
        ]
        class_sets: dict[str, set[str]] = {}
        for section in sections:
            class_sets.setdefault(section.split, set()).add(section.classes)
        histories, courses = self.plan.histories(), self.plan.followed_epochs()
        experiments = []
        for name, section, own, label in zip(
            names, sections, settings, labels(settings), strict=True
        ):
            scores = read_scores(self.layout.experiment(name, "metrics.json"), Metrics)
            several = len(class_sets[section.split]) > 1
            experiments.append(
                Experiment(
                    label=label,
                    task=Task(section.split, section.classes if several else None),
                    part=scores.parts.test,
                    name=name,
                    split=section.split,
                    settings=own,
                    model=values_of(self.plan.model(name)),
                    scores=scores,
                    histories=[read_scores(path, History) for path in histories.get(name, [])],
                    courses=[read_scores(path, Course) for path in courses.get(name, [])],
                )
            )
        return experiments

    @cached_property
    def series(self) -> dict[str, Series]:
        """Means over the test sets of each series that is no row of a sweep."""
        rows = self.plan.sweep_of_experiments()
        return {
            name: self.summary.series[name]
            for name, runs in self.plan.series().items()
            if runs[0] not in rows
        }

    @property
    def effects(self) -> list[Effect]:
        """What distinguishes these series."""
        return [
            effect
            for effect in self.summary.effects
            if effect.series in self.series and effect.reference in self.series
        ]

    @property
    def classes(self) -> list[int]:
        """Space groups that are a class of any experiment."""
        return sorted({n for e in self.experiments for n in e.scores.classes})

    @cached_property
    def leakage(self) -> dict[tuple[str, str], Leakage]:
        """Leakage by descriptor and split."""
        return {
            pair: read_scores(self.layout.leakage(*pair), Leakage)
            for pair in self.plan.leakage_pairs()
        }

    def measured_predictions(self, experiment: str) -> dict[str, list[pa.Table]]:
        """Predictions of each member for each set of measured patterns."""
        return {
            name: [tables.read_table(path) for path in paths]
            for name, paths in self.plan.measured_predictions(experiment).items()
        }

    @cached_property
    def answered(self) -> dict[str, pa.Table]:
        """Answers by the search for each set of measured patterns of the user."""
        return {
            name: tables.read_table(self.layout.answered(name), tables.ANSWERED)
            for name in self.plan.answered_sets()
        }

    @cached_property
    def recognitions(self) -> dict[str, Recognition]:
        """Recognition of untrained groups, by experiment."""
        return {
            name: read_scores(path, Recognition) for name, path in self.plan.untrained().items()
        }

    @cached_property
    def feature_maps(self) -> dict[str, Arrays]:
        """Feature maps, by experiment."""
        return {name: _arrays(path) for name, path in self.plan.feature_maps().items()}

    # How they were made

    @property
    def provenance(self) -> dict[str, Path]:
        """Records of software and data, by heading."""
        return {
            "Software": Path(self.layout.provenance("software.json")),
            "Data": Path(self.layout.provenance("data.json")),
        }

    @property
    def configuration(self) -> str:
        """The resolved configuration, YAML."""
        return Path(self.layout.provenance("config.yaml")).read_text(encoding="utf-8")

    @property
    def benchmarks(self) -> dict[str, list[Path]]:
        """Snakemake's measurements of the jobs of each rule, where there are any."""
        return {
            rule: [Path(path) for path in paths if Path(path).exists()]
            for rule, paths in self.plan.benchmarks().items()
        }


def _arrays(path: str) -> Arrays:
    """Content of a NumPy archive."""
    with np.load(path) as stored:
        return dict(stored)
