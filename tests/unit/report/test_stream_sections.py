"""Sections on what networks with streams do inside: untrained groups and feature maps."""

import base64
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from diffsym.files import read_json
from diffsym.report.inputs import Study
from diffsym.report.page import render
from diffsym.report.sections.feature_maps import feature_maps
from diffsym.report.sections.untrained import untrained


def picture(trace):
    """Pixels of an image in the page."""
    kind, content = trace.source.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


def of_networks(stream_inputs):
    return [e for e in stream_inputs.experiments if e.feature_maps is not None]


def test_a_study_without_streams_has_no_such_sections(report_inputs):
    study = Study(report_inputs)
    assert untrained(study) is None
    assert feature_maps(study) is None


def test_curves_of_untrained_groups_are_those_of_the_file(stream_inputs):
    figure = untrained(Study(stream_inputs)).blocks[0].figure
    experiments = of_networks(stream_inputs)
    lines = [
        read_json(experiment.untrained)["accuracy"][what][reading]
        for experiment in experiments
        for what in ("features", "images")
        for reading in ("mean", "nearest")
    ]
    drawn = [trace for trace in figure.data if trace.name != "label frequency"]
    assert [list(trace.y) for trace in drawn] == [[e["value"] for e in line] for line in lines]
    assert len(figure.data) == len(drawn) + len(experiments)


def test_tables_count_what_is_compared(stream_inputs):
    _, table, *groups = untrained(Study(stream_inputs)).blocks
    content = read_json(of_networks(stream_inputs)[0].untrained)
    assert table.rows[0][2:6] == ["3", "17", "17", "mean"]
    assert table.rows[1][5] == "nearest reference"
    for row, reading in zip(table.rows, ("mean", "nearest"), strict=False):
        features, images, gain = (
            100 * values[reading][0]["value"]
            for values in (*content["accuracy"].values(), content["gain_over_images"])
        )
        assert row[6].startswith(f"{features:.1f}")
        assert row[7].startswith(f"{images:.1f}")
        assert row[8].startswith(f"{gain:+.1f}".replace("-", "\u2212"))
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert [row[1:3] for row in groups[0].rows] == [["10", "10"], ["2", "2"], ["5", "5"]]
    assert "groups 1, structures 1" in groups[0].caption


def test_each_row_shows_the_image_and_its_maps(stream_inputs):
    experiment = of_networks(stream_inputs)[0]
    with np.load(experiment.feature_maps) as stored:
        arrays = dict(stored)
    study = Study(stream_inputs)
    blocks = {block.key: block for block in feature_maps(study).blocks[:-1]}
    figure = blocks[f"feature-maps-{experiment.name}-block_2"].figure
    n, m = arrays["block_2_maps"].shape[:2]
    assert len(figure.data) == n * (1 + m)
    # The first row of pixels is the lowest one.
    assert np.array_equal(picture(figure.data[0])[::-1], arrays["images"][0])
    second_row = figure.data[1 + m :]
    assert np.array_equal(picture(second_row[3])[::-1], arrays["block_2_maps"][1, 2])
    assert figure.layout.xaxis.ticktext[1:] == tuple(map(str, arrays["block_2_channels"]))
    for trace in figure.data:
        assert trace.dx * picture(trace).shape[1] == pytest.approx(0.96)


def test_redundancy_is_the_mean_over_structures_with_maps(stream_inputs):
    rows = feature_maps(Study(stream_inputs)).blocks[-1].rows
    assert rows[0][2:] == ["block 1", "8", "1", "0.300", "0.200 … 0.400"]
    assert rows[1][2:] == ["block 2", "16", "0", "0.250", "0.250 … 0.250"]


def test_a_network_that_recognises_nothing_shows_no_maps(stream_inputs, tmp_path):
    np.savez(tmp_path / "none.npz", structure_ids=np.empty(0, str), blocks=np.empty(0, str))
    experiments = [
        dataclasses.replace(experiment, feature_maps=tmp_path / "none.npz")
        for experiment in of_networks(stream_inputs)
    ]
    assert feature_maps(Study(dataclasses.replace(stream_inputs, experiments=experiments))) is None


def test_page_with_images_is_deterministic_and_escapes_names(stream_inputs):
    html = render(stream_inputs)
    assert html == render(stream_inputs)
    assert "<script>alert" not in html
    assert 'id="untrained"' in html
    assert 'id="feature-maps"' in html
