"""What the rules share: the validated configuration and functions that derive from it."""

import hashlib
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from diffsym.config import (
    DisjointSets,
    IdealDescriptor,
    Logistic,
    PowderDescriptor,
    SpgVolNet,
    StreamNetwork,
    is_series,
    load_configuration,
    sweep_experiments,
)
from diffsym.errors import DiffsymError
from diffsym.provenance import code_digest


wildcard_constraints:
    source=r"[a-z][a-z0-9_]*",
    shard=r"\d+",
    descriptor=r"[a-z][a-z0-9_]*",
    class_set=r"[a-z][a-z0-9_]*",
    filter=r"[a-z][a-z0-9_]*",
    split=r"[a-z][a-z0-9_]*",
    experiment=r"[a-z][a-z0-9_]*",
    member=r"\d+",
    measured=r"[a-z][a-z0-9_]*",
    # A set of measured patterns, or test structures of a split as such a set.
    patterns=r"[a-z][a-z0-9_]*(-[a-z][a-z0-9_]*)?",


try:
    STUDY = load_configuration(config)
except DiffsymError as error:
    raise WorkflowError(str(error)) from None

SHARDS = range(STUDY.structures.shards)
EXPERIMENTS = STUDY.experiments_to_run()


def settings(section, name, without=()):
    """The keys of a named section as plain values."""
    return getattr(STUDY, section)[name].model_dump(mode="json", exclude=set(without))


AMCSD_WHEEL = "data/downloads/xraylarch-0.9.81-py3-none-any.whl"


def source_path(source):
    """What a source reads: the downloaded database, or the folder or file of the user."""
    return AMCSD_WHEEL if source.kind == "amcsd" else source.path


@cache
def listing_digest(path):
    """Digest of names, sizes and times of a folder's files, of which Snakemake sees no change."""
    folder = Path(path)
    if not folder.is_dir():
        return None
    lines = [
        f"{path.relative_to(folder)} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def require(key, path, what):
    """End with a sentence if a file or folder of the user is not there."""
    if not Path(path).exists():
        raise WorkflowError(f"{key}: '{path}' does not exist; set it to {what}")


for name in STUDY.structures.sources:
    source = STUDY.sources[name]
    if source.kind == "local":
        what = "your folder of CIF/POSCAR files or to your Parquet file"
        require(f"sources.{name}.path", source.path, what)

for experiment in EXPERIMENTS:
    for name in STUDY.experiments[experiment].measured:
        if STUDY.measured[name].kind == "patterns":
            what = "your folder with patterns.csv or to your NumPy archive"
            require(f"measured.{name}.path", STUDY.measured[name].path, what)


def script_digest(script, *modules):
    """Digest of the code that a rule's script runs, see diffsym.provenance."""
    return code_digest(Path(workflow.basedir) / "workflow" / "scripts" / script, *modules)


def request(base, per_input_mb=0.0):
    """Memory in MB or minutes: a constant and a part for each MB of input, more at each attempt."""
    return lambda wildcards, input, attempt: int(attempt * (base + per_input_mb * input.size_mb))


def experiment_settings(wildcards):
    return STUDY.experiments[wildcards.experiment]


def model_module(wildcards):
    model = STUDY.models[experiment_settings(wildcards).model]
    return f"diffsym.models.{model.kind}"


def member_seed(wildcards):
    return experiment_settings(wildcards).seed + int(wildcards.member)


def validation_fold(wildcards):
    """The fold on which a member of a cross-validation validates; None: as the split says."""
    return int(wildcards.member) if experiment_settings(wildcards).cross_validation else None


def one_of(names):
    """Regular expression that matches exactly the given names, and nothing if there are none."""
    return "|".join(names) or r"(?!)"


LOGISTIC_EXPERIMENTS = [
    name
    for name, experiment in STUDY.experiments.items()
    if isinstance(STUDY.models[experiment.model], Logistic)
]
NETWORK_EXPERIMENTS = [name for name in STUDY.experiments if name not in LOGISTIC_EXPERIMENTS]


def used(part):
    """Named sections that the experiments of the report refer to, in the order of their use."""
    return list(dict.fromkeys(getattr(STUDY.experiments[name], part) for name in EXPERIMENTS))


def descriptor_tables():
    return [f"results/descriptors/{name}.parquet" for name in used("descriptor")]


def made_from_reflections(descriptor):
    return isinstance(STUDY.descriptors[descriptor], PowderDescriptor | IdealDescriptor)


def descriptor_environment(wildcards):
    """The conda environment of a descriptor: diffpy.srreal has a package for conda only."""
    engine = getattr(STUDY.descriptors[wildcards.descriptor], "engine", None)
    return f"../envs/{'srreal' if engine == 'srreal' else 'descriptors'}.yaml"


def descriptor_input(wildcards):
    """What a shard of a descriptor is computed from."""
    files = {"structures": "results/structures.parquet"}
    if made_from_reflections(wildcards.descriptor):
        files["reflections"] = f"results/reflections/shard-{wildcards.shard}.parquet"
    return files


def split_tables():
    return [f"results/splits/{name}.parquet" for name in used("split")]


def filter_table(section):
    """The table of the filter and the class set that an experiment or a split names."""
    return f"results/filters/{section.filter}/{section.classes}.parquet"


def disjoint_sets(wildcards):
    """Whether a split is one of a series with disjoint test sets."""
    return isinstance(STUDY.splits[wildcards.split], DisjointSets)


def split_input(wildcards):
    """Tables that a split is made from."""
    files = {"structures": "results/structures.parquet"}
    if disjoint_sets(wildcards):
        split = STUDY.splits[wildcards.split]
        files["descriptor"] = f"results/descriptors/{split.descriptor}.parquet"
        files["filter"] = filter_table(split)
    return files


def split_modules(wildcards):
    """Modules that splitting imports by name."""
    return ["diffsym.datasets.disjoint_sets"] if disjoint_sets(wildcards) else []


def filters_in_use():
    """Filters and class sets that meet in an experiment or in its split."""
    experiments = [STUDY.experiments[name] for name in EXPERIMENTS]
    sections = experiments + [STUDY.splits[name] for name in used("split")]
    pairs = dict.fromkeys(
        (section.filter, section.classes)
        for section in sections
        if getattr(section, "filter", None) is not None
    )
    return [list(pair) for pair in pairs]


def leakage_pairs():
    """Descriptors and splits that meet in an experiment."""
    pairs = dict.fromkeys(
        (STUDY.experiments[name].descriptor, STUDY.experiments[name].split) for name in EXPERIMENTS
    )
    return [list(pair) for pair in pairs]


def leakage_files():
    return [f"results/leakage/{descriptor}/{split}.json" for descriptor, split in leakage_pairs()]


def member_files(experiment, name):
    return [
        f"results/experiments/{experiment}/members/{member}/{name}"
        for member in range(STUDY.experiments[experiment].members)
    ]


def all_predictions():
    return [path for name in EXPERIMENTS for path in member_files(name, "predictions.parquet")]


def histories():
    """Learning curves of the members of each network."""
    return {
        name: member_files(name, "history.json")
        for name in EXPERIMENTS
        if name in NETWORK_EXPERIMENTS
    }


def sweep_of_experiments():
    """The sweep that an experiment is a row of, for those that are."""
    return {
        experiment: sweep
        for sweep in STUDY.report.sweeps
        for row in sweep_experiments(STUDY, sweep)
        for experiment in STUDY.series().get(row, [row])
    }


def untrained_results():
    """Recognition of untrained groups by each experiment that names some; sweeps do not show it."""
    return {
        name: f"results/experiments/{name}/untrained.json"
        for name in EXPERIMENTS
        if STUDY.experiments[name].untrained and name not in sweep_of_experiments()
    }


def feature_maps():
    """Feature maps of each network with streams; sweeps do not show them."""
    return {
        name: f"results/experiments/{name}/feature_maps.npz"
        for name in EXPERIMENTS
        if isinstance(STUDY.models[STUDY.experiments[name].model], StreamNetwork)
        and name not in sweep_of_experiments()
    }


def class_sets_in_use():
    """Class sets of experiments, and those of untrained groups."""
    untrained = [STUDY.experiments[name].untrained for name in untrained_results()]
    return list(dict.fromkeys([*used("classes"), *untrained]))


def series_in_use():
    """The experiments of each series on disjoint test sets that runs."""
    return {name: runs for name, runs in STUDY.series().items() if set(runs) <= set(EXPERIMENTS)}


def benchmark_files():
    """Snakemake's measurements of the jobs behind the report, by rule."""
    members = {
        name: [f"{name}-{member}" for member in range(STUDY.experiments[name].members)]
        for name in EXPERIMENTS
    }
    jobs = {
        "parse_structures": [f"{s}-{shard}" for s in STUDY.structures.sources for shard in SHARDS],
        "describe_source": list(STUDY.structures.sources),
        "compute_reflections": (
            [str(shard) for shard in SHARDS]
            if any(made_from_reflections(d) for d in used("descriptor"))
            else []
        ),
        "compute_descriptor": [f"{d}-{shard}" for d in used("descriptor") for shard in SHARDS],
        "assemble_descriptor": used("descriptor"),
        "make_filter": [f"{name}-{class_set}" for name, class_set in filters_in_use()],
        "make_split": used("split"),
        "select_classes": class_sets_in_use(),
        "measure_leakage": [f"{descriptor}-{split}" for descriptor, split in leakage_pairs()],
        "fit_logistic": [
            job for e in EXPERIMENTS if e in LOGISTIC_EXPERIMENTS for job in members[e]
        ],
        "train_network": [
            job for e in EXPERIMENTS if e in NETWORK_EXPERIMENTS for job in members[e]
        ],
        "read_measured": sorted(measured_in_use() & set(measured_of_kind("patterns"))),
        "simulate_measured": sorted(measured_in_use() - set(measured_of_kind("patterns"))),
        "convert_measured": sorted(
            {
                f"{patterns}-{STUDY.experiments[e].descriptor}"
                for e in EXPERIMENTS
                for patterns in measured_patterns(e).values()
            }
        ),
        "predict_measured": [
            f"{job}-{patterns}"
            for e in EXPERIMENTS
            for patterns in measured_patterns(e).values()
            for job in members[e]
        ],
        "follow_epochs": [job for e in followed_epochs() for job in members[e]],
        "evaluate_experiment": EXPERIMENTS,
        "recognise_untrained": list(untrained_results()),
        "show_feature_maps": list(feature_maps()),
    }
    jobs = {name: [f"{name}/{job}" for job in names] for name, names in jobs.items()}
    for name in ("fetch_amcsd", "unique_structures", "summarise"):
        jobs[name] = [name]
    return {
        name: [f"results/benchmarks/{job}.tsv" for job in names] for name, names in jobs.items()
    }


def all_metrics():
    return [f"results/experiments/{name}/metrics.json" for name in EXPERIMENTS]


def experiment_input(wildcards):
    """Tables that every model of an experiment reads."""
    experiment = experiment_settings(wildcards)
    files = {
        "descriptor": f"results/descriptors/{experiment.descriptor}.parquet",
        "split": f"results/splits/{experiment.split}.parquet",
        "classes": f"results/classes/{experiment.classes}.json",
    }
    if experiment.filter is not None:
        files["filter"] = filter_table(experiment)
    return files


def augmented_patterns(wildcards):
    """The descriptor's settings if its patterns are rendered while the network trains."""
    name = experiment_settings(wildcards).descriptor
    augmented = getattr(STUDY.descriptors[name], "augmentation", None) is not None
    return settings("descriptors", name, without=["kind", "peaks"]) if augmented else None


def network_input(wildcards):
    """Tables that a network reads: patterns are rendered from the reflections."""
    files = experiment_input(wildcards)
    if augmented_patterns(wildcards):
        files["descriptor"] = expand("results/reflections/shard-{shard}.parquet", shard=SHARDS)
    if isinstance(STUDY.models[experiment_settings(wildcards).model], SpgVolNet):
        files["structures"] = "results/structures.parquet"
    return files


def feeding_modules(wildcards):
    """Modules that feeding a network imports by name."""
    return ["diffsym.datasets.augmented"] if augmented_patterns(wildcards) else []


def network_modules(wildcards):
    """Modules that training imports by name."""
    return [model_module(wildcards), *feeding_modules(wildcards)]


def untrained_input(wildcards):
    """Networks whose features recognise untrained groups, and the structures of these."""
    experiment = experiment_settings(wildcards)
    files = experiment_input(wildcards)
    # Outliers are left out of training, and nothing is trained here.
    files.pop("filter", None)
    return files | {
        "untrained": f"results/classes/{experiment.untrained}.json",
        "models": member_files(wildcards.experiment, "model.keras"),
    }


def measured_of_kind(kind):
    """Sets of measured patterns of one kind."""
    return [name for name, measured in STUDY.measured.items() if measured.kind == kind]


def measured_patterns(experiment):
    """Tables of measured patterns that an experiment classifies, by the name of their set."""
    split = STUDY.experiments[experiment].split
    return {
        name: f"{name}-{split}" if name in measured_of_kind("simulated") else name
        for name in STUDY.experiments[experiment].measured
    }


def measured_in_use():
    """Tables of measured patterns that any experiment classifies."""
    return {patterns for e in EXPERIMENTS for patterns in measured_patterns(e).values()}


def measured_predictions(experiment):
    """Predictions of all members for each set of measured patterns that an experiment classifies."""
    return {
        name: member_files(experiment, f"measured/{patterns}.parquet")
        for name, patterns in measured_patterns(experiment).items()
    }


def measured_input(wildcards):
    """What a network needs to classify measured patterns."""
    experiment = experiment_settings(wildcards)
    return {
        "patterns": f"results/measured/{wildcards.patterns}.parquet",
        "measured": f"results/measured/{wildcards.patterns}/{experiment.descriptor}.parquet",
        "classes": f"results/classes/{experiment.classes}.json",
    }


def followed_input(wildcards):
    """Measured patterns on which a network is followed over its epochs."""
    tables = measured_patterns(wildcards.experiment).values()
    descriptor = experiment_settings(wildcards).descriptor
    return {
        "patterns": [f"results/measured/{name}.parquet" for name in tables],
        "measured": [f"results/measured/{name}/{descriptor}.parquet" for name in tables],
    }


def followed_epochs():
    """Accuracies over the epochs of the members of each network that keeps snapshots."""
    return {
        name: member_files(name, "epochs.json")
        for name in EXPERIMENTS
        if name in NETWORK_EXPERIMENTS
        and STUDY.trainings[STUDY.experiments[name].training].snapshot_every is not None
    }


def class_list_file(wildcards):
    """The published list that a class set names, if it names one."""
    named = STUDY.class_sets[wildcards.class_set].named
    return [f"data/class_sets/{named}.csv"] if named else []
