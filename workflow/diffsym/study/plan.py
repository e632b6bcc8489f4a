"""Which job needs which files, settings and modules.

Every method answers one question about the configuration, for names in place of wildcards. Rules
ask; they decide nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from diffsym.settings import as_plain
from diffsym.settings.measured.readers import MODULES
from diffsym.settings.models.base import Model
from diffsym.study.configuration import Configuration, sweep_experiments
from diffsym.study.layout import Layout

# Files by the name under which a script finds them.
Files = dict[str, str | list[str]]


class Plan:
    """A study as the jobs that it takes.

    Parameters
    ----------
    study
        With every default filled in, and sweeps and series expanded.
    layout
        Where results lie.
    """

    def __init__(self, study: Configuration, layout: Layout) -> None:
        self.study = study
        self.layout = layout
        self.experiments = study.experiments_to_run()
        self.shards = range(study.structures.shards)

    def settings(self, section: str, name: str, without: Iterable[str] = ()) -> dict[str, Any]:
        """The keys of a named section as plain values."""
        plain = as_plain(getattr(self.study, section)[name])
        return {key: value for key, value in plain.items() if key not in set(without)}

    def used(self, part: str) -> list[str]:
        """Named sections that the experiments of the report refer to, in the order of their use."""
        return list(
            dict.fromkeys(getattr(self.study.experiments[name], part) for name in self.experiments)
        )

    # Structures

    def source_path(self, source: str) -> str:
        """What a source reads: the file that it fetches, or the folder or file of the user."""
        section: Any = self.study.sources[source]
        return self.download(section.file()) if section.download else section.path

    def download(self, file: str = "{download}") -> str:
        """Where a file is fetched to."""
        return f"{self.layout.downloads}/{file}"

    @cached_property
    def downloads(self) -> dict[str, str]:
        """Files that are fetched, each with the key of a section that reads it."""
        sections: dict[str, Any] = {
            f"{kind}.{name}": section
            for kind in ("sources", "measured")
            for name, section in getattr(self.study, kind).items()
        }
        return {
            str(section.file()): key
            for key, section in sections.items()
            if getattr(section, "download", None)
        }

    @property
    def missing_downloads(self) -> list[str]:
        """Files that have yet to be fetched.

        One that lies there is like a file of the user, whoever put it there and whatever changed
        since: to Snakemake it would be an output that it deletes before it is made again.
        """
        return [file for file in self.downloads if not Path(self.download(file)).exists()]

    def fetched_source(self, file: str) -> dict[str, Any]:
        """The keys of a section that fetches a file."""
        return self.settings(*self.downloads[file].split("."))

    def source_module(self, source: str) -> str:
        """Module that reads a source."""
        return self.study.sources[source].module

    def user_files(self) -> Iterable[tuple[str, str, str]]:
        """Files and folders of the user: key, path, and what it is to be set to."""
        for name in self.study.structures.sources:
            source: Any = self.study.sources[name]
            if not source.download:
                yield f"sources.{name}.path", source.path, source.wanted
            elif getattr(source, "numbers", None):
                yield f"sources.{name}.numbers", source.numbers, "a list of numbers, one per line"
        for name in self.sets_in_use():
            measured: Any = self.study.measured[name]
            if not measured.simulated and not measured.download:
                yield f"measured.{name}.path", measured.path, measured.wanted

    def files_in_use(self) -> set[str]:
        """What the sources and the sets of measured patterns of the report read."""
        read = [name for name in self.sets_in_use() if name in self.read]
        return {
            *map(self.source_path, self.study.structures.sources),
            *map(self.measured_path, read),
        }

    # Descriptors

    def from_reflections(self, descriptor: str) -> bool:
        """Whether a descriptor is computed from powder lines."""
        return self.study.descriptors[descriptor].from_reflections

    def descriptor_module(self, descriptor: str) -> str:
        """Module that computes a descriptor."""
        return self.study.descriptors[descriptor].module

    def descriptor_environment(self, descriptor: str) -> str:
        """Conda environment of a descriptor."""
        return self.study.descriptors[descriptor].environment

    def descriptor_files(self, descriptor: str, shard: str | int) -> Files:
        """What a shard of a descriptor is computed from."""
        files: Files = {"structures": self.layout.structures}
        if self.from_reflections(descriptor):
            files["reflections"] = self.layout.reflections(shard)
        return files

    def galleries(self) -> dict[str, list[str]]:
        """Electron-diffraction descriptors that differ only in the pattern, by the first of them.

        They share a gallery.
        """
        shared: dict[str, list[str]] = {}
        for name in self.electron_descriptors():
            key = json.dumps(self.gallery_settings(name), sort_keys=True)
            shared.setdefault(key, []).append(name)
        return {names[0]: names for names in shared.values()}

    def electron_descriptors(self) -> list[str]:
        """Electron-diffraction descriptors that the report needs."""
        return [d for d in self.used("descriptor") if self.study.descriptors[d].has_images]

    def gallery_settings(self, descriptor: str) -> dict[str, Any]:
        """Keys of a descriptor that its gallery depends on."""
        return self.settings("descriptors", descriptor, without=["pattern"])

    def gallery_files(self) -> Files:
        """Structures to choose from: those that have every electron-diffraction pattern."""
        return {
            "structures": self.layout.structures,
            "descriptors": [self.layout.descriptor(name) for name in self.electron_descriptors()],
        }

    def descriptor_tables(self) -> list[str]:
        """Descriptor tables that the report needs."""
        return [self.layout.descriptor(name) for name in self.used("descriptor")]

    def reflections(self) -> list[str]:
        """Powder lines of all structures."""
        return [self.layout.reflections(shard) for shard in self.shards]

    # Data sets

    def split_tables(self) -> list[str]:
        """Splits that the report needs."""
        return [self.layout.split(name) for name in self.used("split")]

    @cached_property
    def single_splits(self) -> list[str]:
        """Splits that stand for themselves, not for a series."""
        return [name for name, split in self.study.splits.items() if split.parts is None]

    def split_files(self, split: str) -> Files:
        """Tables that a split is made from."""
        files: Files = {"structures": self.layout.structures}
        section: Any = self.study.splits[split]
        if section.profiles is not None:
            files["descriptor"] = self.layout.descriptor(section.profiles)
            files["filter"] = self.layout.filter(section.filter, section.classes)
        return files

    def split_module(self, split: str) -> str:
        """Module that makes a split."""
        return self.study.splits[split].module

    def filters(self) -> list[tuple[str, str]]:
        """Filters and class sets that meet in an experiment or in its split."""
        sections: list[Any] = [self.study.experiments[name] for name in self.experiments]
        sections += [self.study.splits[name] for name in self.used("split")]
        pairs = (
            (section.filter, section.classes)
            for section in sections
            if getattr(section, "filter", None) is not None
        )
        return list(dict.fromkeys(pairs))

    def class_sets(self) -> list[str]:
        """Class sets of experiments, and those of untrained groups."""
        untrained = (self.study.experiments[name].untrained for name in self.untrained())
        return list(dict.fromkeys([*self.used("classes"), *filter(None, untrained)]))

    def class_list(self, class_set: str) -> list[str]:
        """The published list that a class set names, if it names one."""
        named = self.study.class_sets[class_set].named
        return [f"data/class_sets/{named}.csv"] if named else []

    def leakage_pairs(self) -> list[tuple[str, str]]:
        """Descriptors and splits that meet in an experiment."""
        experiments = (self.study.experiments[name] for name in self.experiments)
        return list(dict.fromkeys((e.descriptor, e.split) for e in experiments))

    def leakage_files(self) -> list[str]:
        """Leakage of the splits that the report needs."""
        return [self.layout.leakage(*pair) for pair in self.leakage_pairs()]

    # Models

    @cached_property
    def logistic_experiments(self) -> list[str]:
        """Experiments with logistic regressions."""
        return [
            name
            for name, experiment in self.study.experiments.items()
            if not self.study.models[experiment.model].is_network
        ]

    @cached_property
    def network_experiments(self) -> list[str]:
        """Experiments with networks."""
        return [name for name in self.study.experiments if name not in self.logistic_experiments]

    def model(self, experiment: str) -> Model:
        """Settings of an experiment's model."""
        return self.study.models[self.study.experiments[experiment].model]

    def model_module(self, experiment: str) -> str:
        """Module of an experiment's model."""
        return self.model(experiment).module

    def model_settings(self, experiment: str) -> dict[str, Any]:
        """Keys of an experiment's model."""
        return self.settings("models", self.study.experiments[experiment].model)

    def training_settings(self, experiment: str) -> dict[str, Any]:
        """Keys of an experiment's training."""
        return self.settings("trainings", str(self.study.experiments[experiment].training))

    def target(self, experiment: str) -> str:
        """What an experiment tells apart."""
        return self.study.experiments[experiment].target

    def seed(self, experiment: str, member: str | int) -> int:
        """Seed of a member."""
        return self.study.experiments[experiment].seed + int(member)

    def validation_fold(self, experiment: str, member: str | int) -> int | None:
        """Fold on which a member of a cross-validation validates; None: as the split says."""
        return int(member) if self.study.experiments[experiment].cross_validation else None

    def rendered_patterns(self, experiment: str) -> dict[str, Any] | None:
        """The descriptor's settings if its patterns are rendered while the network trains."""
        name = self.study.experiments[experiment].descriptor
        if not self.study.descriptors[name].is_rendered:
            return None
        return self.settings("descriptors", name, without=["peaks"])

    def experiment_files(self, experiment: str) -> Files:
        """Tables that every model of an experiment reads."""
        section = self.study.experiments[experiment]
        files: Files = {
            "descriptor": self.layout.descriptor(section.descriptor),
            "split": self.layout.split(section.split),
            "classes": self.layout.classes(section.classes),
        }
        if section.filter is not None:
            files["filter"] = self.layout.filter(section.filter, section.classes)
        return files

    def network_files(self, experiment: str) -> Files:
        """Tables that a network reads: patterns are rendered from the reflections."""
        files = self.experiment_files(experiment)
        if self.rendered_patterns(experiment):
            files["descriptor"] = self.reflections()
        if self.model(experiment).has_volume:
            files["structures"] = self.layout.structures
        return files

    def feeding_modules(self, experiment: str) -> list[str]:
        """Modules that feeding a network imports by name."""
        return ["diffsym.datasets.augmented"] if self.rendered_patterns(experiment) else []

    def network_modules(self, experiment: str) -> list[str]:
        """Modules that training imports by name."""
        return [self.model_module(experiment), *self.feeding_modules(experiment)]

    def member_files(self, experiment: str, name: str) -> list[str]:
        """A file of each member of an experiment."""
        members = range(self.study.experiments[experiment].members)
        return [self.layout.member(experiment, member, name) for member in members]

    def predictions(self) -> list[str]:
        """Predictions of all members of all experiments of the report."""
        return [
            path for e in self.experiments for path in self.member_files(e, "predictions.parquet")
        ]

    # Measured patterns

    @cached_property
    def simulated(self) -> list[str]:
        """Sets of measured patterns that are rendered from structures of a test part."""
        return [name for name, measured in self.study.measured.items() if measured.simulated]

    @cached_property
    def read(self) -> list[str]:
        """Sets of measured patterns of the user."""
        return [name for name in self.study.measured if name not in self.simulated]

    def sets_in_use(self) -> list[str]:
        """Sets of measured patterns that experiments of the report classify."""
        return list(
            dict.fromkeys(
                name for e in self.experiments for name in self.study.experiments[e].measured
            )
        )

    def measured_path(self, measured: str) -> str:
        """What a set is read from: the file that is fetched, or the user's folder or file."""
        section: Any = self.study.measured[measured]
        return self.download(section.file()) if section.download else section.path

    def reader_modules(self, measured: str) -> list[str]:
        """Modules that reading a set of measured patterns imports by name."""
        return [self.study.measured[measured].module, *MODULES]

    def patterns(self, experiment: str) -> dict[str, str]:
        """Sets of measured patterns that an experiment classifies.

        Each with the folder of the split that it is drawn from, see `Layout.measured`.
        """
        section = self.study.experiments[experiment]
        return {
            name: f"{section.split}/" if name in self.simulated else "" for name in section.measured
        }

    def patterns_in_use(self) -> set[tuple[str, str]]:
        """Sets of measured patterns that any experiment classifies, with their folders."""
        return {patterns for e in self.experiments for patterns in self.patterns(e).items()}

    def answered_sets(self) -> list[str]:
        """Sets of measured patterns that are answered by the search: those of the user."""
        return sorted({name for name, drawn in self.patterns_in_use() if not drawn})

    def answer_files(self, measured: str) -> Files:
        """What a set of measured patterns is answered with."""
        shards = self._shards_of_sources()
        return {
            "patterns": self.layout.measured(measured, drawn=""),
            "structures": [self.layout.parsed(*shard) for shard in shards],
            "lines": [self.layout.entry_lines(*shard) for shard in shards],
        }

    def pattern_search(self, measured: str) -> dict[str, Any]:
        """How lines are searched for in a set of measured patterns."""
        return self.settings("measured", measured)["search"]

    def conversion_module(self, descriptor: str) -> str:
        """Module that turns measured patterns into a descriptor."""
        return str(self.study.descriptors[descriptor].conversion)

    def measured_files(self, experiment: str, measured: str, drawn: str) -> Files:
        """What a network needs to classify measured patterns."""
        section = self.study.experiments[experiment]
        return {
            "patterns": self.layout.measured(measured, drawn),
            "measured": self.layout.converted(measured, drawn, section.descriptor),
            "classes": self.layout.classes(section.classes),
        }

    def measured_predictions(self, experiment: str) -> dict[str, list[str]]:
        """Predictions of all members for each set of measured patterns of an experiment."""
        return {
            name: self.member_files(experiment, f"measured/{drawn}{name}.parquet")
            for name, drawn in self.patterns(experiment).items()
        }

    def followed_files(self, experiment: str) -> Files:
        """Measured patterns on which a network is followed over its epochs."""
        sets = self.patterns(experiment).items()
        descriptor = self.study.experiments[experiment].descriptor
        return {
            "patterns": [self.layout.measured(*patterns) for patterns in sets],
            "measured": [self.layout.converted(*patterns, descriptor) for patterns in sets],
        }

    # Evaluation

    def cross_validation(self, experiment: str) -> bool:
        """Whether each member of an experiment validates on a fold of its own."""
        return self.study.experiments[experiment].cross_validation

    def evaluation_files(self, experiment: str) -> Files:
        """What the metrics of an experiment are computed from."""
        files = self.experiment_files(experiment)
        return {
            "split": files["split"],
            "predictions": self.member_files(experiment, "predictions.parquet"),
            "filter": files.get("filter", []),
            "measured": [
                path for paths in self.measured_predictions(experiment).values() for path in paths
            ],
        }

    def untrained_files(self, experiment: str) -> Files:
        """Networks whose features recognise untrained groups, and the structures of these."""
        files = self.experiment_files(experiment)
        # Outliers are left out of training, and nothing is trained here.
        files.pop("filter", None)
        return files | {
            "untrained": self.layout.classes(self.study.experiments[experiment].untrained or ""),
            "models": self.member_files(experiment, "model.keras"),
        }

    def feature_map_files(self, experiment: str) -> Files:
        """What the feature maps of an experiment's first member are computed from."""
        files = self.experiment_files(experiment)
        return {
            "descriptor": files["descriptor"],
            "classes": files["classes"],
            "model": self.layout.member(experiment, 0, "model.keras"),
            "predictions": self.layout.member(experiment, 0, "predictions.parquet"),
        }

    # Packs

    def packs(self) -> list[str]:
        """All packs."""
        return [self.layout.pack(name) for name in self.study.packs]

    def pack_ensembles(self, pack: str) -> dict[str, dict[str, Any]]:
        """What is packed of each experiment: what its networks are, and the files that say more."""
        return {name: self._packed(name) for name in self.study.packs[pack].experiments}

    def _packed(self, experiment: str) -> dict[str, Any]:
        section = self.study.experiments[experiment]
        return {
            "model": self.model(experiment).kind,
            "descriptor": as_plain(self.study.descriptors[section.descriptor]),
            "target": section.target,
            "split": self.study.splits[section.split].kind,
            "seeds": [self.seed(experiment, member) for member in range(section.members)],
            "metrics": self.layout.experiment(experiment, "metrics.json"),
            "histories": self.member_files(experiment, "history.json"),
            "networks": self.member_files(experiment, "model.keras"),
        }

    def _shards_of_sources(self) -> list[tuple[str, int]]:
        """Each shard of each source: the search knows copies too, since compositions differ."""
        structures = self.study.structures
        return [(name, shard) for name in structures.sources for shard in range(structures.shards)]

    def pack_files(self, pack: str) -> Files:
        """Everything that a pack is made from."""
        ensembles = self.pack_ensembles(pack).values()
        shards = self._shards_of_sources() if self.study.packs[pack].search else []
        return {
            "structures": [self.layout.parsed(*shard) for shard in shards],
            "reflections": [self.layout.entry_lines(*shard) for shard in shards],
            "sources": [self.layout.source_record(n) for n in self.study.structures.sources],
            "metrics": [ensemble["metrics"] for ensemble in ensembles],
            "histories": [path for ensemble in ensembles for path in ensemble["histories"]],
            "networks": [path for ensemble in ensembles for path in ensemble["networks"]],
        }

    # The report

    def metrics(self) -> list[str]:
        """Metrics of all experiments of the report."""
        return [self.layout.experiment(name, "metrics.json") for name in self.experiments]

    def histories(self) -> dict[str, list[str]]:
        """Learning curves of the members of each network."""
        return {
            name: self.member_files(name, "history.json")
            for name in self.experiments
            if name in self.network_experiments
        }

    def followed_epochs(self) -> dict[str, list[str]]:
        """Accuracies over the epochs of the members of each network that keeps snapshots."""
        return {
            name: self.member_files(name, "epochs.json")
            for name in self.experiments
            if name in self.network_experiments
            and self.study.trainings[str(self.study.experiments[name].training)].snapshot_every
        }

    def sweep_of_experiments(self) -> dict[str, str]:
        """The sweep that an experiment is a row of, for those that are."""
        return {
            experiment: sweep
            for sweep in self.study.report.sweeps
            for row in sweep_experiments(self.study, sweep)
            for experiment in self.study.series().get(row, [row])
        }

    def series(self) -> dict[str, list[str]]:
        """The experiments of each series on disjoint test sets that runs."""
        return {
            name: runs
            for name, runs in self.study.series().items()
            if set(runs) <= set(self.experiments)
        }

    def shown(self) -> list[str]:
        """Experiments that figures show: no row of a sweep, and of a series the first run."""
        rows = self.sweep_of_experiments()
        series_of = {run: name for name, runs in self.series().items() for run in runs}
        chosen: dict[tuple[bool, str], str] = {}
        for name in self.experiments:
            if name not in rows:
                chosen.setdefault((name not in series_of, series_of.get(name, name)), name)
        return list(chosen.values())

    def untrained(self) -> dict[str, str]:
        """Recognition of untrained groups by each experiment that names some, sweeps aside."""
        return {
            name: self.layout.experiment(name, "untrained.json")
            for name in self.experiments
            if self.study.experiments[name].untrained and name not in self.sweep_of_experiments()
        }

    def feature_maps(self) -> dict[str, str]:
        """Feature maps of each network with streams, sweeps aside."""
        return {
            name: self.layout.experiment(name, "feature_maps.npz")
            for name in self.experiments
            if self.model(name).has_streams and name not in self.sweep_of_experiments()
        }

    def report_files(self) -> Files:
        """Everything that the report reads."""
        measured = (self.measured_predictions(name).values() for name in self.experiments)
        return {
            "structures": self.layout.structures,
            "rejected": self.layout.rejected,
            "statistics": self.layout.statistics,
            "summary": self.layout.summary,
            "metrics": self.metrics(),
            "histories": [path for paths in self.histories().values() for path in paths],
            "courses": [path for paths in self.followed_epochs().values() for path in paths],
            "untrained": list(self.untrained().values()),
            "feature_maps": list(self.feature_maps().values()),
            "galleries": [self.layout.gallery(name) for name in self.galleries()],
            "measured": [path for sets in measured for paths in sets for path in paths],
            "answered": [self.layout.answered(name) for name in self.answered_sets()],
            "sources": [self.layout.source_record(n) for n in self.study.structures.sources],
            "descriptors": self.descriptor_tables(),
            "splits": self.split_tables(),
            "leakage": self.leakage_files(),
        }

    def jobs(self) -> Mapping[str, Sequence[str]]:
        """Jobs behind the report, by rule, as their logs and benchmarks are named."""
        members = {
            name: [f"{name}-{member}" for member in range(self.study.experiments[name].members)]
            for name in self.experiments
        }
        patterns = [
            (e, f"{drawn}{name}")
            for e in self.experiments
            for name, drawn in self.patterns(e).items()
        ]
        by_lines = any(map(self.from_reflections, self.used("descriptor")))
        named: dict[str, Sequence[str]] = {
            "fetch_source": [
                file for file in self.downloads if self.download(file) in self.files_in_use()
            ],
            "parse_structures": [
                f"{s}-{shard}" for s in self.study.structures.sources for shard in self.shards
            ],
            "describe_source": self.study.structures.sources,
            "compute_reflections": [str(shard) for shard in self.shards] if by_lines else [],
            "compute_descriptor": [
                f"{d}-{shard}" for d in self.used("descriptor") for shard in self.shards
            ],
            "assemble_descriptor": self.used("descriptor"),
            "make_filter": [f"{name}-{class_set}" for name, class_set in self.filters()],
            "make_split": self.used("split"),
            "select_classes": self.class_sets(),
            "measure_leakage": ["-".join(pair) for pair in self.leakage_pairs()],
            "fit_logistic": _jobs_of(members, self.logistic_experiments),
            "train_network": _jobs_of(members, self.network_experiments),
            "read_measured": self.answered_sets(),
            "index_entries": [
                f"{name}-{shard}"
                for name, shard in self._shards_of_sources()
                if self.answered_sets()
            ],
            "answer_measured": self.answered_sets(),
            "simulate_measured": sorted(f"{d}{name}" for name, d in self.patterns_in_use() if d),
            "convert_measured": sorted(
                {f"{self.study.experiments[e].descriptor}/{table}" for e, table in patterns}
            ),
            "predict_measured": [f"{table}/{job}" for e, table in patterns for job in members[e]],
            "follow_epochs": _jobs_of(members, list(self.followed_epochs())),
            "evaluate_experiment": self.experiments,
            "recognise_untrained": list(self.untrained()),
            "show_feature_maps": list(self.feature_maps()),
            "show_patterns": list(self.galleries()),
        }
        jobs = {rule: [f"{rule}/{job}" for job in names] for rule, names in named.items()}
        single = ("unique_structures", "summarise")
        return jobs | {rule: [rule] for rule in single}

    def benchmarks(self) -> dict[str, list[str]]:
        """Snakemake's measurements of the jobs behind the report, by rule."""
        return {
            rule: [self.layout.benchmark(job) for job in jobs] for rule, jobs in self.jobs().items()
        }


def threads_of_job(most: int, cores: int | None) -> int:
    """Threads of a job that can use several: at most half of a machine's cores.

    Two of them then run at a time, and while one starts or waits for data the other computes.

    Parameters
    ----------
    most
        What the job can use.
    cores
        Of the machine; None on a cluster.
    """
    return most if cores is None else max(1, min(most, cores // 2))


def _jobs_of(members: Mapping[str, Sequence[str]], experiments: Sequence[str]) -> list[str]:
    """Jobs of the members of some experiments, in the order of all."""
    return [job for name, jobs in members.items() if name in experiments for job in jobs]
