"""Sections on electron-diffraction patterns, and what shaping and MSDN gain."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from diffsym import tables
from diffsym.evaluation.bootstrap import bootstrap_means, interval
from diffsym.evaluation.published import PUBLISHED
from diffsym.evaluation.scores import PublishedModel
from diffsym.report import figures, sections
from diffsym.report.electron import electron_experiments, gains
from diffsym.report.figures.style import SYSTEM_COLOURS
from diffsym.report.views import Task, by_task
from diffsym.structures.space_groups import crystal_system

PATTERNS = {"spot_patterns": "spot", "shaped_patterns": "shaped"}
PATTERN_OF = {"ziletti": "spot", "alexnet": "spot", "msvgg": "shaped", "msdn": "shaped"}
CLASSES = [2, 14, 15, 62, 139, 166, 194, 225, 227]
"""The larger set of classes; the other one has three."""


@pytest.fixture(scope="module")
def results(made_electron):
    return made_electron.results()


@pytest.fixture(scope="module")
def experiments(results):
    return electron_experiments(results)


def with_test(experiment, **changes):
    """An experiment with other scores on its test set."""
    return replace(experiment, part=replace(experiment.part, **changes))


def with_validation(experiment, accuracy):
    parts = experiment.scores.parts
    first = replace(parts.validation.accuracy[0], value=accuracy)
    parts = replace(parts, validation=replace(parts.validation, accuracy=[first]))
    return replace(experiment, scores=replace(experiment.scores, parts=parts))


def test_a_network_has_one_label_whatever_its_classes(experiments):
    assert len(experiments) == 2 * len(PATTERN_OF)
    assert {e.label for e in experiments} == {
        f"{model}, {pattern}_patterns" for model, pattern in PATTERN_OF.items()
    }


def test_class_sets_are_tasks_and_rise(results, experiments):
    grouped = by_task(experiments)
    assert [task.words() for task in grouped] == ["stratified, few", "stratified, common"]
    assert [e.settings.model for e in grouped[Task("stratified", "few")]] == list(PATTERN_OF)
    # The other split has one class set, and is the task.
    assert Task("prototype") in by_task(results.experiments)


def test_gains_add_up_and_spot_patterns_are_chosen_by_validation(experiments):
    ziletti, alexnet, *shaped = experiments[: len(PATTERN_OF)]
    assert alexnet.part.accuracy[0].value > ziletti.part.accuracy[0].value
    chosen = [with_validation(ziletti, 0.9), with_validation(alexnet, 0.1), *shaped]
    (gain,) = gains(chosen, PATTERNS)
    assert [e.settings.model for e in (gain.spot, gain.shaped, gain.msdn)] == [
        "ziletti",
        "msvgg",
        "msdn",
    ]
    values = {name: entry.value for name, entry in gain.differences.items()}
    assert values["shaping"] + values["msdn"] == pytest.approx(values["total"], abs=1e-12)
    first = [e.part.accuracy[0].value for e in (gain.spot, gain.msdn)]
    assert values["total"] == pytest.approx(first[1] - first[0], abs=1e-12)
    for entry in gain.differences.values():
        assert entry.low < entry.value < entry.high


def test_intervals_of_gains_are_those_of_the_paired_bootstrap(results, experiments):
    (gain,) = gains(experiments[: len(PATTERN_OF)], PATTERNS)
    layout = results.layout
    clusters = tables.read_table(layout.split("stratified"), tables.SPLIT).to_pandas()
    hits = []
    for experiment in (gain.spot, gain.msdn):
        table = tables.read_table(layout.member(experiment.name, 0))
        rows = table.to_pandas().query("role == 'test'").sort_values("structure_id")
        classes = np.array(experiment.classes)
        answers = classes[np.stack(rows["probabilities"]).argmax(axis=1)]
        hits.append((answers == rows["space_group"]).to_numpy(np.float64))
    own = clusters.set_index("structure_id")["group"][rows["structure_id"]].tolist()
    samples = bootstrap_means((hits[1] - hits[0])[:, np.newaxis], own, gain.msdn.scores.settings)
    assert len(set(own)) < len(own)
    total = gain.differences["total"]
    assert total.value == pytest.approx((hits[1] - hits[0]).mean())
    assert (total.low, total.high) == pytest.approx(np.ravel(interval(samples, 0.95)))


def test_no_gain_without_all_three_on_the_same_structures(experiments):
    few = experiments[: len(PATTERN_OF)]
    assert len(gains(experiments, PATTERNS)) == 2
    for lacking in ("msvgg", "msdn"):
        assert not gains([e for e in few if e.settings.model != lacking], PATTERNS)
    assert not gains(few[2:], PATTERNS)
    assert not gains([*few[:3], with_test(few[3], structures_sha256="other")], PATTERNS)


def test_wrong_answers_are_counted_by_system(experiments):
    classes = [1, 2, 14, 225]
    confusion = [[6, 2, 1, 1], [0, 10, 0, 0], [5, 5, 10, 0], [0, 0, 0, 0]]
    groups = [replace(experiments[0].part.per_class[0], space_group=n) for n in classes]
    experiment = with_test(experiments[0], confusion=confusion, per_class=groups)
    figure = figures.confusion.wrong_answers_by_system([experiment])
    (heatmap,) = figure.data
    assert list(heatmap.x) == ["triclinic", "monoclinic", "cubic"]
    assert np.array(heatmap.z).tolist() == [[0.1, 0.05, 0.05], [0.5, 0, 0], [0, 0, 0]]
    assert figure.layout.coloraxis.cmax == 0.5
    assert heatmap.text[1][0] == "50"


def test_published_accuracies_stand_where_the_study_has_as_many_groups(experiments):
    published = [
        PublishedModel(model="MSDN", n_classes=n, top_1=top_1)
        for n, top_1 in ((9, 0.7), (72, 0.802))
    ]
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
        e.part.accuracy[0].value for e in experiments if e.settings.model == "msdn"
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


def test_gallery_shows_the_pixels_of_the_patterns(results):
    (block,) = sections.patterns.patterns(results).blocks
    gallery = results.gallery("spot_patterns")
    assert len(block.figure.data) == 5 * len(gallery["structure_ids"])
    spot, shaped = gallery["spot"][0], gallery["shaped"][0]
    shown = []
    for image in block.figure.data[:5]:
        head, data = image.source.split(",")
        assert head == "data:image/png;base64"
        shown.append(np.array(Image.open(io.BytesIO(base64.b64decode(data)))))
        # Pixel 0 is the lowest q; the axes rise.
        assert (image.x0, image.y0) == pytest.approx((-63 / 64, -63 / 64))
        assert (image.dx, image.dy) == pytest.approx((1 / 32, 1 / 32))
    for channel in range(3):
        assert (shown[channel] == spot[:, :, channel]).all()
    assert (shown[3] == spot).all()
    assert (shown[4] == shaped).all()
    assert block.figure.layout.xaxis.range == block.figure.layout.yaxis.range == (-1.0, 1.0)
    titles = [note.text for note in block.figure.layout.annotations]
    assert not any("<script>" in title for title in titles)
    assert any("Fe<sub>2</sub>O<sub>3</sub>" in title for title in titles)


def test_beams_are_named_by_the_axes_that_they_follow(made_electron):
    changes = {f"{pattern}_patterns": {"beam": "lattice"} for pattern in ("spot", "shaped")}
    for descriptors, axes in (({}, "xyz"), (changes, "abc")):
        results = made_electron.results(descriptors=descriptors)
        (block,) = sections.patterns.patterns(results).blocks
        assert block.key == "patterns-spot_patterns"
        titles = [note.text for note in block.figure.layout.annotations]
        assert [title for title in titles if title.startswith("beam")] == [
            f"beam along {axis}" for axis in axes
        ]


def test_networks_are_listed_with_their_cost(results):
    (table,) = sections.networks.networks(results).blocks
    assert len(table.rows) == 2 * len(PATTERN_OF)
    assert {(row[3], row[4]) for row in table.rows} == {("1\u202f549\u202f512", "15.9")}
    assert {row[2] for row in table.rows} == {"3", "9"}
    assert {(row[6], row[7]) for row in table.rows} == {("118", "85")}


def test_a_study_without_electrons_has_no_such_section(made):
    results = made.results()
    assert sections.patterns.patterns(results) is None
    assert sections.electron.electron(results) is None
    assert sections.networks.networks(results) is None


def test_without_msvgg_the_rest_is_shown(made_electron):
    others = [name for name in made_electron.raw["report"]["experiments"] if "msvgg" not in name]
    results = made_electron.results(report={"experiments": others})
    keys = [getattr(block, "key", "") for block in sections.electron.electron(results).blocks]
    assert keys == [
        "electron-classes",
        "electron-top-k",
        "electron-recall",
        "electron-systems",
        "electron-wrong-answers",
    ]


def test_published_gain_stands_beside_its_data(results):
    table = sections.electron.electron(results).blocks[-1]
    assert "17 = 10 (shaping) + 7 (MSDN) percentage points for 72 groups" in table.caption
    assert "108 658 Materials Project entries" in table.caption
    [tiong] = [entry for entry in PUBLISHED if "Tiong" in entry.reference]
    assert [round(100 * model.top_1, 1) for model in tiong.models] == [99.5, 93.0, 84.4, 80.2]
    assert {len(row) for row in table.rows} == {len(table.columns)}
