"""What the tiny study leaves behind is complete and consistent."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from diffsym.tables import (
    DUPLICATES,
    REFLECTIONS,
    REJECTED,
    SPLIT,
    STRUCTURES,
    as_matrix,
    descriptor_schema,
    descriptor_values,
    image_descriptor_schema,
    read_rows,
    read_table,
)

ENTRIES = 140
EXPERIMENTS = [
    "lr_x",
    "lr_x2",
    "cnn",
    "cnn_formula",
    "cnn_prototype",
    "xrd_cnn",
    "xrd_cnn_systems",
    "xrd_dense",
    "ideal_spgvolnet",
    "disjoint_spgvolnet_1",
    "disjoint_spgvolnet_2",
    "spot_ziletti",
    "shaped_msvgg",
    "shaped_msdn",
]


@pytest.fixture(scope="module")
def results(tiny_study):
    return tiny_study.results


def test_no_entry_vanishes(results):
    structures = read_table(results / "structures.parquet", STRUCTURES)
    rejected = read_table(results / "rejected.parquet", REJECTED)
    duplicates = read_table(results / "duplicates.parquet", DUPLICATES)
    assert structures.num_rows + rejected.num_rows + duplicates.num_rows == ENTRIES
    members = sum(len(row) for row in structures["members"].to_pylist())
    assert members == structures.num_rows + duplicates.num_rows


def test_every_structure_has_its_descriptor(results):
    structures = read_table(results / "structures.parquet", STRUCTURES)
    table = read_table(results / "descriptors" / "pdf_liu2019.parquet", descriptor_schema(209))
    rejected = read_table(results / "descriptors" / "pdf_liu2019.rejected.parquet", REJECTED)
    assert table.num_rows + rejected.num_rows == structures.num_rows
    values = np.array(table["descriptor"].to_pylist())
    assert np.allclose(values.min(axis=1), 0)
    assert np.allclose(values.max(axis=1), 1)


def test_reflections_and_patterns_stand_in_the_order_of_the_structures(results):
    structures = read_table(results / "structures.parquet", STRUCTURES)
    shards = sorted((results / "reflections").glob("shard-*.parquet"))
    lines = pa.concat_tables(read_table(path, REFLECTIONS) for path in shards)
    assert lines["structure_id"].to_pylist() == structures["structure_id"].to_pylist()
    assert pc.min(pc.list_value_length(lines["d_star"])).as_py() > 0
    patterns = read_table(
        results / "descriptors" / "xrd_vecsei2019.parquet", descriptor_schema(8501, np.float16)
    )
    assert patterns["structure_id"].to_pylist() == structures["structure_id"].to_pylist()
    assert (as_matrix(patterns["descriptor"]).max(axis=1) == 1).all()


def test_shaped_patterns_are_brighter_than_the_spots_they_join(results):
    shaped, spot = (
        read_table(
            results / "descriptors" / f"{name}_tiong2020.parquet",
            image_descriptor_schema((224, 224, 3)),
        )
        for name in ("shaped", "spot")
    )
    assert shaped["structure_id"].equals(spot["structure_id"])
    lines, spots = descriptor_values(shaped), descriptor_values(spot)
    assert (lines >= spots).all()
    assert (lines > spots).any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("split", "key"), [("formula", "formula"), ("prototype", "structure_type")]
)
def test_nothing_stands_on_two_sides(results, split, key):
    structures = read_table(results / "structures.parquet", STRUCTURES)
    roles = read_table(results / "splits" / f"{split}.parquet", SPLIT)
    joined = structures.select(["structure_id", key]).join(roles, "structure_id")
    sides = joined.group_by(key).aggregate([("role", "count_distinct")])
    assert pc.max(sides["role_count_distinct"]).as_py() == 1


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_metrics_stand_beside_their_baseline(results, experiment):
    metrics = json.loads((results / "experiments" / experiment / "metrics.json").read_text())
    assert metrics
    summary = json.loads((results / "summary.json").read_text())
    assert experiment in json.dumps(summary)


def test_disjoint_sets_have_no_structure_in_common(results):
    tests = [
        set(split.filter(pc.equal(split["role"], "test"))["structure_id"].to_pylist())
        for number in (1, 2)
        for split in [read_table(results / "splits" / f"disjoint_{number}.parquet", SPLIT)]
    ]
    assert all(tests)
    assert not tests[0] & tests[1]


def test_volumes_stand_beside_the_truth(results):
    folder = results / "experiments" / "ideal_spgvolnet"
    predictions = read_table(folder / "members" / "0" / "predictions.parquet")
    structures = read_table(results / "structures.parquet", STRUCTURES)
    volumes = structures.select(["structure_id", "primitive_volume"]).to_pandas()
    own = volumes.set_index("structure_id").loc[predictions["structure_id"].to_pylist()]
    assert predictions["true_volume"].to_numpy() == pytest.approx(
        own["primitive_volume"].to_numpy(), rel=1e-5
    )
    assert (predictions["volume"].to_numpy() > 0).all()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["parts"]["test"]["volume"]
    assert metrics["measured"]["diffractometer"]["round_trip"]["loss"]


def test_the_gallery_shows_the_patterns_of_the_descriptors(results):
    with np.load(results / "galleries" / "spot_tiong2020.npz") as gallery:
        for pattern in ("spot", "shaped"):
            table = results / "descriptors" / f"{pattern}_tiong2020.parquet"
            rows = descriptor_values(read_rows(table, gallery["structure_ids"].tolist()))
            assert np.array_equal(gallery[pattern], rows)


def test_untrained_groups_and_feature_maps_stand_beside_the_networks(results):
    folder = results / "experiments" / "shaped_msdn"
    recognition = json.loads((folder / "untrained.json").read_text())
    trained = json.loads((results / "classes" / "eight.json").read_text())["classes"]
    untrained = {group["space_group"] for group in recognition["groups"]}
    assert len(untrained) >= 2
    assert not untrained & set(trained)
    for name in ("shaped_msdn", "shaped_msvgg"):
        history = results / "experiments" / name / "members" / "0" / "history.json"
        recorded = json.loads(history.read_text())
        assert recorded["flops"] > 0
        assert recorded["backend"] in {"tensorflow", "jax"}
        assert recorded["device"]
        assert (results / "experiments" / name / "feature_maps.npz").exists()


def test_provenance_is_an_output(results):
    resolved = yaml.safe_load((results / "provenance" / "config.yaml").read_text())
    assert resolved["sources"]["amcsd"]["limit"] == ENTRIES
    assert resolved["models"]["liu2019_cnn_small"]["dropout"]
    software = json.loads((results / "provenance" / "software.json").read_text())
    assert software["spglib"]
    data = json.loads((results / "provenance" / "data.json").read_text())
    [checksum] = data["sources"]["amcsd"]["files"].values()
    assert len(checksum) == 64


def test_report_opens_offline(results):
    page = (results / "report.html").read_text()
    assert "A tiny study" in page
    assert 'src="http' not in page
