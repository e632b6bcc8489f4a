"""The page is whole, self-contained and safe; a browser draws every figure."""

import json
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from browsing import headless
from scipy import stats

from diffsym import tables
from diffsym.evaluation.cross_validation import scores_by_fold
from diffsym.evaluation.summary import summarise
from diffsym.report import sections
from diffsym.report.colours import SYSTEM_COLOURS
from diffsym.report.page import render
from diffsym.report.results import labels
from diffsym.report.sections.blocks import TableBlock
from diffsym.settings import values_of
from diffsym.settings.descriptors.powder import Powder
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS

STUDIES = ("made", "made_series", "made_electron")
SERIES, ELECTRON = STUDIES[1:2], STUDIES[2:]
PAGE = {
    # Section, the studies that have it, and its figures or, where studies differ, those of each.
    "summary": (STUDIES, []),
    "data": (STUDIES, ["stage-counts", "space-groups", "rejections", "tolerance"]),
    "pair-distribution": (STUDIES, ["descriptor-pdf", "descriptor-map-pdf"]),
    "powder": (STUDIES, ["descriptor-powder"]),
    "ideal": (STUDIES, ["descriptor-ideal"]),
    "patterns": (ELECTRON, ["patterns-spot_patterns"]),
    "learning": (STUDIES, ["learning-curves"]),
    "networks": (ELECTRON, []),
    "top-k": (STUDIES, ["top-k-accuracy", "top-n-accuracy", "crystal-system-accuracy"]),
    "recall": (
        STUDIES,
        {
            "made": ["recall-stratified", "recall-prototype"],
            "made_series": ["recall-stratified", "recall-prototype", "recall-disjoint_1"],
            # Two class sets on one split are two tasks.
            "made_electron": [
                "recall-stratified-common",
                "recall-prototype",
                "recall-stratified-few",
            ],
        },
    ),
    "confusion": (STUDIES, ["confusion-matrices", "crystal-system-confusion", "error-distances"]),
    "electron": (
        ELECTRON,
        [
            "electron-classes",
            "electron-top-k",
            "electron-recall",
            "electron-systems",
            "electron-wrong-answers",
            "electron-gain",
        ],
    ),
    "splits": (STUDIES, ["accuracy-by-split"]),
    "calibration": (STUDIES, ["reliability"]),
    "certainty": (STUDIES, ["certainty-histograms", "certainty-thresholds"]),
    "measured": (
        STUDIES,
        [
            "measured-top-n",
            "measured-distances",
            "measured-certainty",
            "measured-thresholds",
            "round-trip",
        ],
    ),
    "cells": (SERIES, ["cell-distributions"]),
    "held-out-sets": (SERIES, []),
    "volumes": (SERIES, ["volume-errors"]),
    "untrained": (ELECTRON, ["untrained-top-k"]),
    "feature-maps": (
        ELECTRON,
        [
            f"feature-maps-{model}_{classes}-{block}"
            for classes in ("few", "common")
            for model in ("msvgg", "msdn")
            for block in ("block_1", "block_2")
        ],
    ),
    "sweeps": (STUDIES, []),
    "published": (STUDIES, []),
    "provenance": (STUDIES, []),
}


def sections_of(study):
    return [section for section, (studies, _) in PAGE.items() if study in studies]


def figures_of(study):
    shown = [PAGE[section][1] for section in sections_of(study)]
    return [key for keys in shown for key in (keys[study] if isinstance(keys, dict) else keys)]


class Page(HTMLParser):
    """Elements of a page, and the text that a reader sees."""

    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.text = []
        self.inside = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.text.append(data)

    def identifiers(self, tag):
        return [attrs["id"] for name, attrs in self.elements if name == tag and "id" in attrs]


@pytest.fixture(scope="module")
def page_of(request):
    """The page of a study, rendered once."""
    pages = {}

    def rendered(study):
        if study not in pages:
            pages[study] = render(request.getfixturevalue(study).results())
        return pages[study]

    return rendered


@pytest.fixture(scope="module")
def html(page_of):
    return page_of("made")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_nothing_is_fetched(page):
    references = [
        attrs[key]
        for _, attrs in page.elements
        for key in ("src", "href", "data", "action")
        if attrs.get(key)
    ]
    assert references
    assert all(reference.startswith(("#", "data:")) for reference in references)
    assert "@import" not in "".join(page.text)


def test_plotly_is_embedded_once(html):
    assert html.count("plotly.js v") == 1


@pytest.mark.parametrize("study", STUDIES)
def test_all_sections_and_figures_are_there(page_of, study):
    html = page_of(study)
    page = Page(html)
    assert page.identifiers("section") == sections_of(study)
    drawn = [i.removeprefix("plot-") for i in page.identifiers("div") if i.startswith("plot-")]
    assert drawn == figures_of(study)
    linked = [attrs["href"][1:] for tag, attrs in page.elements if tag == "a"]
    assert set(linked) == set(sections_of(study))
    assert all(f"caption-{key}" in page.identifiers("figcaption") for key in drawn)
    assert "<script>alert" not in html
    assert len(html.encode()) < 15e6


def test_provenance_names_what_networks_were_trained_with(html):
    assert html.count("<td>jax, NVIDIA A100</td>") == 2  # of the four experiments


def test_sources_say_what_they_are_and_what_filters_leave_out(made_series, page_of):
    text = "".join(Page(page_of("made_series")).text)
    assert "A trimmed collection" in text
    assert "Left out by filters" not in text
    path = made_series.results().layout.rejected
    rejected = tables.read_table(path, tables.REJECTED).to_pandas()
    rejected.loc[1, ["stage", "code", "reason"]] = ["select", "disordered", "a site is mixed"]
    results = made_series.results()
    results.without_structure = rejected
    section = sections.data.data(results)
    (left_out,) = [block for block in section.blocks if getattr(block, "numeric", ()) == [2]][:1]
    assert left_out.rows == [["test", "disordered", "1", "y", "a site is mixed"]]
    counts = sections.data.stage_counts(results)["test"]
    assert list(counts)[:4] == ["entries", "selected", "read", "checked"]
    assert counts["entries"] - counts["selected"] == counts["selected"] - counts["checked"] == 1


def test_strings_from_databases_are_escaped(html, page):
    assert "<script>alert" not in html
    assert "<script>alert('name')</script>" in "".join(page.text)


@pytest.mark.parametrize("study", ["made", "made_electron"])
def test_page_is_deterministic(request, page_of, study):
    assert render(request.getfixturevalue(study).results()) == page_of(study)


def test_what_a_study_lacks_gives_no_section(made):
    few = {"experiments": ["logistic_stratified"], "sweeps": []}
    found = Page(render(made.results(report=few))).identifiers("section")
    lacking = {"pair-distribution", "ideal", "learning", "measured", "sweeps"}
    assert found == [section for section in sections_of("made") if section not in lacking]


def test_folds_have_a_table_beside_the_learning_curves(made):
    results = made.results()
    assert len(sections.learning.learning(results).blocks) == 1
    experiment = next(e for e in results.experiments if e.name == "cnn_stratified")
    hits = np.array([1.0, 0, 1, 1, 1, 0, 1, 1, 1, 0])
    folds = scores_by_fold(hits, 1 - hits, np.arange(10) // 5)
    folded = replace(
        experiment,
        label="cnn, 2 folds",
        scores=replace(experiment.scores, cross_validation=folds),
    )
    results.experiments = [experiment, folded]
    _, table = sections.learning.learning(results).blocks
    # Half of the distance between the two folds is the standard error of their mean.
    half_width = f"{100 * 0.1 * stats.t.ppf(0.975, 1):.0f}"
    ((split, label, *numbers),) = table.rows
    assert (split, label) == ("stratified", "cnn, 2 folds")
    assert numbers[:4] == ["2", "10", f"70 ± {half_width}", "60.0 … 80.0"]
    assert numbers[4] == f"30 ± {half_width}"


def test_labels_name_what_tells_experiments_apart(made):
    plain = made.results().experiments[1].settings
    assert labels([plain, replace(plain, model="other")]) == ["cnn", "other"]
    folded = replace(plain, members=2, cross_validation=True)
    assert labels([plain, folded]) == ["cnn", "cnn, 2 folds"]
    other = replace(plain, classes="few", filter="narrow")
    assert labels([plain, other]) == ["cnn, common", "cnn, few, narrow"]
    assert labels([plain, other], without=["classes"]) == ["cnn", "cnn, narrow"]


def test_powder_pattern_names_its_radiation(page):
    assert "at a wavelength of 1.54 Å" in "".join(page.text)
    two_lines = sections.descriptors._radiation(Powder(wavelength=((1.5406, 1.0), (1.5444, 0.5))))
    assert two_lines == ", at wavelengths of 1.5406 Å (weight 1) and 1.5444 Å (weight 0.5)"


def test_a_sparse_profile_is_shown_with_its_zeros(made):
    results = made.results()
    table = tables.read_table(results.layout.descriptor("ideal"))
    row = table["structure_id"].to_pylist().index(results.example["structure_id"])
    (block,) = sections.descriptors.ideal(results).blocks
    heights = [value for value in block.figure.data[0].y if value]
    assert heights == pytest.approx(table["values"][row].as_py(), abs=1e-5)
    assert f"{len(heights)} bins are not empty" in block.caption


def test_example_has_every_descriptor(made):
    results = made.results()
    described = {
        name: tables.read_table(entry.table)["structure_id"].to_pylist()
        for name, entry in results.descriptors.items()
    }
    assert set(described) == {"powder", "pdf", "ideal"}
    example = results.example["structure_id"]
    assert all(example in identifiers for identifiers in described.values())
    assert results.structures["structure_id"].iloc[0] not in described["powder"]


def test_literature_shows_what_articles_give(made):
    liu, vecsei, tiong, ozaki, own = sections.literature.published(made.results()).blocks
    assert liu.columns == ["model", "space group, test", "space group, top 6, test"]
    assert [row[1:] for row in liu.rows] == [
        ["20\u202f%", ""],
        ["44.5\u202f%", "77\u202f%"],
        ["70\u202f%", "91.9\u202f%"],
    ]
    assert len(vecsei.columns) == 7
    assert "RRUFF" in vecsei.caption
    assert "ICSD" in vecsei.caption
    assert tiong.columns == ["model", "space group, test"]
    assert [row[1] for row in tiong.rows] == [f"{x}\u202f%" for x in ("99.5", "93", "84.4", "80.2")]
    assert [row[1:] for row in ozaki.rows] == [["72.1\u202f%", ""], ["73.6\u202f%", "82\u202f%"]]
    assert "PowCod" in ozaki.caption
    assert "400" in own.caption
    assert {len(row) for row in own.rows} == {len(own.columns)}


def test_few_classes_leave_cells_empty(made):
    results = made.results(report={"experiments": ["logistic_stratified"], "sweeps": []})
    (experiment,) = results.experiments
    lists = ("accuracy", "baseline", "first_differences", "gain_over_baseline")
    part = replace(
        experiment.part,
        centrosymmetric=None,
        **{name: getattr(experiment.part, name)[:3] for name in lists},
    )
    scores = replace(experiment.scores, parts=replace(experiment.scores.parts, test=part))
    settings = values_of(results.study.experiments[experiment.name])
    results.experiments = [replace(experiment, part=part, scores=scores)]
    results.summary = summarise({experiment.name: settings}, {experiment.name: scores})
    text = " ".join(Page(render(results)).text)
    assert "top 3" in text
    own = sections.literature.published(results).blocks[-1]
    missing = [name for name, cell in zip(own.columns, own.rows[0], strict=True) if not cell]
    assert missing == ["space group, top 6", "centrosymmetric only"]


def test_experiments_are_grouped_by_split_and_classes(page):
    groups = [attrs for tag, attrs in page.elements if attrs.get("scope") == "rowgroup"]
    assert len(groups) == 2
    text = " ".join(page.text)
    for split in ("stratified", "prototype"):
        assert f"split {split}, classes common (9 space groups)" in text


def test_every_crystal_system_has_its_own_colour():
    assert tuple(SYSTEM_COLOURS) == CRYSTAL_SYSTEMS
    assert len(set(SYSTEM_COLOURS.values())) == 7


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chromium")
    with headless(folder / "profile", folder) as chromium:
        chromium.set_window_size(1280, 900)
        yield chromium


def fitted_legends(browser):
    """Figure, top and bottom of the legend, top of the plot, rows given back, rows kept."""
    measure = """
        return [...document.querySelectorAll(".js-plotly-plot")].filter((plot) =>
            plot.layout.meta?.spare !== undefined && plot.querySelector(".legend .bg")
        ).map((plot) => {
            const legend = plot.querySelector(".legend .bg").getBoundingClientRect();
            const top = plot.getBoundingClientRect().top;
            const { _size: size, height, meta } = plot._fullLayout;
            return [plot.id, legend.top - top, legend.bottom - top, size.t,
                    meta.height - height, meta.spare];
        });
    """
    before, now = None, browser.execute_script(measure)
    deadline = time.monotonic() + 30
    while before != now and time.monotonic() < deadline:
        time.sleep(0.3)
        before, now = now, browser.execute_script(measure)
    return now


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("study", STUDIES)
def test_a_browser_draws_every_figure(browser, page_of, tmp_path, study, width):
    html, expected = page_of(study), figures_of(study)
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    browser.set_window_size(width, 900)
    browser.get(path.as_uri())
    measure = """
        return [...document.querySelectorAll(".js-plotly-plot")].map((plot) => {
            const svg = plot.querySelector("svg.main-svg");
            const { width, height } = svg ? svg.getBoundingClientRect() : { width: 0, height: 0 };
            return [plot.id, width, height, plot._fullLayout._size.w];
        });
    """
    deadline = time.monotonic() + 30
    while len(browser.execute_script(measure)) < len(expected) and time.monotonic() < deadline:
        time.sleep(0.2)
    sizes = browser.execute_script(measure)
    assert [identifier for identifier, *_ in sizes] == [f"plot-{key}" for key in expected]
    for identifier, svg_width, svg_height, plot_width in sizes:
        assert svg_width > 250, identifier
        assert svg_height > 100, identifier
        assert plot_width > 0.5 * svg_width, identifier
    messages = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not messages, json.dumps(messages)
    assert not browser.execute_script(
        "return performance.getEntriesByType('resource').filter((r) => !r.name.startsWith('data:'))"
    )
    assert browser.execute_script(
        "return document.documentElement.scrollWidth <= window.innerWidth"
    )
    legends = fitted_legends(browser)
    assert legends
    for identifier, legend_top, legend_bottom, plot_top, given_back, kept in legends:
        assert 0 <= legend_top < legend_bottom <= plot_top, identifier
        assert 0 <= given_back <= kept, identifier
    # A wide page needs fewer rows than were kept for a narrow one.
    if width == 1280 and any(kept for *_, kept in legends):
        assert any(given_back for *_, given_back, _ in legends)


def test_answers_of_the_search_are_shown(made, html):
    """Of a set that the user measured: scores, then each pattern, with why it is not certain."""
    section = sections.measured.measured(made.results())
    shown = [block for block in section.blocks if isinstance(block, TableBlock)]
    [scores] = [block for block in shown if "without a network" in block.caption]
    assert scores.rows[0][:2] == ["laboratory", "59 of 60"]
    assert scores.rows[0][-1] == "29, 29"
    [answers] = [block for block in shown if block.title == "Answers of the search: laboratory"]
    assert len(answers.rows) == 40
    assert "20 more patterns" in answers.caption
    assert answers.rows[0][2].startswith("not certain: the first group has")
    assert answers.rows[3][2] == "certain"
    assert "95" in answers.rows[3][3]
    assert "&lt;40 %&gt;" in html
