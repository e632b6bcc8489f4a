"""Real servers of OPTIMADE on this machine, and one in front of them that makes trouble."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import optimade.server.data as reference_data
import pytest
import requests
from servers import serving

from diffsym.errors import DiffsymError
from diffsym.files import write_json
from diffsym.settings.checks import Checks
from diffsym.settings.sources.local import Local
from diffsym.settings.sources.optimade import Optimade
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.checks import check_entry
from diffsym.structures.entries import Entry, EntryError, Rejection
from diffsym.structures.fetching import optimade
from diffsym.structures.readers.optimade import FIELDS, LATER_FIELDS, read_structure
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import open_source, polite
from diffsym.structures.sources.optimade import read_line
from diffsym.structures.sources.polite import ATTEMPTS
from diffsym.structures.symmetry import find_symmetry

DATA = Path(__file__).parents[2] / "data" / "optimade"
STRUCTURES = 17
"""Those of the reference server."""
SERVER = {
    "database_backend": "mongomock",
    "log_level": "error",
    "provider": {"prefix": "exmpl", "name": "Minerals", "description": "Structures to try"},
}
NAMES_IN_TEST_DATA = {
    "id": "task_id",
    "chemical_formula_descriptive": "pretty_formula",
    "chemical_formula_reduced": "pretty_formula",
    "chemical_formula_anonymous": "formula_anonymous",
}
ODD = {
    "a long number": b"7" * 5000,
    "a deep list": b"[" * 5000 + b"]" * 5000,
    "a byte": b'"\xff"',
}
"""What stands in an answer in place of these texts, and Python would not write."""


# --- servers ------------------------------------------------------------------------------------


@contextmanager
def reference_server(folder, config):
    """The reference server of OPTIMADE; gives its address."""
    path = folder / "config.json"
    path.write_text(json.dumps(SERVER | {"log_dir": str(folder)} | config))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    # The server would look for a list of providers in the network.
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    serve = ["-m", "uvicorn", "optimade.server.main:app", "--log-level", "error"]
    process = subprocess.Popen(
        [sys.executable, *serve, "--port", str(port)],
        env=os.environ | nowhere | {"OPTIMADE_CONFIG_FILE": str(path)},
        cwd=folder,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not answers(address):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


def answers(address):
    try:
        return requests.get(f"{address}/v1/info", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The server with the structures of its own package."""
    config = {"aliases": {"structures": NAMES_IN_TEST_DATA}}
    with reference_server(tmp_path_factory.mktemp("reference"), config) as address:
        yield address


@pytest.fixture(scope="module")
def minerals(tmp_path_factory):
    """The server with structures that optimade-maker made of CIFs, and some of our own."""
    folder = tmp_path_factory.mktemp("minerals")
    lines = (DATA / "optimade.jsonl").read_text().splitlines()
    rutile = next(json.loads(line) for line in lines if '"id": "rutile"' in line)
    others = [spinel(rutile), layer(rutile), with_implicit_atoms(rutile)]
    content = "\n".join([*lines, *map(json.dumps, others)])
    (folder / "minerals.jsonl").write_text(content)
    config = {"insert_from_jsonl": str(folder / "minerals.jsonl"), "insert_test_data": False}
    with reference_server(folder, config) as address:
        yield address


def changed(structure, name, **attributes):
    return structure | {"id": name, "attributes": structure["attributes"] | attributes}


def spinel(structure):
    """The disordered spinel of our CIF, with the sites of our own reader."""
    [entry] = [entry for entry in of_cifs() if entry.entry_id == "spinel.cif"]
    kinds = {(12, 0.75): "A", (12, 0.125): "B", (8, 1.0): "O"}
    names = [kinds[entry.mixtures[index][0]] for index in entry.site_mixtures]
    return changed(
        structure,
        "spinel",
        lattice_vectors=entry.lattice.tolist(),
        cartesian_site_positions=(entry.frac_coords @ entry.lattice).tolist(),
        species_at_sites=names,
        nsites=len(names),
        species=[
            {"name": "A", "chemical_symbols": ["Mg", "Al"], "concentration": [0.75, 0.25]},
            {"name": "B", "chemical_symbols": ["Al", "Mg"], "concentration": [0.875, 0.125]},
            {"name": "O", "chemical_symbols": ["O"], "concentration": [1.0]},
        ],
        elements=["Al", "Mg", "O"],
        nelements=3,
        elements_ratios=[2 / 7, 1 / 7, 4 / 7],
        chemical_formula_reduced="Al2MgO4",
        chemical_formula_anonymous="A4B2C",
        structure_features=["disorder"],
    )


def layer(structure):
    lattice = [*structure["attributes"]["lattice_vectors"][:2], [None, None, None]]
    return changed(
        structure,
        "layer",
        dimension_types=[1, 1, 0],
        nperiodic_dimensions=2,
        lattice_vectors=lattice,
    )


def with_implicit_atoms(structure):
    return changed(structure, "hydrated", structure_features=["implicit_atoms"])


class Proxy(ThreadingHTTPServer):
    """Hands on what a server answers; `faults` says what goes wrong with the next requests."""

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.faults = {}
        self.asked = Counter()
        self.queries = []
        self.stalled = threading.Event()
        self.stop = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        place = parts.path.removeprefix("/v1/")
        name = place if place != "structures" else int(query.get("page_offset", ["0"])[0])
        self.server.asked[name] += 1
        self.server.queries.append(query)
        faults = self.server.faults.get(name, [])
        fault = faults.pop(0) if faults else None
        if isinstance(fault, int):
            return self.answer(fault, b"", {"Retry-After": "0"} if fault == 429 else {})
        if fault == "stall":
            self.server.stalled.set()
            self.server.stop.wait(60)
        # The links in the answer are made of the name under which the server is asked.
        answer = requests.get(
            self.server.upstream + self.path, headers={"Host": self.headers["Host"]}, timeout=60
        )
        content = answer.content
        if fault == "cut":  # more is announced than comes
            return self.answer(200, content[:100], length=len(content))
        if fault == "truncated":
            content = content[: len(content) // 2]
        if fault == "altered":
            content = b"<html>maintenance</html>"
        if callable(fault):
            page = json.loads(content)
            content = json.dumps(fault(page) or page).encode()
            for name, text in ODD.items():
                content = content.replace(f'"{name}"'.encode(), text)
        return self.answer(answer.status_code, content)

    def do_HEAD(self):
        self.answer(200, b"")

    def answer(self, status, content, headers=(), length=None):
        self.close_connection = True
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.send_header("Connection", "close")
            for key in headers:
                self.send_header(key, headers[key])
            self.end_headers()
            self.wfile.write(content)
        except BrokenPipeError:
            pass  # whoever asked was killed

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy(reference):
    with serving(Proxy(reference)) as running:
        yield running


@pytest.fixture
def settings(proxy):
    """Pages begin at 0, 5, 10 and 15."""
    return Optimade(provider=proxy.address, page_limit=5)


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "optimade.zip"


def fetch(archive, settings):
    optimade.fetch(archive, settings, optimade.ProviderSession(1000, first_pause=0.01))


def read(settings, archive):
    source = open_source("optimade", settings, archive)
    return list(source.read(source.identifiers()))


def of_cifs():
    source = open_source("mine", Local(path=str(DATA / "cifs")), DATA / "cifs")
    return list(source.read(source.identifiers()))


# --- what comes ---------------------------------------------------------------------------------


def test_all_structures_of_the_reference_server_become_entries(reference, archive):
    settings = Optimade(provider=reference)
    fetch(archive, settings)
    items = read(settings, archive)
    listed = {entry["task_id"]: entry for entry in reference_data.structures}
    assert {item.entry_id for item in items} == set(listed)
    assert len(items) == len(listed) == STRUCTURES
    for item in items:
        assert isinstance(item, Entry)
        # Some of its atoms lie on each other, so that they make a mixed site.
        assert sum(item.amounts().values()) == listed[item.entry_id]["nsites"]
        assert len(item.amounts()) == listed[item.entry_id]["nelements"]
    first = items[0]
    assert (first.entry_id, first.year) == ("mpf_1", 1968)
    assert first.reference.startswith("Edsger W. Dijkstra (1968). Go To Statement")
    assert first.reference.endswith("doi:10.1145/362929.362947")
    assert items[1].reference == "unknown"


def test_shards_hold_all_structures_once(reference, archive):
    settings = Optimade(provider=reference)
    fetch(archive, settings)
    source = open_source("optimade", settings, archive)
    tables = [
        table
        for shard in range(3)
        for table in process_shard(source, shard, 3, Symmetry(), Checks(), settings.select)
    ]
    names = [name for table in tables for name in table["entry_id"].to_pylist()]
    assert sorted(names) == sorted(source.identifiers())
    codes = {code for table in tables[1::2] for code in table["code"].to_pylist()}
    assert codes <= {"distance", "occupancy", "cell_volume"}


def test_minerals_are_those_of_the_same_cifs(minerals, archive):
    settings = Optimade(provider=minerals, citation="ours")
    fetch(archive, settings)
    items = {item.entry_id: item for item in read(settings, archive)}
    for expected in of_cifs():
        found = items.pop(expected.entry_id.removesuffix(".cif"))
        assert isinstance(found, Entry), found
        assert found.amounts() == pytest.approx(expected.amounts())
        assert set(found.mixtures) == set(expected.mixtures)
        assert group(found) == group(expected)
        assert (found.reference, found.year) == ("ours", None)
    assert {name: item.code.value for name, item in items.items()} == {
        "layer": "not_periodic",
        "hydrated": "incomplete",
    }


def group(entry):
    return find_symmetry(entry, 0.01).number


def test_a_filter_and_a_limit_choose(proxy, settings, archive):
    chosen = replace(settings, filter='elements HAS ALL "Ag","Cl"', page_limit=2, limit=3)
    fetch(archive, chosen)
    assert len(read(chosen, archive)) == 3
    assert all({47, 17} <= item.amounts().keys() for item in read(chosen, archive))
    assert proxy.asked[2] == 1
    assert proxy.asked[4] == 0
    nothing = replace(settings, filter='id CONTAINS "a&b#c+d%"')
    with pytest.raises(DiffsymError, match="no structure fits the filter"):
        fetch(archive.with_name("none.zip"), nothing)
    assert proxy.queries[-1]["filter"] == ['id CONTAINS "a&b#c+d%"']


def test_the_record_says_what_was_asked_and_what_the_provider_says(proxy, settings, archive):
    def with_licence(page):
        page["data"]["attributes"] |= {"available_licenses": ["CC-BY-4.0"], "license": None}
        page["meta"]["database"] = {"name": "Minerals", "version": "2026.1"}

    proxy.faults = {"info": [with_licence]}
    fetch(archive, settings)
    record = open_source("optimade", settings, archive).provenance()
    assert record["description"] == "Minerals. Structures to try"
    assert (record["version"], record["licence"]) == ("2026.1", "CC-BY-4.0")
    assert record["api_version"].startswith("1.")
    assert (record["announced"], record["entries"], record["repeated"]) == (17, 17, 0)
    ours = replace(settings, licence="ours")
    record = open_source("optimade", ours, archive).provenance()
    assert (record["licence"], record["licence_of_provider"]) == ("ours", "CC-BY-4.0")


def test_structures_that_share_an_identifier_are_all_read(proxy, settings, archive):
    def same_names(page):
        for structure in page["data"]:
            structure["id"] = "quartz"

    proxy.faults = {0: [same_names]}
    fetch(archive, settings)
    items = read(settings, archive)
    assert [item.entry_id for item in items[:3]] == ["quartz", "quartz(2)", "quartz(3)"]
    assert len({item.entry_id for item in items}) == STRUCTURES
    assert open_source("optimade", settings, archive).provenance()["repeated"] == 4


HALF = "P\ud800"
"""Half of a character, which JSON can hold and no table."""


def test_halves_of_characters_stop_no_shard(proxy, settings, archive):
    def halves(page):
        first = page["data"][0]
        first["id"] = HALF
        attributes = first["attributes"]
        attributes["space_group_symbol_hermann_mauguin"] = HALF
        for kind in attributes["species"]:
            kind["name"] += HALF
        attributes["species_at_sites"] = [name + HALF for name in attributes["species_at_sites"]]
        page["included"][0]["attributes"]["title"] = HALF

    proxy.faults = {
        0: [halves],
        "info": [lambda page: page["data"]["attributes"].update(license=HALF)],
    }
    fetch(archive, settings)
    source = open_source("optimade", settings, archive)
    [first] = [item for item in read(settings, archive) if item.entry_id == r"P\ud800"]
    assert first.declared_symbol == r"P\ud800"
    assert r"P\ud800" in first.reference
    assert source.licence == r"P\ud800"
    structures, rejected = process_shard(source, 0, 1, Symmetry(), Checks())
    assert len(structures) + len(rejected) == STRUCTURES
    write_json(archive.with_name("source.json"), source.provenance())


def test_halves_of_characters_in_an_archive_are_written_out():
    content = {"attributes": structure(), "references": [{"title": HALF}]}
    item = read_line(json.dumps(content).encode(), "rutile", "")
    assert item.reference == r"P\ud800"


def test_odd_items_of_a_page_are_rejected_and_the_others_come(proxy, settings, archive):
    def odd(page):
        page["data"][0] = None
        page["data"][1]["id"] = 7
        page["data"][2] |= {"id": "bare", "attributes": None}
        page["data"][3]["attributes"]["nsites"] = "a long number"
        page["data"][4] = "a deep list"

    def odder(page):
        page["data"][0]["attributes"]["lattice_vectors"] = "a deep list"
        page["data"][1]["attributes"]["chemical_formula_reduced"] = "a byte"
        page["data"][2]["attributes"]["other"] = "a deep list"
        page["data"][3]["relationships"] = {"references": {"data": [{"id": []}, 7, None]}}

    proxy.faults = {0: [odd], 5: [odder]}
    fetch(archive, settings)
    items = read(settings, archive)
    assert len(items) == STRUCTURES
    odd = [item.entry_id for item in items if isinstance(item, Rejection)]
    assert odd[:3] == ["page 1, item 1", "page 1, item 2", "bare"]
    assert odd[4:] == ["page 1, item 5", items[5].entry_id, items[6].entry_id]
    assert items[0].reason == "page 1, item 1: the provider gives no id of it"
    assert items[2].reason == "bare: the provider gives no attributes of it"
    assert [item.code.value for item in items[3:7]] == [
        *("contradiction", "unreadable", "cell", "unreadable"),
    ]
    assert proxy.asked[0] == proxy.asked[5] == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"included": 7},
        {"included": [7, {"id": [], "type": "references"}, {"type": []}, "a deep list"]},
        {"errors": None},
        {"included": None},
    ],
)
def test_odd_parts_beside_the_structures_are_ignored(proxy, settings, archive, fault):
    def odd(page):
        meta = {"request_delay": "0", "data_returned": "17", "data_available": []}
        return page | fault | {"meta": page["meta"] | meta}

    proxy.faults = {0: [odd]}
    fetch(archive, settings)
    assert all(isinstance(item, Entry) for item in read(settings, archive))


@pytest.mark.parametrize("links", [{"next": 7}, 7, {"next": {"href": []}}, {"next": "http://["}])
def test_an_odd_link_is_one_sentence_or_ignored_at_the_end(proxy, settings, archive, links):
    fault = [lambda page: page | {"links": links}]
    proxy.faults = {0: ATTEMPTS * fault}
    if links != {"next": {"href": []}}:
        with pytest.raises(DiffsymError, match="a link to the next page that is no address"):
            fetch(archive, settings)
    else:
        with pytest.raises(DiffsymError, match="17 structures are announced, 5 came"):
            fetch(archive, settings)


def test_publications_that_the_server_leaves_out_are_named(proxy, settings, archive):
    proxy.faults = {0: [lambda page: page | {"included": []}]}
    fetch(archive, settings)
    assert read(settings, archive)[0].reference == "reference dijkstra1968 of the provider"


# --- servers in trouble -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(reference, tmp_path_factory):
    """Structures of an archive without any trouble."""
    path = tmp_path_factory.mktemp("undisturbed") / "optimade.zip"
    fetch(path, Optimade(provider=reference))
    return contents(path)


def contents(path):
    """Members of an archive; the record without the address, which is another one each time."""
    with zipfile.ZipFile(path) as packed:
        found = {name: packed.read(name) for name in packed.namelist()}
    record = json.loads(found.pop("record.json"))
    return found | {"record": {key: record[key] for key in record if key != "provider"}}


@pytest.mark.parametrize("fault", ["cut", "truncated", "altered", 429, 500, 503])
def test_a_server_in_trouble_is_asked_again(proxy, settings, archive, undisturbed, fault):
    proxy.faults = {0: [fault], 10: [fault, fault], "info": [fault]}
    fetch(archive, settings)
    assert contents(archive) == undisturbed
    assert proxy.asked == {"info": 2, "info/structures": 1, 0: 2, 5: 1, 10: 3, 15: 1}
    assert not archive.with_suffix(".parts").exists()


def test_links_may_be_objects_or_relative_and_numbers_missing(
    proxy, settings, archive, undisturbed
):
    def sparing(page):
        link = page["links"].get("next")
        page["links"] = {"next": {"href": link and link.removeprefix(proxy.address)}}
        page["meta"] = {"api_version": "1.0.0"}

    proxy.faults = {offset: [sparing] for offset in (0, 5, 10, 15)}
    fetch(archive, settings)
    found = contents(archive)
    assert found.pop("record") == undisturbed["record"] | {"announced": None}
    assert found.items() <= undisturbed.items()


def test_a_provider_that_lists_no_properties_is_asked_for_those_of_version_1_0(
    proxy, settings, archive
):
    proxy.faults = {"info/structures": [lambda page: page["data"].update(properties={})]}
    fetch(archive, settings)
    assert all(isinstance(item, Entry) for item in read(settings, archive))
    [fields] = proxy.queries[-1]["response_fields"]
    assert fields.split(",") == list(FIELDS)


@pytest.mark.parametrize(
    ("stated", "licence"),
    [
        ({"license": {"href": "https://example.org/terms"}}, "https://example.org/terms"),
        ({"license": "https://example.org/terms"}, "https://example.org/terms"),
        ({"available_licenses": ["CC0-1.0", "MIT"], "license": "text"}, "CC0-1.0 or MIT"),
        ({"available_licenses_for_entries": ["MIT"]}, "MIT (for single structures)"),
        ({"available_licenses": [], "license": None}, None),
    ],
)
def test_terms_of_use_are_those_that_the_provider_states(stated, licence):
    assert optimade.stated_licence(stated) == licence


def test_a_download_that_fails_goes_on_where_it_stopped(proxy, settings, archive, undisturbed):
    proxy.faults = {10: ATTEMPTS * ["truncated"]}
    with pytest.raises(DiffsymError, match=r"attempts failed.*no JSON.*is kept.*link has expired"):
        fetch(archive, settings)
    assert not archive.exists()
    fetch(archive, settings)
    assert contents(archive) == undisturbed
    assert proxy.asked == {"info": 1, "info/structures": 1, 0: 1, 5: 1, 10: ATTEMPTS + 1, 15: 1}
    fetch(archive, settings)
    assert proxy.asked["info"] == 1, "what is there is not fetched again"


def test_a_download_that_is_killed_goes_on_where_it_stopped(proxy, settings, archive, undisturbed):
    proxy.faults = {10: ["stall"]}
    program = (
        "import sys; from pathlib import Path\n"
        "from diffsym.settings.sources.optimade import Optimade\n"
        "from diffsym.structures.fetching.optimade import fetch\n"
        "fetch(Path(sys.argv[1]), Optimade(provider=sys.argv[2], page_limit=5))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(archive), proxy.address])
    assert proxy.stalled.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    proxy.stop.set()
    fetch(archive, settings)
    assert contents(archive) == undisturbed
    assert proxy.asked == {"info": 1, "info/structures": 1, 0: 1, 5: 1, 10: 2, 15: 1}


def first_page(reference):
    return requests.get(f"{reference}/v1/structures?page_limit=5", timeout=60).json()


def link_back(page):
    page["links"]["next"] = re.sub(r"page_offset=\d+", "page_offset=5", page["links"]["next"])


def no_link(page):
    page["links"]["next"] = None


def no_link_and_no_number(page):
    page["links"]["next"] = page["meta"]["data_returned"] = None


def other_number(number):
    return lambda page: page["meta"].update(data_returned=number)


@pytest.mark.parametrize(
    ("offset", "fault", "message"),
    [
        (5, link_back, "the link to the next one, repeats an earlier one"),
        (5, other_number(7), "7 structures are announced, 10 came"),
        (15, other_number(20), "20 structures are announced, 17 came"),
        (5, no_link, "17 structures are announced, 10 came"),
        (5, no_link_and_no_number, "after 10 structures more are announced, but no link"),
    ],
)
def test_a_server_that_contradicts_itself_is_one_sentence(
    proxy, settings, archive, offset, fault, message
):
    proxy.faults[offset] = [fault]
    with pytest.raises(DiffsymError, match=message) as caught:
        fetch(archive, settings)
    assert "set `limit`" in str(caught.value)
    assert not archive.exists()
    assert not archive.with_suffix(".parts").exists()


def test_a_limit_does_not_hide_a_page_that_repeats(proxy, reference, settings, archive):
    proxy.faults = {5: [lambda page: page | {"data": first_page(reference)["data"]}]}
    with pytest.raises(DiffsymError, match="repeats an earlier one"):
        fetch(archive, replace(settings, limit=10))


def test_a_limit_takes_what_a_wrong_number_would_refuse(proxy, settings, archive):
    proxy.faults = {5: [no_link]}
    fetch(archive, replace(settings, limit=10))
    assert len(read(settings, archive)) == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filter": 'colour = "red"'}, r"the provider refuses \(400 .*colour.*correct"),
        ({"page_limit": 501}, r"refuses \(403 .*501.*page_limit"),
        ({"provider": "{}/optimade"}, r"refuses \(404 .*/optimade/v1/info"),
        ({"provider": "http://127.0.0.1:9"}, "attempts failed.*check network"),
    ],
)
def test_refusals_are_one_sentence_each(reference, settings, archive, changes, message):
    if "provider" in changes:
        changes = {"provider": changes["provider"].format(reference)}
    with pytest.raises(DiffsymError, match=message):
        fetch(archive, replace(settings, **changes))


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_without_bound_is_one_sentence(settings, archive, monkeypatch, status):
    monkeypatch.setattr(polite, "LARGEST_ANSWER", 2_000_000)
    bomb = gzip.compress(bytes(30_000_000))
    monkeypatch.setattr(
        Handler,
        "do_GET",
        lambda handler: handler.answer(status, bomb, {"Content-Encoding": "gzip"}),
    )
    with pytest.raises(DiffsymError, match="holds more than 2 MB when it is unpacked"):
        fetch(archive, settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"is_index": True}, "an index of databases; set `provider` to one"),
        ({"api_version": "2.0.0"}, r"version 2\.0\.0 of OPTIMADE is not understood"),
    ],
)
def test_what_is_no_database_of_version_1_is_refused(proxy, settings, archive, changes, message):
    proxy.faults = {"info": [lambda page: page["data"]["attributes"].update(changes)]}
    with pytest.raises(DiffsymError, match=message):
        fetch(archive, settings)


# --- before and after ---------------------------------------------------------------------------


def test_what_would_fail_is_said_before(settings, monkeypatch):
    optimade.check_access(settings)
    optimade.check_access(replace(settings, filter='elements HAS ALL "Si","O" AND nelements=2'))
    with pytest.raises(DiffsymError, match=r"filter: 'elements HAS' is no filter .*Unexpected end"):
        optimade.check_access(replace(settings, filter="elements HAS"))
    with pytest.raises(DiffsymError, match="no answer"):
        optimade.check_access(replace(settings, provider="http://127.0.0.1:9"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "optimade"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optimade", None)
    with pytest.raises(DiffsymError, match=r"pip install 'diffsym\[optimade\]'"):
        optimade.check_access(settings)


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ("optimade.example.org", "no address"),
        ("https://example.org/optimade/v1", "leave out '/v1'.*write https://example.org/optimade"),
        ("https://example.org/v1/structures", "leave out '/v1/structures'"),
        ("https://example.org/structures", "leave out '/structures'"),
    ],
)
def test_what_is_no_base_address_is_refused(provider, message):
    with pytest.raises(ValueError, match=message):
        Optimade(provider=provider)


def test_another_choice_of_structures_is_another_archive():
    settings = Optimade(provider="https://example.org")
    others = [{"filter": "nelements=2"}, {"limit": 2}, {"provider": "https://example.com"}]
    assert len({settings.file(), *(replace(settings, **other).file() for other in others)}) == 4
    for same in [{"licence": "CC0"}, {"page_limit": 10}, {"provider": "https://example.org/"}]:
        assert replace(settings, **same).file() == settings.file()


def test_a_damaged_archive(settings, archive):
    fetch(archive, settings)
    with zipfile.ZipFile(archive) as packed:
        record = packed.read("record.json")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("record.json", record)
    items = read(settings, archive)
    assert len(items) == STRUCTURES
    assert all(isinstance(item, Rejection) and "damaged" in item.reason for item in items)
    archive.write_bytes(b"{}")
    with pytest.raises(DiffsymError, match="no archive of OPTIMADE structures"):
        fetch(archive, settings)
    with pytest.raises(DiffsymError, match="fetch it first"):
        open_source("optimade", settings, archive.with_name("none.zip"))


@pytest.mark.parametrize("member", ["structures-00000.jsonl", "record.json"])
def test_damaged_bytes_of_an_archive(settings, archive, member):
    fetch(archive, settings)
    with zipfile.ZipFile(archive) as packed:
        start = packed.getinfo(member).header_offset + 30 + len(member)
    content = bytearray(archive.read_bytes())
    content[start : start + 20] = b"\xff" * 20
    archive.write_bytes(content)
    if member == "record.json":
        with pytest.raises(DiffsymError, match="no archive of OPTIMADE structures"):
            open_source("optimade", settings, archive)
    else:
        items = read(settings, archive)
        assert len(items) == STRUCTURES
        assert all("damaged" in item.reason for item in items)


# --- one structure ------------------------------------------------------------------------------


def structure(**changes):
    """Rutile, changed."""
    lines = (DATA / "optimade.jsonl").read_text().splitlines()
    [rutile] = [json.loads(line) for line in lines if '"id": "rutile"' in line]
    return rutile["attributes"] | changes


def kind(name, symbols, shares, **others):
    return {"name": name, "chemical_symbols": symbols, "concentration": shares} | others


TITANIUM, OXYGEN = kind("Ti", ["Ti"], [1.0]), kind("O", ["O"], [1.0])


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"nperiodic_dimensions": 2}, "not_periodic", "nperiodic_dimensions is 2"),
        ({"dimension_types": [1, 0, 1]}, "not_periodic", r"dimension_types \[1, 0, 1\]"),
        (
            {"dimension_types": None, "nperiodic_dimensions": None},
            "not_periodic",
            "neither nperiodic_dimensions nor",
        ),
        ({"lattice_vectors": None}, "cell", "lattice_vectors is null"),
        ({"lattice_vectors": [[1, 0, 0], [0, 1, 0]]}, "cell", "three vectors that span"),
        ({"lattice_vectors": [[1, 0, 0]] * 3}, "cell", "three vectors that span"),
        ({"lattice_vectors": [[1, 0, None]] * 3}, "cell", "no list of vectors"),
        ({"cartesian_site_positions": None}, "coordinates", "is null"),
        ({"cartesian_site_positions": [["0", 0, 0]]}, "coordinates", "no list of vectors"),
        ({"structure_features": None}, "unreadable", "structure_features is no list"),
        *(
            ({"structure_features": ["disorder", feature]}, "incomplete", f"it has {feature}")
            for feature in (
                *("unknown_positions", "implicit_atoms", "assemblies", "site_attachments"),
                "something_new",
            )
        ),
        ({"assemblies": [{"sites_in_groups": [[0], [1]]}]}, "incomplete", "it has assemblies"),
        ({"site_coordinate_span": "asymmetric_unit"}, "incomplete", "of 'asymmetric_unit'"),
        ({"species": None}, "no_elements", "species is no list"),
        ({"species_at_sites": None}, "no_elements", "species_at_sites is no list of names"),
        ({"species_at_sites": ["Ti"]}, "contradiction", "6 positions, 1 species_at_sites"),
        ({"nsites": 7}, "contradiction", "nsites is 7"),
        ({"species": [TITANIUM]}, "contradiction", "of the species 'O', undefined"),
        ({"species": [TITANIUM, OXYGEN, OXYGEN]}, "contradiction", "the same name"),
        ({"species": [TITANIUM, kind("O", ["O"], [1.2])]}, "occupancy", r"between 0 and 1: \[1.2"),
        ({"species": [TITANIUM, kind("O", ["O"], [None])]}, "occupancy", "between 0 and 1"),
        ({"species": [TITANIUM, kind("O", ["O"], [0.5, 0.5])]}, "contradiction", "1 chemical_symb"),
        ({"species": [TITANIUM, kind("O", [], [])]}, "mixture", "lacks its chemical_symbols"),
        ({"species": [TITANIUM, kind("O", ["O"], None)]}, "mixture", "or their concentration"),
        ({"species": [TITANIUM, kind("O", ["X"], [1.0])]}, "unknown_element", "'X' of the species"),
        (
            {"species": [TITANIUM, kind("O", ["O"], [1.0], attached=["H"], nattached=[2])]},
            "incomplete",
            "site_attachments",
        ),
        ({"chemical_formula_reduced": "O3Ti"}, "contradiction", "chemical_formula_reduced states"),
        ({"chemical_formula_reduced": "OSi"}, "contradiction", "states Si 0.5, O 0.5|O 0.5, Si"),
        ({"chemical_formula_reduced": "Ti O2"}, "unreadable", "no formula: 'Ti O2'"),
        ({"elements_ratios": [0.5, 0.5]}, "contradiction", "elements_ratios states"),
        ({"elements_ratios": [0.5, float("inf")]}, "not_finite", "elements_ratios holds"),
        ({"elements_ratios": [float("nan"), 0.5]}, "not_finite", "elements_ratios holds"),
        (
            {"lattice_vectors": [[9e5, 0, 0], [0, 9e5, 0], [0, 0, 9e5]]},
            *("cell_volume", "too large for 6 sites"),
        ),
        ({"elements_ratios": [1.0]}, "contradiction", "do not correspond"),
        ({"elements": ["O", "Xx"]}, "unknown_element", "'Xx' of the stated composition"),
    ],
)
def test_what_no_structure_can_be_made_of_is_refused(changes, code, reason):
    with pytest.raises(EntryError, match=reason) as caught:
        read_structure(structure(**changes), [], "rutile", "")
    assert caught.value.code.value == code


JUNK = [
    None,
    True,
    -1,
    10**400,
    1e308,
    float("nan"),
    "Ti",
    "",
    [],
    [None],
    [[]],
    [{}],
    {},
    {"a": []},
]


@pytest.mark.parametrize(
    "key", [*FIELDS, *LATER_FIELDS, *("name", "chemical_symbols", "concentration")]
)
def test_whatever_a_provider_sends_is_an_entry_or_a_refusal(key):
    for junk in [*JUNK, *([junk] * 6 for junk in JUNK)]:
        changes = {key: junk}
        if key not in (*FIELDS, *LATER_FIELDS):
            changes = {"species": [OXYGEN, TITANIUM | {key: junk}]}
        line = json.dumps({"attributes": structure(**changes), "references": [changes]})
        item = read_line(line.encode(), "rutile", "")
        assert isinstance(item, Entry) or item.code.value != "unexpected", (junk, item)


def test_vacancies_and_isotopes_and_declared_symmetry():
    oxygen = kind("O", ["O", "vacancy"], [0.9, 0.1], mass=[18.0, 0.0])
    entry = read_structure(
        structure(
            species=[TITANIUM, oxygen],
            elements_ratios=[0.643, 0.357],
            chemical_formula_reduced="O9Ti5",
            structure_features=["disorder"],
            space_group_it_number=136,
            space_group_symbol_hermann_mauguin="P 4_2/m n m",
        ),
        [{"year": "2019a"}, {"year": 2020, "authors": [{"name": "A. Nother"}], "pages": "1-2"}],
        "rutile",
        "",
    )
    assert entry.amounts() == pytest.approx({8: 3.6, 22: 2.0})
    assert entry.expected_composition == {8: 0.643, 22: 0.357}
    assert (entry.declared_space_group, entry.declared_symbol) == (136, "P 4_2/m n m")
    assert entry.year == 2020
    assert entry.reference == "(2019a); A. Nother (2020). 1-2"


def test_a_species_that_fills_a_site_beyond_one_fails_the_check():
    overfull = kind("Ti", ["Ti", "V"], [0.8, 0.8])
    entry = read_structure(
        structure(
            species=[OXYGEN, overfull],
            elements=["O", "Ti", "V"],
            elements_ratios=[4 / 7.2, 1.6 / 7.2, 1.6 / 7.2],
            chemical_formula_reduced=None,
        ),
        [],
        "overfull",
        "",
    )
    with pytest.raises(EntryError, match=r"a site is occupied by Ti 0\.8 V 0\.8") as caught:
        check_entry(entry, Checks())
    assert caught.value.code.value == "occupancy"


def test_species_on_one_place_share_the_site():
    rutile = structure()
    positions, names = rutile["cartesian_site_positions"], rutile["species_at_sites"]
    entry = read_structure(
        structure(
            cartesian_site_positions=[*positions, *positions[:2]],
            species_at_sites=["half Ti", "half Ti", *names[2:], "half V", "half V"],
            nsites=8,
            species=[OXYGEN, kind("half Ti", ["Ti"], [0.5]), kind("half V", ["V"], [0.5])],
            elements=["O", "Ti", "V"],
            elements_ratios=[4 / 6, 1 / 6, 1 / 6],
            chemical_formula_reduced="O4TiV",
        ),
        [],
        "mixed",
        "",
    )
    assert set(entry.mixtures) == {((8, 1.0),), ((22, 0.5), (23, 0.5))}
    assert len(entry.frac_coords) == 6
    assert group(entry) == 136
