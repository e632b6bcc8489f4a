"""Sections on electron-diffraction patterns, and what shaping and MSDN gain."""

import base64
import dataclasses
import io

import numpy as np
import pytest
from diffsym.report.inputs import Study, by_task
from PIL import Image

from diffsym import tables
from diffsym.descriptors import electron
from diffsym.evaluation.bootstrap import bootstrap_means, interval
from diffsym.evaluation.summary import PUBLISHED
from diffsym.report import figures, sections
from diffsym.report.electron import electron_experiments, gains
from diffsym.report.figures.style import SYSTEM_COLOURS
from diffsym.settings import settings_of
from diffsym.structures.space_groups import crystal_system

PATTERNS = {"spot_patterns": "spot", "shaped_patterns": "shaped"}
PATTERN_OF = {"ziletti": "spot", "alexnet": "spot", "msvgg": "shaped", "msdn": "shaped"}
CLASSES = [2, 14, 15, 62, 139, 166, 194, 225, 227]
"""The larger set of classes; the other one has three."""


@pytest.fixture(scope="module")
def study(electron_inputs):
    return Study(electron_inputs)


@pytest.fixture(scope="module")
def experiments(study):
    return electron_experiments(study)


def with_test(experiment, **changes):
    """An experiment with other metrics of its test part."""
    parts = experiment.metrics["parts"]
    test = {**parts["test"], **changes}
    return dataclasses.replace(
        experiment, metrics={**experiment.metrics, "parts": {**parts, "test": test}}
    )


def with_validation(experiment, accuracy):
    parts = experiment.metrics["parts"]
    validation = {**parts["validation"], "accuracy": [{"k": 1, "value": accuracy}]}
    return dataclasses.replace(
        experiment, metrics={**experiment.metrics, "parts": {**parts, "validation": validation}}
    )


def test_a_network_has_one_label_whatever_its_classes(experiments):
    assert len(experiments) == 2 * len(PATTERN_OF)
    assert {e.label for e in experiments} == {
        f"{model}, {pattern}_patterns" for model, pattern in PATTERN_OF.items()
    }


def test_class_sets_are_tasks_and_rise(study, experiments):
    grouped = by_task(experiments)
    assert list(grouped) == ["stratified, few", "stratified, common"]
    assert [e.inputs.model for e in grouped["stratified, few"]] == list(PATTERN_OF)
    # The other split has one class set, and is the task.
    assert "prototype" in by_task(study.experiments)


def test_gains_add_up_and_spot_patterns_are_chosen_by_validation(experiments):
    ziletti, alexnet, *shaped = experiments[: len(PATTERN_OF)]
    assert alexnet.test["accuracy"][0]["value"] > ziletti.test["accuracy"][0]["value"]
    chosen = [with_validation(ziletti, 0.9), with_validation(alexnet, 0.1), *shaped]
    (gain,) = gains(chosen, PATTERNS)
    assert [e.inputs.model for e in (gain.spot, gain.shaped, gain.msdn)] == [
        "ziletti",
        "msvgg",
        "msdn",
    ]
    values = {name: entry["value"] for name, entry in gain.differences.items()}
    assert values["shaping"] + values["msdn"] == pytest.approx(values["total"], abs=1e-12)
    first = [e.test["accuracy"][0]["value"] for e in (gain.spot, gain.msdn)]
    assert values["total"] == pytest.approx(first[1] - first[0], abs=1e-12)
    for entry in gain.differences.values():
        assert entry["low"] < entry["value"] < entry["high"]


def test_intervals_of_gains_are_those_of_the_paired_bootstrap(experiments):
    (gain,) = gains(experiments[: len(PATTERN_OF)], PATTERNS)
    folder = gain.msdn.inputs.metrics.parent
    clusters = tables.read_table(folder / "split.parquet", tables.SPLIT).to_pandas()
    hits = []
    for experiment in (gain.spot, gain.msdn):
        table = tables.read_table(folder / f"{experiment.inputs.name}_predictions.parquet")
        rows = table.to_pandas().query("role == 'test'").sort_values("structure_id")
        classes = np.array(experiment.metrics["classes"])
        answers = classes[np.stack(rows["probabilities"]).argmax(axis=1)]
        hits.append((answers == rows["space_group"]).to_numpy(np.float64))
    own = clusters.set_index("structure_id")["group"][rows["structure_id"]].tolist()
    settings = gain.msdn.metrics["settings"]
    samples = bootstrap_means(
        (hits[1] - hits[0])[:, np.newaxis],
        own,
        resamples=settings["resamples"],
        seed=settings["seed"],
    )
    assert len(set(own)) < len(own)
    total = gain.differences["total"]
    assert total["value"] == pytest.approx((hits[1] - hits[0]).mean())
    assert (total["low"], total["high"]) == pytest.approx(np.ravel(interval(samples, 0.95)))


def test_no_gain_without_all_three_on_the_same_structures(experiments):
    few = experiments[: len(PATTERN_OF)]
    assert len(gains(experiments, PATTERNS)) == 2
    for lacking in ("msvgg", "msdn"):
        assert not gains([e for e in few if e.inputs.model != lacking], PATTERNS)
    assert not gains(few[2:], PATTERNS)
    assert not gains([*few[:3], with_test(few[3], structures_sha256="other")], PATTERNS)


def test_wrong_answers_are_counted_by_system(experiments):
    classes = [1, 2, 14, 225]
    confusion = [[6, 2, 1, 1], [0, 10, 0, 0], [5, 5, 10, 0], [0, 0, 0, 0]]
    experiment = with_test(experiments[0], confusion=confusion)
    experiment = dataclasses.replace(experiment, metrics={**experiment.metrics, "classes": classes})
    figure = figures.confusion.wrong_answers_by_system([experiment])
    (heatmap,) = figure.data
    assert list(heatmap.x) == ["triclinic", "monoclinic", "cubic"]
    assert np.array(heatmap.z).tolist() == [[0.1, 0.05, 0.05], [0.5, 0, 0], [0, 0, 0]]
    assert figure.layout.coloraxis.cmax == 0.5
    assert heatmap.text[1][0] == "50"


def test_published_accuracies_stand_where_the_study_has_as_many_groups(experiments):
    published = [{"n_classes": 9, "top_1": 0.7}, {"n_classes": 72, "top_1": 0.802}]
    figure = figures.electron.accuracy_by_classes(experiments, published)
    lines = {trace.name: trace for trace in figure.data}
    assert set(lines) == {e.label for e in experiments} | {
        "label frequency",
        "published, other data",
    }
    assert lines["published, other data"].x == ("9",)
    assert lines["published, other data"].y == (0.7,)
    line = lines["msdn, shaped_patterns"]
    assert line.x == ("3", "9")
    assert list(line.y) == [
        e.test["accuracy"][0]["value"] for e in experiments if e.inputs.model == "msdn"
    ]
    assert lines["label frequency"].line.dash == "dot"


def test_five_answers_are_shown_or_as_many_as_there_are_groups(experiments):
    figure = figures.electron.top_k_by_classes(experiments)
    lengths = {len(trace.x) for trace in figure.data if trace.xaxis == "x"}
    assert lengths == {3}
    assert {len(trace.x) for trace in figure.data if trace.xaxis == "x2"} == {5}


@pytest.mark.parametrize("draw", ["recall_by_class_set", "accuracy_by_system"])
def test_backgrounds_have_the_colours_of_the_systems(experiments, draw):
    figure = getattr(figures.electron, draw)(experiments)
    positions = (
        [crystal_system(number) for number in CLASSES]
        if draw == "recall_by_class_set"
        else list(dict.fromkeys(crystal_system(number) for number in CLASSES))
    )
    shapes = [shape for shape in figure.layout.shapes if shape.xref == "x2"]
    covered = [
        system
        for system in positions
        for shape in shapes
        if shape.fillcolor == SYSTEM_COLOURS[system]
        and shape.x0 <= positions.index(system) <= shape.x1
    ]
    assert covered == positions
    assert sum(shape.x1 - shape.x0 for shape in shapes) == len(positions)


def test_gallery_shows_a_structure_of_each_of_six_systems(study):
    chosen = sections.patterns.chosen_structures(study)
    structures = study.structures.set_index("structure_id")
    systems = [crystal_system(structures["space_group"][identifier]) for identifier in chosen]
    of_all = structures["space_group"].map(crystal_system)
    # Of the seven systems the rarest one is left out.
    assert set(of_all) - set(systems) == {of_all.value_counts().index[-1]}
    for identifier, system in zip(chosen, systems, strict=True):
        own = structures[of_all == system]["space_group"]
        counts = own.value_counts()
        assert counts[structures["space_group"][identifier]] == counts.max()
        assert own.index[own == structures["space_group"][identifier]][0] == identifier


def test_gallery_shows_the_pixels_of_the_patterns(study, electron_inputs):
    (block,) = sections.patterns.patterns(study).blocks
    chosen = sections.patterns.chosen_structures(study)
    assert len(block.figure.data) == 5 * len(chosen)
    table = tables.read_table(electron_inputs.structures)
    row = table["structure_id"].to_pylist().index(chosen[0])
    spot, shaped = (
        electron.compute(
            table.slice(row, 1), settings_of(electron_inputs.descriptors[name].settings)
        ).values[0]
        for name in PATTERNS
    )
    shown = []
    for image in block.figure.data[:5]:
        head, data = image.source.split(",")
        assert head == "data:image/png;base64"
        shown.append(np.array(Image.open(io.BytesIO(base64.b64decode(data)))))
        # Pixel 0 is the lowest q; the axes rise.
        assert (image.x0, image.y0) == pytest.approx((-63 / 64, -63 / 64))
        assert (image.dx, image.dy) == pytest.approx((1 / 32, 1 / 32))
    assert spot.any()
    for channel in range(3):
        assert (shown[channel] == spot[:, :, channel]).all()
    assert (shown[3] == spot).all()
    assert (shown[4] == shaped).all()
    assert block.figure.layout.xaxis.range == block.figure.layout.yaxis.range == (-1.0, 1.0)
    titles = [note.text for note in block.figure.layout.annotations]
    assert not any("<script>" in title for title in titles)
    assert any("Fe<sub>2</sub>O<sub>3</sub>" in title for title in titles)


def test_descriptors_with_other_settings_have_a_gallery_of_their_own(electron_inputs):
    spot = electron_inputs.descriptors["spot_patterns"]
    other = dataclasses.replace(spot, settings={**spot.settings, "beam": "lattice"})
    inputs = dataclasses.replace(
        electron_inputs, descriptors={**electron_inputs.descriptors, "along_lattice": other}
    )
    blocks = sections.patterns.patterns(Study(inputs)).blocks
    assert [block.key for block in blocks] == ["patterns-spot_patterns", "patterns-along_lattice"]
    for block, axes in zip(blocks, ("xyz", "abc"), strict=True):
        titles = [note.text for note in block.figure.layout.annotations]
        assert [title for title in titles if title.startswith("beam")] == [
            f"beam along {axis}" for axis in axes
        ]


def test_networks_are_listed_with_their_cost(study):
    (table,) = sections.networks.networks(study).blocks
    assert len(table.rows) == 2 * len(PATTERN_OF)
    assert {(row[3], row[4]) for row in table.rows} == {("1\u202f549\u202f512", "15.9")}
    assert {row[2] for row in table.rows} == {"3", "9"}


def test_a_study_without_electrons_has_no_such_section(report_inputs):
    study = Study(report_inputs)
    assert sections.patterns.patterns(study) is None
    assert sections.electron.electron(study) is None
    assert sections.networks.networks(study) is None


def test_without_msvgg_the_rest_is_shown(electron_inputs):
    inputs = dataclasses.replace(
        electron_inputs,
        experiments=[e for e in electron_inputs.experiments if e.model != "msvgg"],
    )
    keys = [getattr(block, "key", "") for block in sections.electron.electron(Study(inputs)).blocks]
    assert keys == [
        "electron-classes",
        "electron-top-k",
        "electron-recall",
        "electron-systems",
        "electron-wrong-answers",
    ]


def test_published_gain_stands_beside_its_data(study):
    table = sections.electron.electron(study).blocks[-1]
    assert "17 = 10 (shaping) + 7 (MSDN) percentage points for 72 groups" in table.caption
    assert "108 658 Materials Project entries" in table.caption
    [tiong] = [entry for entry in PUBLISHED if "Tiong" in entry["reference"]]
    assert [round(100 * model["top_1"], 1) for model in tiong["models"]] == [99.5, 93.0, 84.4, 80.2]
    assert {len(row) for row in table.rows} == {len(table.columns)}
