"""The local page: what its server refuses and answers, and what a browser shows of it."""

import csv
import gzip
import io
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import requests
import uvicorn
from browsing import headless, resize
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from diffsym.app import serve
from diffsym.app.command import main
from diffsym.app.outcome import NONE_ANSWERED
from diffsym.app.page import application, uploads
from diffsym.app.page.drawing import MOST_POINTS, curve, lines_of
from diffsym.app.page.guard import refusal_of
from diffsym.app.page.uploads import label, safe_suffix
from diffsym.identification.answer import Evidence
from diffsym.identification.known import KnownStructures
from diffsym.identification.search import known_lines
from diffsym.identification.wavelengths import radiation_of
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines

ANGLES = np.arange(10.0, 90.0, 0.02)
EVIL = "<img src=x onerror=alert(1)>"
HKL = [n for n in range(1, 60) if n % 8 != 7]


def cubic(a, seed):
    """1/d and intensities of lines of a cubic cell."""
    d_star = np.sqrt(HKL) / a
    return d_star, np.random.default_rng(seed).uniform(5, 100, len(HKL))


STRUCTURES = [cubic(a, seed) for seed, a in enumerate([4.2, 5.64, 6.3, 7.1])]


@pytest.fixture(scope="module")
def known():
    reflections = pa.table(
        {
            "d_star": pa.array([list(d_star) for d_star, _ in STRUCTURES]),
            "intensity": pa.array([list(intensity) for _, intensity in STRUCTURES]),
        }
    )
    return KnownStructures(
        lines=known_lines(reflections),
        structure_ids=["a:1", "a:2", "a:3", "a:4"],
        names=["One", EVIL, None, "Four"],
        formulas=["MgO", "NaCl", "Si", "C"],
        space_groups=np.array([221, 194, 14, 225]),
    )


@pytest.fixture(scope="module")
def counts():
    """A measurement of the second structure, whose name is evil."""
    pattern = powder_pattern(
        Lines.of_one(*STRUCTURES[1]),
        ANGLES,
        radiation=CU_K_ALPHA_DOUBLET,
        shape=PeakShape.gaussian(0.05),
    )
    return np.random.default_rng(0).poisson(5000 * pattern / pattern.max() + 50)


@pytest.fixture(scope="module")
def content(counts):
    text = io.StringIO()
    np.savetxt(text, np.column_stack([ANGLES, counts]), fmt="%.4f")
    return text.getvalue().encode()


@contextmanager
def running(app):
    """Serve an application in a thread; its address."""
    with serve.listening(0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def address(known):
    with running(application.create_app(Evidence("a study", known), "a study", top=4)) as url:
        yield url


def ask(address, content, name="pattern.xy", wavelength="CuKa", **headers):
    return requests.post(
        f"{address}/api/answer",
        params={"name": name, "wavelength": wavelength},
        data=content,
        headers={"Origin": address} | headers,
        timeout=30,
    )


def test_a_pattern_is_answered(address, content):
    found = ask(address, content).json()
    assert found["state"] == "answered"
    answer = found["answer"]
    assert answer["nearest"][0]["structure_id"] == "a:2"
    assert answer["nearest"][0]["score"] > 0.75
    assert answer["ranked"][0]["symbol"] == "P6_3/mmc"
    assert answer["certain"]
    assert answer["crystal_system"] == "hexagonal"
    assert [one["space_group"] for one in answer["set_90"]] == [194]
    assert found["wavelength_from"] == "you"
    assert set(found["lines"]) == {"a:1", "a:2", "a:3", "a:4"}
    for kind in ("measured", "prepared"):
        assert len(found["curves"][kind]["x"]) == len(found["curves"][kind]["y"]) > 1000
    assert min(found["curves"]["prepared"]["y"]) == 0


def test_the_wavelength_is_asked_for_unless_the_file_says_it(address, content):
    found = ask(address, content, wavelength="").json()
    assert (found["state"], found["file"]) == ("ask_wavelength", "pattern.xy")
    assert list(found["curves"]) == ["measured"]
    stated = ask(address, b"# wavelength: 1.5406 A\n" + content, wavelength="").json()
    assert (stated["state"], stated["wavelengths"]) == ("answered", [1.5406])
    assert stated["wavelength_from"] == "file"
    contradicted = ask(address, b"# wavelength: 1.5406 A\n" + content, wavelength="0.71").json()
    assert "the file says 1.5406 A; 0.71 A of your choice was used" in contradicted["repairs"]
    # Angles are not known before the wavelength is.
    over_d = b"# d [A], counts\n" + b"".join(b"%.5f 5\n" % d for d in np.linspace(5, 1, 200))
    found = ask(address, over_d, wavelength="").json()
    assert (found["state"], found["curves"]) == ("ask_wavelength", {})


@pytest.mark.parametrize("wavelength", ["CuKb", "99", "nan"])
def test_wrong_wavelengths_are_told(address, content, wavelength):
    found = ask(address, content, wavelength=wavelength).json()
    assert found["state"] == "refused"
    assert found["reason"].startswith("wavelength: ")


@pytest.mark.parametrize("content", [b"", b"\0\1\2", b"PK\3\4", b"no numbers", b"\x1f\x8b\x08cut"])
def test_what_is_no_pattern_is_one_sentence_without_paths(address, content):
    found = ask(address, content, name="../../etc/passwd.xy").json()
    assert (found["state"], found["file"]) == ("refused", "passwd.xy")
    assert "/tmp" not in found["reason"]
    assert "Traceback" not in found["reason"]


def test_a_packed_file_is_read_by_its_suffix(address, content):
    found = ask(address, gzip.compress(content), name="C:\\data\\pattern.xy.gz").json()
    assert (found["state"], found["file"]) == ("answered", "pattern.xy.gz")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.xrdml", ".xrdml"),
        ("A.RAW.gz", ".raw.gz"),
        ("../../x.xy/../../../etc/passwd", ".txt"),
        ("a.py", ".txt"),
        ("a.xy\0.sh", ".txt"),
        ("", ".txt"),
        ("a.x/y", ".txt"),
    ],
)
def test_of_a_name_only_a_known_suffix_is_used(name, suffix):
    assert safe_suffix(name) == suffix


def test_a_name_is_a_label():
    assert label("/etc/../a\nb\x1b[31m.xy") == "ab[31m.xy"
    assert label("") == "without a name"
    assert len(label("x" * 5000)) == 200


def test_large_files_are_refused(address, monkeypatch):
    monkeypatch.setattr(application, "LARGEST_FILE", 1000)
    for body in (b"1" * 1001, (b"1" * 400 for _ in range(3))):  # with a length, and without
        answer = ask(address, body)
        assert answer.status_code == 413
        assert "the file is larger than" in answer.json()["reason"]


@pytest.mark.parametrize(
    ("method", "host", "origin", "refused"),
    [
        ("GET", "127.0.0.1:8765", None, False),
        ("GET", "localhost:8765", None, False),
        ("GET", "[::1]:8765", None, False),
        ("GET", "localhost", None, False),
        ("GET", "evil.example:8765", None, True),
        ("GET", "localhost.evil.example", None, True),
        ("GET", "localhost@evil.example", None, True),
        ("GET", "evil@localhost", None, True),
        ("GET", "localhost/evil", None, True),
        ("GET", "localhost:port", None, True),
        ("GET", "", None, True),
        ("GET", "127.0.0.1:8765", "http://evil.example", True),
        ("POST", "127.0.0.1:8765", "http://127.0.0.1:8765", False),
        ("POST", "127.0.0.1:8765", None, True),
        ("POST", "127.0.0.1:8765", "null", True),
        ("POST", "127.0.0.1:8765", "http://localhost:8765", True),
        ("POST", "127.0.0.1:8765", "http://127.0.0.1:9999", True),
        ("POST", "127.0.0.1:8765", "https://127.0.0.1:8765", True),
        ("OPTIONS", "127.0.0.1:8765", "http://evil.example", True),
    ],
)
def test_only_this_page_on_this_machine_may_ask(method, host, origin, refused):
    assert bool(refusal_of(method, host, origin)) == refused


def test_the_guard_stands_before_everything(address, content):
    for path in ("/", "/page.js", "/api/about", "/nowhere"):
        answer = requests.get(f"{address}{path}", headers={"Host": "evil.example"}, timeout=10)
        assert answer.status_code == 403
    assert ask(address, content, Origin="http://evil.example").status_code == 403
    preflight = requests.options(
        f"{address}/api/answer", headers={"Origin": "http://evil.example"}, timeout=10
    )
    assert preflight.status_code == 403
    assert not [name for name in preflight.headers if name.lower().startswith("access-control")]


def test_nothing_is_loaded_from_elsewhere(address):
    for path in application.FILES:
        answer = requests.get(f"{address}{path}", timeout=10)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        outside = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in outside
        assert "https:" not in outside
    for path in ("/docs", "/openapi.json", "/static/../serve.py", "/%2e%2e/serve.py", "/serve.py"):
        assert requests.get(f"{address}{path}", timeout=10).status_code == 404


def test_a_thinned_curve_keeps_every_peak():
    x = np.arange(100_000) / 1000
    y = np.zeros(len(x))
    y[12_345] = 7
    thin = curve(x, y)
    assert len(thin["x"]) <= MOST_POINTS
    assert (max(thin["y"]), thin["x"][int(np.argmax(thin["y"]))]) == (7, 12.345)


def test_lines_lie_where_bragg_says(known):
    lines = np.array(lines_of(known, 1, radiation_of("CuKa1"), 0.1))
    d_star, _ = STRUCTURES[1]
    expected = 2 * np.degrees(np.arcsin(np.minimum(d_star * 1.540593 / 2, 1))) + 0.1
    for place in lines[lines[:, 0] < 90, 0]:
        assert np.abs(expected - place).min() < 0.02
    assert (lines[:, 1].min() > 0, lines[:, 1].max()) == (True, 1)


# --- the command ------------------------------------------------------------------------------


def test_a_study_is_served_on_this_machine_alone(tiny_study, content):
    command = [sys.executable, "-m", "diffsym.app.command", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--study", str(tiny_study.results)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            address = process.stdout.readline().split()[3]
            assert address.startswith("http://127.0.0.1:")
            assert requests.get(f"{address}/api/about", timeout=10).json()["structures"] > 50
            assert ask(address, content).json()["state"] == "answered"
            port = int(address.rpartition(":")[2])
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.2", port), timeout=5)
        finally:
            process.terminate()


def test_what_keeps_it_from_starting_is_one_sentence(tmp_path, monkeypatch, capsys):
    assert main(["serve", "--study", str(tmp_path)]) == NONE_ANSWERED
    assert "no structures and reflections of a study" in capsys.readouterr().err
    monkeypatch.setattr(serve, "NEEDED", ("fastapi", "a_missing_package"))
    assert main(["serve", "--study", str(tmp_path)]) == NONE_ANSWERED
    assert "a_missing_package is not installed; run pip install" in capsys.readouterr().err
    with serve.listening(0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(serve.DiffsymError, match=f"--port {number}: cannot be used"):
            serve.listening(number)


# --- the browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(tmp_path_factory, downloads):
    with headless(tmp_path_factory.mktemp("chromium"), downloads) as driver:
        yield driver


@pytest.fixture(scope="module")
def files(tmp_path_factory, content):
    """A pattern with a wavelength and an evil name, one without, and one that is none."""
    folder = tmp_path_factory.mktemp("patterns")
    paths = [folder / name for name in ("=<b>evil<b>.xy", "silent.xy", "none.xy")]
    paths[0].write_bytes(b"# wavelength: 1.540593 A\n" + content)
    paths[1].write_bytes(content)
    paths[2].write_text("no numbers\n")
    return paths


def wait(browser, condition):
    return WebDriverWait(browser, 60, 0.1).until(lambda _: condition())


def many(browser, selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def texts(browser, selector):
    """What is seen of some elements, all at the same time."""
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map((one) => one.innerText ?? one.textContent)",
        selector,
    )


def dropped(browser, address, files, width):
    """The page at a width, with the answers to some files."""
    browser.get_log("browser")
    browser.get_log("performance")
    resize(browser, width)
    browser.get(address)
    wait(browser, lambda: browser.execute_script("return document.body.dataset.ready"))
    browser.find_element(By.ID, "files").send_keys("\n".join(map(str, files)))
    wait(
        browser,
        lambda: (
            len(many(browser, "#list .state")) == len(files)
            and "waiting" not in texts(browser, "#list .state")
        ),
    )


OVERLAPPING = """
const chosen = ["header", "main > section", "#body > *", ".fact", ".controls > *", "#list li",
                ".buttons > *", "th", "td"].join();
const boxes = [...document.querySelectorAll(chosen)]
    .filter((one) => one.checkVisibility())
    .map((one) => [one, one.getBoundingClientRect()]);
const name = (one) => `${one.tagName} ${one.className}`;
const touch = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
const found = [];
for (const [one, a] of boxes) {
    if (a.right > innerWidth + 1 || a.left < -1) found.push(`${name(one)} is too wide`);
    for (const [other, b] of boxes) {
        if (one === other || one.contains(other) || other.contains(one)) continue;
        if (touch(a, b)) found.push(`${name(one)} lies on ${name(other)}`);
    }
}
if (document.documentElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
for (const one of document.querySelectorAll(".scroll"))
    if (one.scrollWidth > one.clientWidth)
        found.push(`a table of ${one.scrollWidth} pixels scrolls in ${one.clientWidth}`);
const svg = document.querySelector("#plot")?.getBoundingClientRect();
const labels = [...document.querySelectorAll("#plot text")]
    .map((one) => [one.textContent, one.getBoundingClientRect()]);
labels.forEach(([text, a], index) => {
    if (a.left < svg.left - 1 || a.right > svg.right + 1 || a.bottom > svg.bottom + 1)
        found.push(`${text} leaves the plot`);
    for (const [other, b] of labels.slice(index + 1))
        if (touch(a, b)) found.push(`${text} lies on ${other}`);
});
return found;
"""
UNLABELLED = """
return [...document.querySelectorAll("input, select, button")]
    .filter((one) => one.checkVisibility())
    .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
    .map((one) => one.outerHTML);
"""


def overlapping(browser):
    """Parts of the page, and labels of the plot, that lie on each other or stick out."""
    return browser.execute_script(OVERLAPPING)


def asked_hosts(browser, address):
    """Hosts that the page asked since the last call."""
    entries = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    requested = [
        entry["params"] for entry in entries if entry["method"] == "Network.requestWillBeSent"
    ]
    urls = [
        asked["request"]["url"] for asked in requested if asked["documentURL"].startswith(address)
    ]
    return {url.split("/")[2] for url in urls if not url.startswith(("data:", "blob:"))}


@pytest.mark.parametrize("width", [1400, 390])
def test_files_are_dropped_and_answered(browser, address, files, downloads, width):
    dropped(browser, address, files, width)
    assert texts(browser, "#list .name") == [file.name for file in files]
    assert texts(browser, "#list .state")[1:] == ["which wavelength?", "not read"]
    assert browser.find_element(By.ID, "result-title").text == files[0].name
    rows = texts(browser, "#groups tbody tr")
    assert len(rows) == 4
    assert "194" in rows[0]
    assert "hexagonal" in rows[0]
    assert "certain" in texts(browser, ".fact")[0]
    assert not many(browser, "#body img, #body b, #list b"), "names are text"
    assert EVIL in browser.find_element(By.ID, "structures").text
    labels = texts(browser, "#plot text")
    assert {"2θ / degrees", "intensity / as in file"} <= set(labels)
    assert not many(browser, "#plot .overlay")
    many(browser, "[data-overlay]")[0].click()
    (overlay,) = many(browser, "#plot .overlay")
    assert overlay.get_attribute("data-name") == "a:2"
    assert len(many(browser, "#plot .stick")) > 20
    assert overlapping(browser) == []
    many(browser, "[data-overlay]")[0].click()
    assert not many(browser, "#plot .overlay")
    assert not many(browser, "#plot .prepared")
    browser.find_element(By.CSS_SELECTOR, "[data-curve=prepared]").click()
    assert many(browser, "#plot .prepared")
    # The second file says no wavelength, and nobody chooses one for the user.
    many(browser, "#list button")[1].click()
    assert not browser.find_element(By.ID, "use").is_enabled()
    assert many(browser, "#plot .measured")
    assert not many(browser, "[data-curve=prepared]")
    assert overlapping(browser) == []
    Select(browser.find_element(By.ID, "wavelength")).select_by_value("CuKa")
    browser.find_element(By.ID, "use").click()
    wait(browser, lambda: "which wavelength?" not in texts(browser, "#list .state"))
    wait(browser, lambda: many(browser, "#groups tbody tr"))
    assert "as you say" in texts(browser, "#body .hint")[0]
    many(browser, "#list button")[2].click()
    assert "two columns of numbers" in texts(browser, "[role=alert]")[0]
    check_downloads(browser, downloads, files)
    assert browser.get_log("browser") == []
    assert asked_hosts(browser, address) == {address.removeprefix("http://")}


def check_downloads(browser, downloads, files):
    """All answers as JSON, CSV and HTML."""
    for path in downloads.iterdir():
        path.unlink()
    for form in ("json", "csv", "html"):
        browser.find_element(By.CSS_SELECTOR, f"[data-format={form}]").click()
        wait(browser, (downloads / f"diffsym.{form}").exists)
    answers = json.loads((downloads / "diffsym.json").read_text())
    assert [answer["file"] for answer in answers] == [file.name for file in files[:2]]
    assert answers[0]["ranked"][0]["space_group"] == 194
    rows = list(csv.DictReader((downloads / "diffsym.csv").read_text().splitlines()))
    assert len(rows) == 8
    assert rows[0]["file"] == f"'{files[0].name}", "no formula of a spreadsheet"
    assert (rows[0]["symbol"], rows[0]["rank"]) == ("P6_3/mmc", "1")
    page = (downloads / "diffsym.html").read_text()
    assert page.count("<h1>") == 2
    assert "<img" not in page
    assert "<b>" not in page
    assert "http" not in page


def test_the_keyboard_reaches_everything(browser, address, files):
    dropped(browser, address, files[:1], 1400)
    assert browser.execute_script(UNLABELLED) == []
    box = many(browser, "[data-overlay]")[1]
    browser.execute_script("arguments[0].focus()", box)
    box.send_keys(" ")
    assert len(many(browser, "#plot .overlay")) == 1
    start = browser.find_element(By.ID, "range-from")
    start.clear()
    start.send_keys("30\n\t")
    wait(browser, lambda: "20" not in texts(browser, "#plot text"))


def test_another_wavelength_than_that_of_the_file(browser, address, files):
    dropped(browser, address, files[:1], 390)
    browser.find_element(By.CSS_SELECTOR, "summary").click()
    Select(browser.find_element(By.ID, "wavelength")).select_by_value("other")
    assert overlapping(browser) == []
    browser.find_element(By.ID, "use").click()
    assert "as the file says" in texts(browser, "#body .hint")[0], "a number is needed"
    browser.find_element(By.ID, "angstrom").send_keys("0.7093")
    browser.find_element(By.ID, "use").click()
    wait(browser, lambda: "as you say" in "".join(texts(browser, "#body .hint")))
    assert "The file says" in texts(browser, ".repairs li")[0]
    browser.find_element(By.ID, "clear").click()
    assert not many(browser, "#list li")
    assert not many(browser, "#body *")
    assert browser.find_element(By.ID, "empty").is_displayed()
    assert browser.get_log("browser") == []


def test_an_answer_without_groups_is_shown(browser, address, files, downloads, monkeypatch):
    answered = uploads.answer_pattern

    def nothing(*given, **named):
        return replace(
            answered(*given, **named),
            ranked=(),
            certain=False,
            reason="there is no line",
            crystal_system=None,
            set_90=tuple(range(1, 231)),
            nearest=(),
        )

    monkeypatch.setattr(uploads, "answer_pattern", nothing)
    dropped(browser, address, files[:1], 390)
    assert texts(browser, "#list .state") == ["no answer"]
    body = browser.find_element(By.ID, "body").text
    assert "There is no line." in body
    assert "90 % set: every space group." in body
    assert many(browser, "#plot .measured")
    assert not many(browser, "table")
    assert overlapping(browser) == []
    page = downloads / "diffsym.html"
    page.unlink(missing_ok=True)
    browser.find_element(By.CSS_SELECTOR, "[data-format=html]").click()
    wait(browser, page.exists)
    assert "Crystal system: none" in page.read_text()
    assert browser.get_log("browser") == []


def test_a_folder_or_a_lost_server_is_told(browser, known, files):
    with running(application.create_app(Evidence("a study", known), "a study", top=2)) as url:
        dropped(browser, url, files[:1], 1400)
        browser.execute_script(
            "const broken = new File(['x'], 'folder');"
            "broken.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('no file')) });"
            "add([broken]);"
        )
        wait(browser, lambda: texts(browser, "#list .state")[-1] == "not read")
        assert "drop files, not folders" in texts(browser, "[role=alert]")[0]
    browser.find_element(By.ID, "files").send_keys(str(files[1]))
    wait(browser, lambda: len(many(browser, "#list li")) == 3)
    wait(browser, lambda: texts(browser, "#list .state")[-1] == "not read")
    assert "start diffsym serve again" in texts(browser, "[role=alert]")[0]


def test_no_more_files_than_the_page_holds(browser, address, files, monkeypatch):
    monkeypatch.setattr(application, "MOST_FILES", 1)
    dropped(browser, address, files[:1], 1400)
    browser.find_element(By.ID, "files").send_keys(str(files[1]))
    wait(browser, lambda: texts(browser, "#note") == ["1 left out: the page holds 1 files"])
    assert len(many(browser, "#list li")) == 1
    monkeypatch.setattr(application, "LARGEST_FILE", 100)
    monkeypatch.setattr(application, "MOST_FILES", 5)
    browser.get(address)
    wait(browser, lambda: browser.execute_script("return document.body.dataset.ready"))
    browser.find_element(By.ID, "files").send_keys(str(files[1]))
    wait(browser, lambda: "larger than" in browser.find_element(By.ID, "note").text)
    time.sleep(0.2)
    assert not many(browser, "#list li")
