"""Sections on what networks with streams do inside: untrained groups and feature maps."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from diffsym.report.sections.feature_maps import feature_maps
from diffsym.report.sections.untrained import untrained


def picture(trace):
    """Pixels of an image in the page."""
    kind, content = trace.source.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.fixture(scope="module")
def results(made_electron):
    return made_electron.results()


def test_a_study_without_streams_has_no_such_sections(made):
    results = made.results()
    assert untrained(results) is None
    assert feature_maps(results) is None


def test_curves_of_untrained_groups_are_those_of_the_file(results):
    figure = untrained(results).blocks[0].figure
    [recognition] = results.recognitions.values()
    lines = [
        getattr(answered, reading)
        for answered in (recognition.accuracy.features, recognition.accuracy.images)
        for reading in ("mean", "nearest")
    ]
    drawn = [trace for trace in figure.data if trace.name != "label frequency"]
    assert [list(trace.y) for trace in drawn] == [[e.value for e in line] for line in lines]
    assert len(figure.data) == len(drawn) + 1


def test_tables_count_what_is_compared(results):
    _, table, groups = untrained(results).blocks
    recognition = results.recognitions["msdn_few"]
    assert table.rows[0][2:6] == ["3", "17", "17", "mean"]
    assert table.rows[1][5] == "nearest reference"
    compared = (
        recognition.accuracy.features,
        recognition.accuracy.images,
        recognition.gain_over_images,
    )
    for row, reading in zip(table.rows, ("mean", "nearest"), strict=True):
        features, images, gain = (100 * getattr(one, reading)[0].value for one in compared)
        assert row[6].startswith(f"{features:.1f}")
        assert row[7].startswith(f"{images:.1f}")
        assert row[8].startswith(f"{gain:+.1f}".replace("-", "\u2212"))
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert [row[1:3] for row in groups.rows] == [["10", "10"], ["2", "2"], ["5", "5"]]
    assert "groups 1, structures 1" in groups.caption


def test_each_row_shows_the_image_and_its_maps(results):
    arrays = results.feature_maps["msvgg_few"]
    blocks = {block.key: block for block in feature_maps(results).blocks[:-1]}
    figure = blocks["feature-maps-msvgg_few-block_2"].figure
    n, m = arrays["block_2_maps"].shape[:2]
    assert len(figure.data) == n * (1 + m)
    # The first row of pixels is the lowest one.
    assert np.array_equal(picture(figure.data[0])[::-1], arrays["images"][0])
    second_row = figure.data[1 + m :]
    assert np.array_equal(picture(second_row[3])[::-1], arrays["block_2_maps"][1, 2])
    assert figure.layout.xaxis.ticktext[1:] == tuple(map(str, arrays["block_2_channels"]))
    for trace in figure.data:
        assert trace.dx * picture(trace).shape[1] == pytest.approx(0.96)


def test_redundancy_is_the_mean_over_structures_with_maps(results):
    rows = feature_maps(results).blocks[-1].rows
    assert rows[0][2:] == ["block 1", "8", "1", "0.300", "0.200 … 0.400"]
    assert rows[1][2:] == ["block 2", "16", "0", "0.250", "0.250 … 0.250"]


def test_a_network_that_recognises_nothing_shows_no_maps(made_electron):
    results = made_electron.results()
    nothing = {"structure_ids": np.empty(0, str), "blocks": np.empty(0, str)}
    results.feature_maps = dict.fromkeys(results.feature_maps, nothing)
    assert feature_maps(results) is None
