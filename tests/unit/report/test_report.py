"""The page is whole, self-contained and safe; a browser draws every figure."""

import dataclasses
import json
import shutil
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import stats
from selenium import webdriver

from diffsym import tables
from diffsym.evaluation.cross_validation import scores_by_fold
from diffsym.files import read_json, write_json
from diffsym.report import sections
from diffsym.report.figures.style import SYSTEM_COLOURS
from diffsym.report.inputs import Study
from diffsym.report.page import render
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS

FIGURES = [
    "stage-counts",
    "space-groups",
    "rejections",
    "tolerance",
    "descriptor-pdf",
    "descriptor-map-pdf",
    "descriptor-powder",
    "descriptor-ideal",
    "learning-curves",
    "top-k-accuracy",
    "top-n-accuracy",
    "crystal-system-accuracy",
    "recall-stratified",
    "recall-prototype",
    "confusion-matrices",
    "crystal-system-confusion",
    "error-distances",
    "accuracy-by-split",
    "reliability",
    "certainty-histograms",
    "certainty-thresholds",
    "measured-top-n",
    "measured-distances",
    "measured-certainty",
    "measured-thresholds",
    "round-trip",
]
SECTIONS = [
    "summary",
    "data",
    "pair-distribution",
    "powder",
    "ideal",
    "learning",
    "top-k",
    "recall",
    "confusion",
    "splits",
    "calibration",
    "certainty",
    "measured",
    "sweeps",
    "published",
    "provenance",
]

SERIES_FIGURES = [
    *FIGURES[: FIGURES.index("recall-prototype") + 1],
    "recall-ozaki2025_1",
    *FIGURES[FIGURES.index("recall-prototype") + 1 :],
    "cell-distributions",
    "volume-errors",
]
"""Figures of a study that has series, too."""
SERIES_SECTIONS = ["cells", "held-out-sets", "volumes"]

ELECTRON_FIGURES = [
    *FIGURES[: FIGURES.index("learning-curves")],
    "patterns-spot_patterns",
    *FIGURES[FIGURES.index("learning-curves") : FIGURES.index("recall-stratified")],
    # Two class sets on one split are two tasks.
    "recall-stratified-common",
    "recall-prototype",
    "recall-stratified-few",
    *FIGURES[FIGURES.index("recall-prototype") + 1 : FIGURES.index("accuracy-by-split")],
    "electron-classes",
    "electron-top-k",
    "electron-recall",
    "electron-systems",
    "electron-wrong-answers",
    "electron-gain",
    *FIGURES[FIGURES.index("accuracy-by-split") :],
]
"""Figures of a study that has electron-diffraction patterns, too."""
STREAM_FIGURES = [
    *FIGURES,
    "untrained-top-k",
    *(
        f"feature-maps-{experiment}-{block}"
        for experiment in ("cnn_stratified", "cnn_prototype")
        for block in ("block_1", "block_2")
    ),
]
"""Figures of a study whose networks have streams, too."""


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
def html(report_inputs):
    return render(report_inputs)


@pytest.fixture(scope="module")
def series_html(series_inputs):
    return render(series_inputs)


@pytest.fixture(scope="module")
def stream_html(stream_inputs):
    return render(stream_inputs)


@pytest.fixture(scope="module")
def electron_html(electron_inputs):
    return render(electron_inputs)


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


def test_plotly_is_embedded_once_and_the_page_is_small(html):
    assert html.count("plotly.js v") == 1
    assert len(html.encode()) < 15e6


def test_all_sections_and_figures_are_there(page):
    assert page.identifiers("section") == SECTIONS
    assert [i for i in page.identifiers("div") if i.startswith("plot-")] == [
        f"plot-{key}" for key in FIGURES
    ]
    linked = [attrs["href"][1:] for tag, attrs in page.elements if tag == "a"]
    assert set(linked) == set(SECTIONS)
    assert all(f"caption-{key}" in page.identifiers("figcaption") for key in FIGURES)


def test_series_and_volumes_have_sections_of_their_own(series_html):
    page = Page(series_html)
    place = SECTIONS.index("measured") + 1
    assert page.identifiers("section") == [*SECTIONS[:place], *SERIES_SECTIONS, *SECTIONS[place:]]
    drawn = [i.removeprefix("plot-") for i in page.identifiers("div") if i.startswith("plot-")]
    assert drawn == SERIES_FIGURES


def test_electron_diffraction_has_sections_of_its_own(electron_html):
    page = Page(electron_html)
    expected = SECTIONS.copy()
    for before, section in (
        ("learning", "patterns"),
        ("top-k", "networks"),
        ("splits", "electron"),
    ):
        expected.insert(expected.index(before), section)
    assert page.identifiers("section") == expected
    drawn = [i.removeprefix("plot-") for i in page.identifiers("div") if i.startswith("plot-")]
    assert drawn == ELECTRON_FIGURES
    assert len(electron_html.encode()) < 15e6


def test_provenance_names_what_networks_were_trained_with(html):
    assert html.count("<td>jax, NVIDIA A100</td>") == 2  # of the four experiments


def test_strings_from_databases_are_escaped(html, page):
    assert "<script>alert" not in html
    assert "<script>alert('name')</script>" in "".join(page.text)


def test_page_is_deterministic(report_inputs, html):
    assert render(report_inputs) == html


def test_what_a_study_lacks_gives_no_section(report_inputs):
    bare = dataclasses.replace(
        report_inputs, experiments=(), descriptors={}, leakage={}, provenance={}, benchmarks={}
    )
    assert Page(render(bare)).identifiers("section") == ["summary", "data", "provenance"]


def test_untrained_experiments_have_no_learning_curves(report_inputs):
    logistic = [e for e in report_inputs.experiments if e.model == "logistic"]
    page = Page(render(dataclasses.replace(report_inputs, experiments=logistic)))
    assert "learning" not in page.identifiers("section")
    assert "sweeps" not in page.identifiers("section")


def test_folds_have_a_table_beside_the_learning_curves(report_inputs, tmp_path):
    experiment = next(e for e in report_inputs.experiments if e.name == "cnn_stratified")
    assert len(sections.learning.learning(Study(report_inputs)).blocks) == 1
    hits = np.array([1.0, 0, 1, 1, 1, 0, 1, 1, 1, 0])
    folds = scores_by_fold({"accuracy": hits, "baseline": 1 - hits}, np.arange(10) // 5)
    write_json(tmp_path / "m.json", read_json(experiment.metrics) | {"cross_validation": folds})
    folded = dataclasses.replace(
        experiment,
        name="cnn_folds",
        metrics=tmp_path / "m.json",
        members=2,
        cross_validation=True,
    )
    inputs = dataclasses.replace(report_inputs, experiments=[experiment, folded])
    _, table = sections.learning.learning(Study(inputs)).blocks
    # Half of the distance between the two folds is the standard error of their mean.
    half_width = f"{100 * 0.1 * stats.t.ppf(0.975, 1):.0f}"
    ((split, label, *numbers),) = table.rows
    assert (split, label) == ("stratified", "cnn, 2 folds")
    assert numbers[:4] == ["2", "10", f"70 ± {half_width}", "60.0 … 80.0"]
    assert numbers[4] == f"30 ± {half_width}"


def test_powder_pattern_names_its_radiation(page):
    assert "at a wavelength of 1.54 Å" in "".join(page.text)
    two_lines = sections.descriptors._radiation([(1.5406, 1.0), (1.5444, 0.5)])
    assert two_lines == ", at wavelengths of 1.5406 Å (weight 1) and 1.5444 Å (weight 0.5)"
    assert sections.descriptors._radiation(None) == ""


def test_a_sparse_profile_is_shown_with_its_zeros(report_inputs):
    study = Study(report_inputs)
    table = tables.read_table(report_inputs.descriptors["ideal"].table)
    row = table["structure_id"].to_pylist().index(study.example["structure_id"])
    (block,) = sections.descriptors.ideal(study).blocks
    heights = [value for value in block.figure.data[0].y if value]
    assert heights == pytest.approx(table["values"][row].as_py(), abs=1e-5)
    assert f"{len(heights)} bins are not empty" in block.caption


def test_example_has_every_descriptor(report_inputs):
    study = Study(report_inputs)
    described = {
        name: tables.read_table(entry.table)["structure_id"].to_pylist()
        for name, entry in report_inputs.descriptors.items()
    }
    assert all(study.example["structure_id"] in identifiers for identifiers in described.values())
    assert study.structures["structure_id"].iloc[0] not in described["powder"]


def test_literature_shows_what_articles_give(report_inputs):
    liu, vecsei, tiong, ozaki, own = sections.literature.published(Study(report_inputs)).blocks
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


def test_few_classes_leave_cells_empty(report_inputs, tmp_path):
    experiment = report_inputs.experiments[0]
    metrics = read_json(experiment.metrics)
    for part in metrics["parts"].values():
        part["centrosymmetric"] = None
        for key in ("accuracy", "baseline", "first_differences", "gain_over_baseline"):
            part[key] = part[key][:3]
    metrics["settings"]["top_k"] = 3
    write_json(tmp_path / "metrics.json", metrics)
    few = dataclasses.replace(experiment, metrics=tmp_path / "metrics.json")
    inputs = dataclasses.replace(report_inputs, experiments=[few])
    text = " ".join(Page(render(inputs)).text)
    assert "top 3" in text
    own = sections.literature.published(Study(inputs)).blocks[-1]
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
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("chromium and chromedriver are not installed (apt: chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield driver
    driver.quit()


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
@pytest.mark.parametrize(
    ("page_of", "expected"),
    [
        ("html", FIGURES),
        ("series_html", SERIES_FIGURES),
        ("electron_html", ELECTRON_FIGURES),
        ("stream_html", STREAM_FIGURES),
    ],
)
def test_a_browser_draws_every_figure(browser, request, tmp_path, page_of, expected, width):
    html = request.getfixturevalue(page_of)
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
