"""Small studies whose results are made up, as files where the report looks for them."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.sparse import csr_array
from scored import FEW, of_schema, predictions_table, split_table

from diffsym import tables
from diffsym.descriptors import electron
from diffsym.evaluation.metrics import evaluate_experiment
from diffsym.evaluation.scores import Metrics
from diffsym.evaluation.storage import read_scores, write_scores
from diffsym.evaluation.summary import summarise
from diffsym.evaluation.untrained import recognise
from diffsym.files import write_json, write_text
from diffsym.report.results import Results
from diffsym.settings import values_of
from diffsym.structures.space_groups import crystal_system, symbol
from diffsym.study.layout import Layout
from diffsym.study.loading import load_configuration
from diffsym.study.plan import Plan

CLASSES = {"common": [2, 14, 15, 62, 139, 166, 194, 225, 227], "few": [2, 14, 62]}
HOSTILE = "<script>alert('name')</script>"
N = 400
IDENTIFIERS = [f"test:{i:04d}" for i in range(N)]
SKILL = {"ziletti": 0.1, "alexnet": 0.2, "msvgg": 0.4, "msdn": 0.7, "spgnet": 0.14}
"""How right a model is; others are between these."""

BASE = {
    "report": {
        "title": f"Space groups {HOSTILE}",
        "experiments": [
            f"{model}_{split}"
            for split in ("stratified", "prototype")
            for model in ("logistic", "cnn")
        ],
        "sweeps": ["kernels", "factors"],
    },
    "sources": {"test": {"kind": "local", "path": "data/test"}},
    "structures": {"sources": ["test"], "symmetry": {"tolerances": [0.001, 0.01, 0.1]}},
    "descriptors": {
        "powder": {"kind": "powder", "wavelength": 1.54, "two_theta_step": 1.0},
        "pdf": {"kind": "pdf"},
        "ideal": {"kind": "ideal"},
    },
    "class_sets": {"common": {"min_entries": 10}, "few": {"most_populated": 3}},
    "splits": {"stratified": {"kind": "stratified"}, "prototype": {"kind": "prototype"}},
    "models": {
        "logistic": {"kind": "logistic", "features": "linear"},
        "cnn": {"kind": "park2017_cnn"},
        "liu": {"kind": "liu2019_cnn"},
        "spgnet": {"kind": "spgnet"},
    },
    "trainings": {"short": {"snapshot_every": 1}},
    "measured": {
        "laboratory": {"kind": "patterns", "path": "data/laboratory"},
        "diffractometer": {"kind": "simulated"},
    },
    "defaults": {"split": "stratified", "classes": "common"},
    "experiments": {
        **{
            f"logistic_{split}": {"descriptor": "powder", "split": split, "model": "logistic"}
            for split in ("stratified", "prototype")
        },
        **{
            f"cnn_{split}": {
                "descriptor": "powder",
                "split": split,
                "model": "cnn",
                "training": "short",
                "measured": ["laboratory", "diffractometer"],
            }
            for split in ("stratified", "prototype")
        },
        "liu": {"descriptor": "pdf", "model": "liu", "training": "short"},
        "profiles": {"descriptor": "ideal", "model": "spgnet", "training": "short"},
    },
    "sweeps": {
        "kernels": {
            "base": "liu",
            "rows": [{"model": {"kernel_size": size}} for size in (16, 32)],
        },
        "factors": {"base": "profiles", "rows": [{"model": {"hidden_factors": [2, 2]}}]},
    },
}


@dataclass(frozen=True)
class Made:
    """A study with results of everything that its configuration asks for."""

    folder: Path
    raw: dict

    def results(self, **changes) -> Results:
        """Its results with other keys of some sections of the configuration."""
        plan = plan_of(self.folder, overlaid(self.raw, changes))
        results = Results(plan)
        if "report" in changes:
            results.summary = summary_of(plan)
        return results


def overlaid(raw, changes):
    """A configuration with other keys of some sections, mappings merged."""
    raw = copy.deepcopy(raw)
    for key, value in changes.items():
        raw[key] = overlaid(raw.get(key, {}), value) if isinstance(value, dict) else value
    return raw


def plan_of(folder, raw):
    return Plan(load_configuration(raw), Layout(root=str(folder)))


def summary_of(plan):
    """The summary of the experiments that a plan names."""
    return summarise(
        {name: values_of(plan.study.experiments[name]) for name in plan.experiments},
        {
            name: read_scores(plan.layout.experiment(name, "metrics.json"), Metrics)
            for name in plan.experiments
        },
        plan.series(),
        plan.shown(),
    )


def structures_table(rng, *, spread):
    """Structures of the classes; the volumes and densities are alike or log-normal."""
    space_groups = rng.choice(CLASSES["common"], N)
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
            "structure_id": IDENTIFIERS,
            "entry_id": [identifier[5:] for identifier in IDENTIFIERS],
            "declared_space_group": [None, *np.maximum(space_groups[1:] - 1, 1)],
            "space_group": space_groups,
            "hall_number": space_groups,
            "space_group_by_tolerance": [[None, n, max(n, 15)] for n in map(int, space_groups)],
            "crystal_system": [crystal_system(int(n)) for n in space_groups],
            "members": [[identifier] for identifier in IDENTIFIERS],
            "primitive_volume": np.exp(rng.normal(5.0, 0.8 * spread, N)),
            "number_density": np.exp(rng.normal(-2.5, 0.3 * spread, N)),
        },
    )


def write(table, path, schema=None):
    tables.write_table(table, path, schema or table.schema)


def descriptor_of(kind, settings, structures, length, rng):
    """A table of random values; images are computed."""
    identifiers = structures["structure_id"]
    if kind == "electron":
        return tables.descriptor_table(identifiers, electron.compute(structures, settings).values)
    if kind == "ideal":
        lines = np.where(rng.random((N, length)) < 0.1, rng.random((N, length)), 0)
        return tables.descriptor_table(identifiers, csr_array(lines, dtype="f4"))
    values = rng.random((N, length)).astype(np.float16 if kind == "powder" else np.float32)
    # The first structure has no pattern, so it cannot be the example.
    first = 1 if kind == "powder" else 0
    return tables.descriptor_table(identifiers.slice(first), values[first:])


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


def answers_of(name: str) -> pa.Table:
    """Answers by the search to a set of 60 patterns; every other one is certain and right."""
    groups = [1, None, *range(2, 60)]
    return pa.Table.from_pylist(
        [
            {
                "pattern_id": f"{name}:{number:02d}",
                "space_group": group,
                "ranked": [group if group and number % 2 else 225, 62, 14],
                "probabilities": [0.95 if number % 2 else 0.4, 0.03, 0.01],
                "certain": number % 2 == 1,
                "certainty": 0.95 if number % 2 else 0.4,
                "reason": "the first group has a probability of <40 %>, below 90 %",
                "set_90": [225, 62],
                "nearest": ["amcsd:1"],
                "formulas": ["NaCl"],
                "nearest_groups": [225],
                "scores": [0.71],
                "repairs": [],
            }
            for number, group in enumerate(groups)
        ],
        tables.ANSWERED,
    )


def predictions_of(section, model, structures, roles, seed):
    """Predictions of each member, of volumes, too, if the model predicts them."""
    rng = np.random.default_rng(seed)
    numbers = structures["space_group"].to_numpy().astype(np.int64)
    classes = CLASSES[section.classes]
    members = []
    for member in range(section.members):
        skill = SKILL.get(section.model, 0.3) - (0.06 if section.filter else 0)
        table = predictions_table(IDENTIFIERS, numbers, roles, classes, skill=skill, rng=rng)
        columns = {name: table[name] for name in table.column_names}
        columns["member"] = [member] * len(table)
        ln_volume = None
        if model.has_volume:
            volumes = structures["primitive_volume"].to_numpy()
            true_volume = volumes[roles != "train"]
            errors = 0.03 * rng.standard_cauchy(len(table)).clip(-50, 50)
            ln_volume = (float(np.log(volumes).mean()), 0.8)
            columns |= {"volume": true_volume * np.exp(errors), "true_volume": true_volume}
        members.append(of_schema(tables.predictions_schema(classes, ln_volume), columns))
    return members


def untrained_recognition(seed):
    """Untrained groups recognised by features of two streams that know a little of them."""
    numbers = np.repeat([3, 69, 130, 162], [20, 4, 10, 1])
    rng = np.random.default_rng(seed)
    features = rng.random((len(numbers), 2, 6))
    features[np.arange(len(numbers)), 0, np.searchsorted([3, 69, 130, 162], numbers)] += 1.0
    split = split_table(IDENTIFIERS[: len(numbers)], numbers, ["train"] * len(numbers))
    images = rng.random((len(numbers), 2, 9))
    return recognise([features], images, split["structure_id"], split, FEW)


def feature_maps(rng):
    return {
        "structure_ids": ["test:0001", "test:0000"],
        "space_groups": [225, 14],
        "images": rng.integers(0, 256, (2, 16, 16), dtype=np.uint8),
        "blocks": ["block_1", "block_2"],
        "block_1_maps": rng.integers(0, 256, (2, 3, 8, 8), dtype=np.uint8),
        "block_1_channels": [5, 0, 2],
        "block_1_correlations": [0.2, 0.4],
        "block_1_count": 8,
        "block_1_flat": 1,
        "block_2_maps": rng.integers(0, 256, (2, 3, 4, 4), dtype=np.uint8),
        "block_2_channels": [1, 11, 7],
        "block_2_correlations": [np.nan, 0.25],
        "block_2_count": 16,
        "block_2_flat": 0,
    }


def make(folder, raw, *, spread=0.0):
    """Write everything that a report of the study reads."""
    plan, rng = plan_of(folder, raw), np.random.default_rng(0)
    layout = plan.layout
    structures = structures_table(rng, spread=spread)
    write(structures, layout.structures, tables.STRUCTURES)
    rejected = {
        "structure_id": ["test:x", "test:y"],
        "source": ["test"] * 2,
        "entry_id": ["x", "y"],
        "stage": ["read", "check"],
        "code": ["unreadable", "distance"],
        "reason": [f"the label {HOSTILE} is no element", "two atoms are too close"],
    }
    write(of_schema(tables.REJECTED, rejected), layout.rejected)
    counts = {"entries": N + 5, "rejected": 2, "duplicates": 3, "structures": N}
    write_json(layout.statistics, {"sources": {"test": counts}})
    source = {
        "description": f"A trimmed collection {HOSTILE}",
        "version": "7",
        "licence": "CC0",
        "citation": "Nobody (2020)",
    }
    write_json(layout.source_record("test"), source)
    for descriptor in Results(plan).descriptors.values():
        length = len(descriptor.axis)
        table = descriptor_of(descriptor.kind, descriptor.settings, structures, length, rng)
        write(table, descriptor.table)
    _make_experiments(plan, structures, rng)
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
    for pair in plan.leakage_pairs():
        write_json(layout.leakage(*pair), leakage)
    for descriptor in plan.galleries():
        patterns = rng.integers(0, 256, (2, 2, 64, 64, 3), dtype=np.uint8)
        names = ["test:0001", "test:0000"]
        _write_arrays(
            layout.gallery(descriptor), structure_ids=names, spot=patterns[0], shaped=patterns[1]
        )
    write_json(layout.provenance("software.json"), {"python": "3.11", "numpy": "2.4"})
    write_json(layout.provenance("data.json"), {"sources": {}})
    title = json.dumps(symbol(225))
    write_text(layout.provenance("config.yaml"), f"report:\n  title: {title}\n")
    columns = "s\th:m:s\tmax_rss\n"
    write_text(plan.benchmarks()["make_split"][0], f"{columns}1.5\t0:00:01\t120.5\n")
    write_text(plan.benchmarks()["select_classes"][0], f"{columns}0.5\t0:00:00\t-\n")
    return Made(folder, raw)


def _make_experiments(plan, structures, rng):
    """Predictions and scores of all experiments, and what the networks recorded."""
    layout = plan.layout
    numbers = structures["space_group"].to_numpy().astype(np.int64)
    ln_volume = np.log(structures["primitive_volume"].to_numpy())
    kept = np.abs(ln_volume - 5.0) < 0.8
    training_filter = of_schema(
        tables.FILTER,
        {
            "structure_id": IDENTIFIERS,
            "space_group": numbers,
            "ln_volume": ln_volume,
            "ln_density": np.log(structures["number_density"].to_numpy()),
            "kept": kept,
        },
    )
    parts = rng.integers(7, size=N)
    drawn = {}
    for place, name in enumerate(plan.experiments):
        section = plan.study.experiments[name]
        number = section.split.rpartition("_")[2]
        if section.split not in drawn:
            drawn[section.split] = (
                np.where(parts == int(number), "test", np.where(parts == 0, "validation", "train"))
                if number.isdigit()
                else rng.choice(["train", "validation", "test"], N, p=[0.5, 0.1, 0.4])
            )
        # Clusters of two, which the bootstrap draws together.
        split = split_table(
            IDENTIFIERS, numbers, drawn[section.split], [str(i // 2) for i in range(N)]
        )
        write(split, layout.split(section.split), tables.SPLIT)
        seed = int(number) if number.isdigit() else place
        predictions = predictions_of(
            section, plan.model(name), structures, drawn[section.split], seed
        )
        for path, table in zip(
            plan.member_files(name, "predictions.parquet"), predictions, strict=True
        ):
            write(table, path)
        measured = measured_predictions(predictions[0]) if section.measured else {}
        for patterns, [path] in plan.measured_predictions(name).items():
            write(measured[patterns], path)
        metrics = evaluate_experiment(
            predictions,
            split,
            measured={patterns: [answers] for patterns, answers in measured.items()},
            training_filter=training_filter if section.filter else None,
            bootstrap=FEW,
        )
        write_scores(layout.experiment(name, "metrics.json"), metrics)
    curves = {key: [0.1, 0.2, 0.3] for key in ("loss", "val_loss", "accuracy", "val_accuracy")}
    trained_on = {"backend": "jax", "device": "NVIDIA A100"}
    for name, paths in plan.histories().items():
        cost = {
            "parameters": 1_549_512, "flops": 15_950_000_000,
            "processor_seconds": [40.2, 38.1, 39.4],
            "training_rate": 8.6e10, "matmul_rate": 1.01e11,
        }  # fmt: skip
        counted = cost if "patterns" in plan.study.experiments[name].descriptor else {}
        for path in paths:
            write_json(path, curves | trained_on | counted)
    course = {"epochs": [1, 3], "accuracy": {"test": [0.1, 0.2], "laboratory": [0, 0.1]}}
    for path in [path for paths in plan.followed_epochs().values() for path in paths]:
        write_json(path, course)
    for name in plan.answered_sets():
        write(answers_of(name), layout.answered(name), tables.ANSWERED)
    for seed, path in enumerate(plan.untrained().values()):
        write_scores(path, untrained_recognition(seed))
    for path in plan.feature_maps().values():
        _write_arrays(path, **feature_maps(rng))
    write_scores(layout.summary, summary_of(plan))


def _write_arrays(path, **arrays):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Made:
    return make(tmp_path_factory.mktemp("study"), BASE)


@pytest.fixture(scope="session")
def made_series(tmp_path_factory) -> Made:
    """The same study with three series: one task, two tasks, and two tasks without outliers."""
    series = {
        name: {
            "descriptor": "ideal",
            "split": "disjoint",
            "model": model,
            "training": "plain",
            "members": 2,
            "filter": filtered,
        }
        for name, model, filtered in (
            ("spgnet", "spgnet", None),
            ("spgvolnet", "spgvolnet", None),
            ("spgvolnet_narrow", "spgvolnet", "narrow"),
        )
    }
    changes = {
        "report": {"experiments": [*BASE["report"]["experiments"], *series]},
        "filters": {"narrow": {"volume": 1, "density": 1}},
        "splits": {
            "disjoint": {
                "kind": "ozaki2025",
                "descriptor": "ideal",
                "classes": "common",
                "filter": "narrow",
                "sets": 3,
            }
        },
        "models": {"spgvolnet": {"kind": "spgvolnet"}},
        "trainings": {"plain": {}},
        "experiments": series,
    }
    return make(tmp_path_factory.mktemp("series"), overlaid(BASE, changes), spread=1.0)


@pytest.fixture(scope="session")
def made_electron(tmp_path_factory) -> Made:
    """The same study with spot and shaped patterns, and four networks on two sets of classes."""
    networks = {
        "ziletti": ("ziletti2018", "spot"),
        "alexnet": ("alexnet", "spot"),
        "msvgg": ("tiong2020_msvgg", "shaped"),
        "msdn": ("tiong2020_msdn", "shaped"),
    }
    experiments = {
        f"{model}_{classes}": {
            "descriptor": f"{pattern}_patterns",
            "classes": classes,
            "model": model,
            "training": "plain",
            "untrained": "common" if (model, classes) == ("msdn", "few") else None,
        }
        for classes in ("few", "common")
        for model, (_, pattern) in networks.items()
    }
    changes = {
        "report": {"experiments": [*BASE["report"]["experiments"], *experiments]},
        "descriptors": {
            f"{pattern}_patterns": {"kind": "electron", "pattern": pattern, "pixels": 64}
            for pattern in ("spot", "shaped")
        },
        "models": {model: {"kind": kind} for model, (kind, _) in networks.items()},
        "trainings": {"plain": {"class_weights": "none"}},
        "experiments": experiments,
    }
    return make(tmp_path_factory.mktemp("electron"), overlaid(BASE, changes))
