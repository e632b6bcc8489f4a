"""A small study whose files the report is made from."""

import dataclasses
import json
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from diffsym.report.inputs import DescriptorInputs, ExperimentInputs, ReportInputs
from scipy.sparse import csr_array

from diffsym import tables
from diffsym.descriptors import electron
from diffsym.evaluation.metrics import evaluate_experiment
from diffsym.evaluation.untrained import recognise
from diffsym.files import write_json, write_text
from diffsym.report.typesetting import symbol
from diffsym.settings import settings_of
from diffsym.structures.space_groups import crystal_system

CLASSES = [2, 14, 15, 62, 139, 166, 194, 225, 227]
HOSTILE = "<script>alert('name')</script>"
N = 400
TRAINED_ON = {"backend": "jax", "device": "NVIDIA A100"}


def of_schema(schema: pa.Schema, columns: dict) -> pa.Table:
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in schema}, schema=schema
    )


def structures(space_groups: np.ndarray) -> pa.Table:
    identifiers = [f"test:{i:04d}" for i in range(N)]
    cell = [4.0, 0, 0, 0, 4.0, 0, 0, 0, 4.0]
    plain = {
        "source": "test",
        "name": HOSTILE,
        "formula": "Fe2O3",
        "lattice": cell,
        "atomic_numbers": [26],
        "frac_coords": [0.0, 0.0, 0.0],
        "occupancies": [1.0],
        "orbits": [0],
        "declared_symbol": HOSTILE,
        "structure_type": "type",
        "primitive_volume": 64.0,
        "number_density": 1 / 64,
        "density": 1.0,
        "licence": "none",
        "reference": "none",
    }
    plain |= {
        f"conventional_{key}": plain[key]
        for key in ("lattice", "atomic_numbers", "frac_coords", "occupancies")
    }
    columns = {key: [value] * N for key, value in plain.items()}
    columns["name"][0] = None
    return of_schema(
        tables.STRUCTURES,
        columns
        | {
            "structure_id": identifiers,
            "entry_id": [identifier[5:] for identifier in identifiers],
            "declared_space_group": [None, *np.maximum(space_groups[1:] - 1, 1)],
            "space_group": space_groups,
            "hall_number": space_groups,
            "space_group_by_tolerance": [[None, n, max(n, 15)] for n in map(int, space_groups)],
            "crystal_system": [crystal_system(int(n)) for n in space_groups],
            "members": [[identifier] for identifier in identifiers],
        },
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


def measured_predictions(predictions: pa.Table) -> dict[str, pa.Table]:
    """Answers for two sets: of a laboratory, and test structures as patterns."""
    test = predictions.filter(pc.equal(predictions["role"], "test")).slice(0, 60)
    as_patterns = test.set_column(1, "role", pa.array(["measured"] * 60))
    # One pattern of a group that is no class, and one of unknown group.
    groups = [1, None, *test["space_group"].to_pylist()[2:]]
    laboratory = as_patterns.set_column(
        0, "structure_id", pa.array([f"laboratory:{i:02d}" for i in range(60)])
    ).set_column(3, "space_group", pa.array(groups, pa.uint8()))
    return {
        "laboratory": tables.conform(laboratory, predictions.schema, "laboratory"),
        "diffractometer": tables.conform(as_patterns, predictions.schema, "diffractometer"),
    }


@pytest.fixture(scope="session")
def report_inputs(tmp_path_factory) -> ReportInputs:
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    numbers = rng.choice(CLASSES, N)
    table = structures(numbers)
    identifiers = table["structure_id"].to_pylist()
    tables.write_table(table, folder / "structures.parquet", tables.STRUCTURES)
    rejected = {
        "structure_id": ["test:x", "test:y"],
        "source": ["test"] * 2,
        "entry_id": ["x", "y"],
        "stage": ["read", "check"],
        "code": ["unreadable", "distance"],
        "reason": [f"the label {HOSTILE} is no element", "two atoms are too close"],
    }
    tables.write_table(
        of_schema(tables.REJECTED, rejected), folder / "rejected.parquet", tables.REJECTED
    )
    write_json(
        folder / "structures.json",
        {"sources": {"test": {"entries": N + 5, "rejected": 2, "duplicates": 3, "structures": N}}},
    )
    axis = np.linspace(1.5, 30.0, 60)
    tables.write_table(
        pa.table(
            {
                "structure_id": identifiers,
                "descriptor": pa.FixedSizeListArray.from_arrays(
                    pa.array(rng.random(60 * N), pa.float32()), 60
                ),
            }
        ),
        folder / "pdf.parquet",
        tables.descriptor_schema(60),
    )
    two_theta = np.linspace(5.0, 90.0, 86)
    tables.write_table(
        pa.table(
            {
                # The first structure has no pattern, so it cannot be the example.
                "structure_id": identifiers[1:],
                "descriptor": pa.FixedSizeListArray.from_arrays(
                    pa.array(rng.random(86 * (N - 1)).astype(np.float16)), 86
                ),
            }
        ),
        folder / "powder.parquet",
        tables.descriptor_schema(86, np.float16),
    )
    profiles = csr_array(np.where(rng.random((N, 50)) < 0.1, rng.random((N, 50)), 0), dtype="f4")
    profile_table = tables.descriptor_table(pa.array(identifiers), profiles)
    tables.write_table(profile_table, folder / "ideal.parquet", profile_table.schema)
    experiments = []
    for split_name in ("stratified", "prototype"):
        roles = rng.choice(["train", "validation", "test"], N, p=[0.6, 0.1, 0.3])
        split = split_table(identifiers, numbers, roles)
        predictions = predictions_table(identifiers, numbers, roles, CLASSES, skill=0.3, rng=rng)
        for model in ("logistic", "cnn"):
            name = f"{model}_{split_name}"
            measured = measured_predictions(predictions) if model == "cnn" else {}
            for patterns, answers in measured.items():
                tables.write_table(answers, folder / f"{name}-{patterns}.parquet", answers.schema)
            write_json(
                folder / f"{name}.json",
                evaluate_experiment(
                    [predictions],
                    split,
                    measured={patterns: [answers] for patterns, answers in measured.items()},
                    resamples=100,
                ),
            )
            histories, courses = [], []
            if model == "cnn":
                curve = [0.1, 0.2, 0.3]
                history = dict.fromkeys(("loss", "val_loss", "accuracy", "val_accuracy"), curve)
                write_json(folder / f"{name}_history.json", history | TRAINED_ON)
                histories = [folder / f"{name}_history.json"]
                course = {
                    "epochs": [1, 3],
                    "accuracy": {"test": [0.1, 0.2], "laboratory": [0, 0.1]},
                }
                write_json(folder / f"{name}_epochs.json", course)
                courses = [folder / f"{name}_epochs.json"]
            experiments.append(
                ExperimentInputs(
                    name=name,
                    descriptor="pdf",
                    split=split_name,
                    classes="common",
                    model=model,
                    training=None,
                    members=1,
                    seed=0,
                    metrics=folder / f"{name}.json",
                    histories=histories,
                    courses=courses,
                    measured={
                        patterns: [folder / f"{name}-{patterns}.parquet"] for patterns in measured
                    },
                )
            )
    for row, kernel_size in enumerate((16, 32), start=1):
        experiments.append(
            ExperimentInputs(
                name=f"sweep_{row:02d}",
                descriptor="pdf",
                split="stratified",
                classes="common",
                model=f"sweep_{row:02d}",
                training=None,
                members=1,
                seed=0,
                metrics=folder / "cnn_stratified.json",
                sweep="kernels",
                model_settings={"kind": "liu2019_cnn", "kernel_size": kernel_size},
            )
        )
    leakage = {
        "test_structures": 120,
        "share_with_training_formula": 0.2,
        "share_with_training_type": 0.6,
        "threshold": 0.01,
        "share_near": 0.3,
        "share_near_same_group": 0.25,
        "share_nearest_has_same_group": 0.4,
        "median_distance": 0.031,
    }
    write_json(folder / "leakage.json", leakage)
    write_json(folder / "software.json", {"python": "3.11", "packages": {"numpy": "2.4"}})
    write_text(folder / "config.yaml", f"report:\n  title: {json.dumps(symbol(225))}\n")
    write_text(folder / "split.tsv", "s\th:m:s\tmax_rss\n1.5\t0:00:01\t120.5\n")
    write_text(folder / "class.tsv", "s\th:m:s\tmax_rss\n0.5\t0:00:00\t-\n")
    return ReportInputs(
        title=f"Space groups {HOSTILE}",
        structures=folder / "structures.parquet",
        rejected=folder / "rejected.parquet",
        statistics=folder / "structures.json",
        tolerances=[0.001, 0.01, 0.1],
        symprec=0.01,
        experiments=experiments,
        descriptors={
            "pdf": DescriptorInputs("pdf", folder / "pdf.parquet", axis),
            "powder": DescriptorInputs(
                "powder", folder / "powder.parquet", two_theta, {"wavelength": 1.54}
            ),
            "ideal": DescriptorInputs("ideal", folder / "ideal.parquet", np.linspace(0.1, 1, 50)),
        },
        leakage={("pdf", "stratified"): folder / "leakage.json"},
        resolved_configuration=folder / "config.yaml",
        provenance={"Software": folder / "software.json"},
        benchmarks={
            "make_split": [folder / "split.tsv"],
            "select_classes": [folder / "class.tsv"],
            "fetch": [],
        },
    )


SETS = 3
MEMBERS = 2


def members_predictions(identifiers, numbers, roles, volumes, *, skill, seed):
    """Predictions of an ensemble, of volumes, too, where these are given."""
    rng = np.random.default_rng(seed)
    members = []
    for member in range(MEMBERS):
        table = predictions_table(identifiers, numbers, roles, CLASSES, skill=skill, rng=rng)
        columns = {name: table[name] for name in table.column_names}
        columns["member"] = [member] * len(table)
        ln_volume = None
        if volumes is not None:
            true_volume = volumes[roles != "train"]
            errors = 0.03 * rng.standard_cauchy(len(table)).clip(-50, 50)
            ln_volume = (float(np.log(volumes).mean()), 0.8)
            columns |= {"volume": true_volume * np.exp(errors), "true_volume": true_volume}
        members.append(of_schema(tables.predictions_schema(CLASSES, ln_volume), columns))
    return members


@pytest.fixture(scope="session")
def series_inputs(report_inputs, tmp_path_factory) -> ReportInputs:
    """The same study with three series: one task, two tasks, and two tasks without outliers."""
    folder = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(1)
    table = tables.read_table(report_inputs.structures)
    volumes = np.exp(rng.normal(5.0, 0.8, N))
    for name, values in {
        "primitive_volume": volumes,
        "number_density": np.exp(rng.normal(-2.5, 0.3, N)),
    }.items():
        position = table.schema.get_field_index(name)
        table = table.set_column(position, table.schema.field(name), pa.array(values))
    tables.write_table(table, folder / "structures.parquet", tables.STRUCTURES)
    identifiers = table["structure_id"].to_pylist()
    numbers = table["space_group"].to_numpy().astype(np.int64)
    training_filter = of_schema(
        tables.FILTER,
        {
            "structure_id": identifiers,
            "space_group": numbers,
            "ln_volume": np.log(volumes),
            "ln_density": np.log(table["number_density"].to_numpy()),
            "kept": np.abs(np.log(volumes) - 5.0) < 0.8,
        },
    )
    parts = rng.integers(SETS + 4, size=N)
    experiments = []
    for series, model, filtered, skill in (
        ("spgnet", "spgnet", None, 0.14),
        ("spgvolnet", "spgvolnet", None, 0.17),
        ("spgvolnet_narrow", "spgvolnet", "narrow", 0.1),
    ):
        for number in range(1, SETS + 1):
            roles = np.where(parts == number, "test", np.where(parts == 0, "validation", "train"))
            split = split_table(identifiers, numbers, roles)
            predictions = members_predictions(
                identifiers,
                numbers,
                roles,
                volumes if model == "spgvolnet" else None,
                skill=skill,
                seed=number,
            )
            name = f"{series}_{number}"
            write_json(
                folder / f"{name}.json",
                evaluate_experiment(
                    predictions,
                    split,
                    training_filter=training_filter if filtered else None,
                    resamples=100,
                ),
            )
            experiments.append(
                ExperimentInputs(
                    name=name,
                    descriptor="ideal",
                    split=f"ozaki2025_{number}",
                    classes="common",
                    model=model,
                    training=None,
                    members=MEMBERS,
                    seed=0,
                    metrics=folder / f"{name}.json",
                    filter=filtered,
                    series=series,
                )
            )
    return dataclasses.replace(
        report_inputs,
        structures=folder / "structures.parquet",
        experiments=[*report_inputs.experiments, *experiments],
    )


ELECTRON_SETTINGS = {
    "kind": "electron",
    "wavelength": 0.035,
    "q_max": 1.0,
    "exponent": 0.5,
    "pixels": 64,
    "beam": "cartesian",
}
ELECTRON_CLASSES = {"few": [2, 14, 62], "common": CLASSES}
ELECTRON_NETWORKS = {
    # Model: kind, pattern, skill.
    "ziletti": ("ziletti2018", "spot", 0.1),
    "alexnet": ("alexnet", "spot", 0.2),
    "msvgg": ("tiong2020_msvgg", "shaped", 0.4),
    "msdn": ("tiong2020_msdn", "shaped", 0.7),
}


@pytest.fixture(scope="session")
def electron_inputs(report_inputs, tmp_path_factory) -> ReportInputs:
    """The same study with spot and shaped patterns, and four networks on two sets of classes."""
    folder = tmp_path_factory.mktemp("electron")
    rng = np.random.default_rng(2)
    structures = tables.read_table(report_inputs.structures)
    descriptors = {}
    for pattern in ("spot", "shaped"):
        settings = ELECTRON_SETTINGS | {"pattern": pattern}
        section = settings_of(settings)
        images, _ = electron.compute(structures, section)
        table = tables.descriptor_table(structures["structure_id"], images)
        tables.write_table(table, folder / f"{pattern}.parquet", table.schema)
        descriptors[f"{pattern}_patterns"] = DescriptorInputs(
            "electron", folder / f"{pattern}.parquet", electron.axis(section), settings
        )
    identifiers = np.array(structures["structure_id"].to_pylist())
    numbers = structures["space_group"].to_numpy().astype(np.int64)
    roles = rng.choice(["train", "validation", "test"], N, p=[0.5, 0.1, 0.4])
    # Clusters of two, which the bootstrap draws together.
    split = split_table(identifiers, numbers, roles, [str(i // 2) for i in range(N)])
    tables.write_table(split, folder / "split.parquet", tables.SPLIT)
    experiments = []
    for (classes, groups), (model, (kind, pattern, skill)) in product(
        ELECTRON_CLASSES.items(), ELECTRON_NETWORKS.items()
    ):
        predictions = predictions_table(identifiers, numbers, roles, groups, skill=skill, rng=rng)
        name = f"{model}_{classes}"
        write_json(
            folder / f"{name}.json", evaluate_experiment([predictions], split, resamples=100)
        )
        tables.write_table(predictions, folder / f"{name}_predictions.parquet", predictions.schema)
        curves = {key: [0.1, 0.2] for key in ("loss", "val_loss", "accuracy", "val_accuracy")}
        write_json(
            folder / f"{name}_history.json",
            curves | TRAINED_ON | {"parameters": 1_549_512, "flops": 15_950_000_000},
        )
        experiments.append(
            ExperimentInputs(
                name=name,
                descriptor=f"{pattern}_patterns",
                split="stratified",
                classes=classes,
                model=model,
                training=None,
                members=1,
                seed=0,
                metrics=folder / f"{name}.json",
                histories=[folder / f"{name}_history.json"],
                model_settings={"kind": kind},
            )
        )
    return dataclasses.replace(
        report_inputs,
        experiments=[*report_inputs.experiments, *experiments],
        descriptors={**report_inputs.descriptors, **descriptors},
    )


def untrained_recognition(seed: int) -> dict:
    """Untrained groups recognised by features of two streams that know a little of them."""
    numbers = np.repeat([3, 69, 130, 162], [20, 4, 10, 1])
    identifiers = [f"test:{i:04d}" for i in range(len(numbers))]
    rng = np.random.default_rng(seed)
    features = rng.random((len(numbers), 2, 6))
    features[np.arange(len(numbers)), 0, np.searchsorted([3, 69, 130, 162], numbers)] += 1.0
    split = split_table(identifiers, numbers, ["train"] * len(numbers))
    images = rng.random((len(numbers), 2, 9))
    return recognise([features], images, split["structure_id"], split, resamples=100, seed=0)


@pytest.fixture(scope="session")
def stream_inputs(report_inputs, tmp_path_factory) -> ReportInputs:
    """The same study as if its networks had streams: untrained groups and feature maps."""
    folder = tmp_path_factory.mktemp("streams")
    rng = np.random.default_rng(3)
    experiments = list(report_inputs.experiments)
    for place, experiment in enumerate(experiments):
        if experiment.model != "cnn":
            continue
        recognition, maps = (
            folder / f"{experiment.name}{suffix}" for suffix in ("_untrained.json", "_maps.npz")
        )
        write_json(recognition, untrained_recognition(place))
        np.savez(
            maps,
            structure_ids=["test:0001", "test:0000"],
            space_groups=[225, 14],
            images=rng.integers(0, 256, (2, 16, 16), dtype=np.uint8),
            blocks=["block_1", "block_2"],
            block_1_maps=rng.integers(0, 256, (2, 3, 8, 8), dtype=np.uint8),
            block_1_channels=[5, 0, 2],
            block_1_correlations=[0.2, 0.4],
            block_1_count=8,
            block_1_flat=1,
            block_2_maps=rng.integers(0, 256, (2, 3, 4, 4), dtype=np.uint8),
            block_2_channels=[1, 11, 7],
            block_2_correlations=[np.nan, 0.25],
            block_2_count=16,
            block_2_flat=0,
        )
        experiments[place] = dataclasses.replace(
            experiment, untrained=recognition, feature_maps=maps
        )
    return dataclasses.replace(report_inputs, experiments=experiments)
