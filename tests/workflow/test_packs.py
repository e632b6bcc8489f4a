"""A pack is made by the workflow, and its networks answer as Keras does."""

import numpy as np
import pytest

from diffsym.experimental.labelled import measured_partition
from diffsym.files import read_json
from diffsym.identification.known import read_known
from diffsym.identification.pack import read_pack
from diffsym.models.networks import load_model, predict
from diffsym.models.onnx_export import LN_VOLUME, as_onnx
from diffsym.structures.space_groups import spread_over_groups
from diffsym.tables import descriptor_values, read_table

EXPERIMENTS = ["xrd_dense", "xrd_cnn_systems", "ideal_spgvolnet"]
OVERLAY = {"packs": {"default": {"experiments": EXPERIMENTS}, "all": {"search": False}}}
OVERLAY["packs"]["all"]["experiments"] = ["xrd_cnn"]


@pytest.fixture(scope="module")
def study(tiny_study, tmp_path_factory):
    """The tiny study and two packs."""
    study = tiny_study.copy(tmp_path_factory.mktemp("packs") / "study")
    study.run("packs", overlay=OVERLAY)
    return study


@pytest.fixture(scope="module")
def pack(study):
    return read_pack(study.results / "packs" / "default.zip")


def members(study, experiment, name):
    return study.results / "experiments" / experiment / "members" / "0" / name


def vectors(study, descriptor):
    """Descriptors of all structures, with zeros where they are sparse."""
    table = read_table(study.results / "descriptors" / f"{descriptor}.parquet")
    values = descriptor_values(table)
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, np.float32)


@pytest.mark.parametrize(
    ("experiment", "descriptor"),
    [
        ("xrd_dense", "xrd_vecsei2019"),
        ("xrd_cnn_systems", "xrd_vecsei2019"),
        ("ideal_spgvolnet", "ideal_ozaki2025"),
    ],
)
def test_networks_answer_as_keras_does(study, pack, experiment, descriptor):
    [packed] = [one for one in pack.ensembles if one.card.experiment == experiment]
    values = vectors(study, descriptor)
    assert len(values) > 50
    expected = load_model(members(study, experiment, "model.keras")).predict(values, verbose=0)
    if experiment == "ideal_spgvolnet":
        volumes = packed.members[0].outputs(values)[LN_VOLUME]
        assert abs(volumes - expected["ln_volume"]).max() < 1e-4
        expected = expected["class"]
    if experiment == "xrd_cnn_systems":
        counts = read_json(members(study, experiment, "history.json"))["training_counts"]
        expected = spread_over_groups(expected, packed.card.classes, counts)
    found = packed.probabilities(values)
    assert abs(found - expected).max() < 1e-4
    # Not one and the same answer to everything.
    assert np.ptp(found, axis=0).max() > 1e-3


def test_measured_patterns_are_answered_alike(study, pack):
    """Patterns as a diffractometer shows them, converted by the workflow."""
    [packed] = [one for one in pack.ensembles if one.card.experiment == "ideal_spgvolnet"]
    partition, _ = measured_partition(
        study.results / "converted" / "ideal_ozaki2025" / "stratified" / "diffractometer.parquet",
        study.results / "measured" / "stratified" / "diffractometer.parquet",
        packed.card.classes,
    )
    model = load_model(members(study, "ideal_spgvolnet", "model.keras"))
    expected = predict(model, partition).probabilities
    found = packed.probabilities(partition.features.toarray())
    assert len(found) > 0
    assert abs(found - expected).max() < 1e-4


def test_the_card_says_what_the_study_recorded(study, pack):
    metrics = read_json(study.results / "experiments" / "xrd_dense" / "metrics.json")
    card = pack.card.ensembles[0]
    test = metrics["parts"]["test"]
    assert card.experiment == "xrd_dense"
    assert (card.test.n, card.test.accuracy.value) == (test["n"], test["accuracy"][0]["value"])
    assert card.test.baseline.high == test["baseline"][0]["high"]
    assert list(card.classes) == metrics["classes"]
    assert (card.seeds, card.split, card.model) == ((1,), "stratified", "vecsei2019_dense")
    assert card.descriptor.augmentation is not None
    assert sum(card.training_counts) == metrics["counts"]["train"]
    source = pack.card.sources["amcsd"]
    assert source.structures == pack.card.search.structures
    assert "American Mineralogist" in source.citation


def test_the_known_structures_are_those_of_the_study(study, pack):
    known = read_known(study.results)
    rows = [pack.known.structure_ids.index(one) for one in known.structure_ids]
    assert pack.card.search.structures == len(pack.known.structure_ids) >= len(rows) > 100
    assert [pack.known.formulas[row] for row in rows] == known.formulas
    assert (pack.known.space_groups[rows] == known.space_groups).all()
    assert read_pack(study.results / "packs" / "all.zip").known is None


def test_equal_networks_are_equal_bytes(study):
    path = members(study, "xrd_cnn", "model.keras")
    packed = read_pack(study.results / "packs" / "all.zip").ensembles[0].members[0].content
    assert as_onnx(load_model(path)) == packed


def test_an_edit_of_the_networks_makes_the_pack_again(study):
    assert study.planned("packs", overlay=OVERLAY) == {}
    other = OVERLAY | {"trainings": {"vecsei2019_short_dense": {"learning_rate": 0.002}}}
    planned = study.planned("packs", overlay=other)
    assert planned.pop("packs") == 1
    assert planned == {
        "train_network": 1, "evaluate_experiment": 1, "make_pack": 1,
    }  # fmt: skip
    assert "make_pack" not in study.planned(overlay=other)
