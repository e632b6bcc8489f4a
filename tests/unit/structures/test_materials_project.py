"""The REST interface of the Materials Project, served by this machine, and asked by its client."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from copy import deepcopy
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Element, Lattice, Structure
from servers import serving

from diffsym.errors import DiffsymError
from diffsym.settings import as_plain, settings_of
from diffsym.settings.checks import Checks
from diffsym.settings.sources.local import Local
from diffsym.settings.sources.materials_project import MaterialsProject
from diffsym.settings.sources.selection import Selection
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.entries import Entry, Rejection
from diffsym.structures.fetching import check_access
from diffsym.structures.fetching import materials_project as fetching
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import open_source
from diffsym.structures.sources.polite import ATTEMPTS, PoliteSession

SECRET = "Kz7Qw3Er9Ty1Ui5Op2As4Df6Gh8Jk0Lx"
HALITE = [[0, 0, 0], [0.5, 0.5, 0.5]]
ODD = {
    "not a number": "NaN",
    "long": "7" * 5000,
    "half": r'"P\ud800"',
    "deep": "[" * 5000 + "]" * 5000,
}
"""What stands in an answer in place of these texts, and the client cannot read."""


def document(identifier, cell, number=225, symbol="Fm-3m", **keys):
    elements = sorted({Element.from_Z(z).symbol for site in cell for z in [site.specie.Z]})
    return {
        "material_id": identifier,
        "formula_pretty": cell.composition.reduced_formula,
        "structure": cell.as_dict(),
        "symmetry": {"number": number, "symbol": symbol, "symprec": 0.1},
        "theoretical": False,
        "energy_above_hull": 0.0,
        "deprecated": False,
        "builder_meta": {"license": "BY-C", "database_version": "2026.04.13"},
        "batch_id": None,
        "elements": elements,
        "chemsys": "-".join(elements),
        "nsites": len(cell),
        "nelements": len(elements),
    } | keys


def rock_salt(cation, anion, edge):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [cation, anion], HALITE)


@cache
def documents():
    """Seven entries: one deprecated, one of GNoME, one disordered, one without a structure."""
    mixed = Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}, "Cl"], HALITE)
    gnome = {"builder_meta": {"license": "BY-NC"}, "batch_id": "gnome_r2scan_statics"}
    halite = rock_salt("Na+", "Cl-", 5.6)
    return [
        document("mp-22862", halite),
        document("mp-1265", rock_salt("Mg", "O", 4.2).get_primitive_structure()),
        document("mp-23193", rock_salt("K", "Cl", 6.3), theoretical=True, energy_above_hull=0.2),
        document("mp-3200001", rock_salt("Na", "Br", 6.0), **gnome),
        document("mp-9", rock_salt("Li", "F", 4.0), deprecated=True),
        document("mp-77", halite) | {"structure": mixed.as_dict()},
        document("mp-78", halite) | {"structure": None},
    ]


def fits(doc, query):
    """Whether an entry fits parameters as the server's documentation has them."""

    def texts(key):
        return set(filter(None, query.get(key, "").split(",")))

    def truth(key):
        return key not in query or doc[key] == (query[key].lower() == "true")

    ranges = all(
        float(query.get(f"{key}_min", "-inf")) <= doc[key] <= float(query.get(f"{key}_max", "inf"))
        for key in ("nsites", "nelements", "energy_above_hull")
    )
    elements = set(doc["elements"])
    return (
        ranges
        and truth("deprecated")
        and truth("theoretical")
        and texts("elements") <= elements
        and not texts("exclude_elements") & elements
        and doc["chemsys"] in (texts("chemsys") or {doc["chemsys"]})
        and doc["material_id"] in ([*texts("material_ids")] or [doc["material_id"]])
        and query.get("batch_id_not_eq") != (doc["batch_id"] or "-")
    )


class Server(ThreadingHTTPServer):
    """The database; `faults` says what goes wrong with the next requests for entries."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents = deepcopy(documents())
        self.version = "2026.04.13"
        self.faults = []
        self.unsorted = False
        self.moved = None  # host to which queries are sent on
        self.heartbeats = []  # faults
        self.asked = []  # parameters of each request for entries
        self.stop = threading.Event()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}/api"

    def answer_to(self, query):
        found = [doc for doc in self.documents if fits(doc, query)]
        if (key := query.get("_sort_fields")) and not self.unsorted:
            found.sort(key=lambda doc: doc[key])
        skip, limit = int(query.get("_skip", 0)), int(query.get("_limit", 100))
        fields = query["_fields"].split(",")
        page = [{key: doc[key] for key in fields} for doc in found[skip : skip + limit]]
        return {"data": page, "meta": {"total_doc": len(found)}}


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        server, parts = self.server, urlsplit(self.path)
        key = self.headers.get("x-api-key")
        if parts.path == "/api/heartbeat":
            if server.heartbeats:
                return self.answer(*server.heartbeats.pop(0))
            status = {"db_version": server.version, "version": "0.87.3"}
            return self.answer(200, json.dumps(status | {"access_controlled_batch_ids": []}))
        if parts.path != "/api/materials/summary/":
            return self.answer(404, json.dumps({"detail": "Not Found"}))
        if key is None:
            return self.answer(401, json.dumps({"message": "No API key found in request"}))
        if key != SECRET:
            return self.answer(403, f"the key {key} is unknown")
        if server.moved is not None and "moved" not in parts.query:
            return self.answer(302, "", {"Location": f"{server.moved}{self.path}&moved=1"})
        query = dict(parse_qsl(parts.query))
        server.asked.append(query)
        fault = server.faults.pop(0) if server.faults else None
        if fault == "hang":
            server.stop.wait()
            return None
        if isinstance(fault, int):
            # Some servers repeat what they got.
            return self.answer(fault, f"trouble with {key}", {"Retry-After": "0"})
        answer = server.answer_to(query)
        if fault == "short":
            answer["data"] = answer["data"][:-1]
        content = json.dumps(answer)
        for name, text in ODD.items():
            content = content.replace(f'"{name}"', text)
        if fault == "truncated":
            content = content[: len(content) // 2]
        if fault == "other":
            content = json.dumps({"hello": key})
        return self.answer(200, content, cut=fault == "cut")

    def answer(self, status, content, headers=(), *, cut=False):
        content = content.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) + cut))
        for key in headers:
            self.send_header(key, headers[key])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", SECRET)
    monkeypatch.delenv("PMG_MAPI_KEY", raising=False)


@pytest.fixture
def settings(server):
    return MaterialsProject(endpoint=server.endpoint)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "materials_project.parquet"


def session():
    return PoliteSession(1000, first_pause=0.01)


def fetched(settings, file):
    """Entries and rejections by identifier."""
    fetching.fetch(file, settings, session())
    source = open_source("mp", settings, file)
    return {item.entry_id: item for item in source.read(source.identifiers())}


def test_all_entries_but_deprecated_ones_and_those_of_gnome(server, settings, file):
    entries = fetched(settings, file)
    assert list(entries) == ["mp-1265", "mp-22862", "mp-23193", "mp-77", "mp-78"]
    halite = entries["mp-22862"]
    assert halite.amounts() == {11: 4, 17: 4}
    assert np.allclose(halite.lattice, 5.6 * np.eye(3), atol=1e-12)
    assert (halite.declared_space_group, halite.declared_symbol) == (225, "Fm-3m")
    assert halite.reference == "Materials Project mp-22862"
    assert entries["mp-1265"].amounts() == {8: 1, 12: 1}
    assert "mp-77: it has mixed or partly occupied sites" in entries["mp-77"].reason
    assert "mp-78: the database gives no structure" in entries["mp-78"].reason
    assert {query["deprecated"] for query in server.asked[:1]} == {"False"}
    assert not file.with_suffix(".parts").exists()
    table = pq.read_table(file)
    assert table["formula"].to_pylist() == ["MgO", "NaCl", "KCl", "NaCl", "NaCl"]
    assert table["theoretical"].to_pylist() == [False, False, True, False, False]
    assert table["energy_above_hull"].to_pylist() == [0, 0, 0.2, 0, 0]
    asked = len(server.asked)
    fetching.fetch(file, settings, session())
    assert len(server.asked) == asked, "what is there is not fetched again"


def test_the_record_says_what_was_asked_for(server, settings, file):
    fetched(replace(settings, elements=("Cl", "Na")), file)
    record = open_source("mp", settings, file).provenance()
    assert record["version"].startswith("database 2026.04.13, fetched 20")
    assert record["query"] == {"elements": ["Cl", "Na"], "include_gnome": False}
    assert (record["entries"], record["without_structure"], record["missing"]) == (3, 2, [])
    assert record["client"].startswith("mp-api 0.46.")
    assert record["endpoint"] == server.endpoint + "/"
    assert (record["licence"], record["non_commercial"]) == ("CC BY 4.0", 0)
    assert record["description"] == "Materials Project, computed structures: 3 entries"
    assert list(record["files"]) == [file.name]


def test_the_file_is_one_of_local_too(settings, file):
    entries = fetched(settings, file)
    source = open_source("mine", Local(path=str(file)), file)
    for item in source.read(source.identifiers()):
        if isinstance(item, Entry):
            assert np.array_equal(item.frac_coords, entries[item.entry_id].frac_coords)
            assert item.mixtures == entries[item.entry_id].mixtures
        else:
            assert isinstance(entries[item.entry_id], Rejection)
    mine = open_source("mp", settings, file)
    structures, rejected = process_shard(mine, 0, 1, Symmetry(), Checks())
    assert structures["space_group"].to_pylist() == [225] * 3
    assert set(structures["licence"].to_pylist()) == {"CC BY 4.0"}
    assert sorted(rejected["entry_id"].to_pylist()) == ["mp-77", "mp-78"]


def test_entries_of_gnome_come_if_wanted_with_their_licence(settings, file):
    entries = fetched(replace(settings, include_gnome=True), file)
    assert isinstance(entries["mp-3200001"], Entry)
    source = open_source("mp", settings, file)
    assert "GNoME CC BY-NC 4.0" in source.licence
    assert source.provenance()["non_commercial"] == 1
    assert pq.read_table(file)["licence"].to_pylist().count("CC BY-NC 4.0") == 1


def test_an_entry_that_is_not_free_is_left_out_whatever_the_server_sends(server, settings, file):
    server.documents[0]["builder_meta"] = {"license": "BY-NC"}
    assert "under CC BY-NC 4.0" in fetched(settings, file)["mp-22862"].reason


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"elements": ("Cl",)}, ["mp-22862", "mp-23193", "mp-77", "mp-78"]),
        ({"elements": ("Cl",), "exclude_elements": ("Na",)}, ["mp-23193"]),
        ({"chemsys": ("Mg-O", "Cl-K")}, ["mp-1265", "mp-23193"]),
        ({"num_sites": (1, 4)}, ["mp-1265"]),
        ({"num_elements": (2, 2), "energy_above_hull": (0.1, 0.3)}, ["mp-23193"]),
        ({"theoretical": True}, ["mp-23193"]),
        ({"theoretical": False, "limit": 2}, ["mp-1265", "mp-22862"]),
        ({"material_ids": ("mp-22862", "mp-1265")}, ["mp-1265", "mp-22862"]),
    ],
)
def test_keys_choose_entries(settings, file, keys, found):
    assert list(fetched(replace(settings, **keys), file)) == found


def test_an_entry_that_the_database_lacks_is_rejected(settings, file):
    entries = fetched(replace(settings, material_ids=("mp-1265", "mp-5")), file)
    assert isinstance(entries["mp-1265"], Entry)
    assert "mp-5: the database does not give it" in entries["mp-5"].reason
    assert open_source("mp", settings, file).provenance()["missing"] == ["mp-5"]


def test_many_entries_come_in_pages_and_batches(server, settings, file):
    cell = Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]])
    server.documents = [document(f"mp-{number}", cell) for number in range(2300)]
    entries = fetched(settings, file)
    assert list(entries) == sorted(f"mp-{number}" for number in range(2300))
    listings = [query for query in server.asked if query["_fields"] == "material_id"]
    assert [query.get("_skip") for query in listings] == [None, "1000", "2000"]
    assert len(server.asked) == 3 + 10


@pytest.mark.parametrize("odd", ODD)
def test_an_entry_that_the_client_cannot_read_is_rejected(server, settings, file, odd):
    cell = Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]])
    server.documents = [document(f"mp-{number}", cell) for number in range(300)]
    server.documents[123]["symmetry"]["symbol"] = odd
    server.documents[299]["formula_pretty"] = odd
    entries = fetched(settings, file)
    assert len(entries) == 300
    rejected = {name: item for name, item in entries.items() if isinstance(item, Rejection)}
    assert rejected.keys() == {"mp-123", "mp-299"}
    assert "mp-123: the client cannot read what the database gives" in rejected["mp-123"].reason
    assert len(server.asked) < 50


def test_odd_identifiers_are_rejected(server, settings, file):
    for odd in (None, 7, "mp-1265/..", "mp-1265", ["mp-1"]):
        server.documents.append(server.documents[1] | {"material_id": odd})
    # Nobody knows how such identifiers are sorted.
    server.unsorted = True
    entries = fetched(settings, file)
    known = ["mp-1265", "mp-22862", "mp-23193", "mp-77", "mp-78"]
    assert list(entries) == [*known, *(f"entry {place} of the list" for place in range(6, 11))]
    assert isinstance(entries["mp-1265"], Entry)
    reason = "entry 6 of the list: its identifier None is none of the Materials Project"
    assert entries["entry 6 of the list"].reason == reason
    assert "its identifier 'mp-1265' is repeated" in entries["entry 9 of the list"].reason
    assert open_source("mp", settings, file).provenance()["entries"] == 10
    limited = fetched(replace(settings, limit=7), file.with_name("limited.parquet"))
    assert len(limited) == 7


def test_what_is_true_is_no_number(server, settings, file):
    server.documents[0] |= {"symmetry": {"number": True}, "energy_above_hull": True}
    halite = fetched(settings, file)["mp-22862"]
    assert (halite.declared_space_group, halite.declared_symbol) == (None, None)


@pytest.mark.parametrize("fault", [429, 500, 502, 503, "truncated", "other", "cut"])
def test_a_server_in_trouble_is_asked_again(server, settings, file, fault):
    server.faults = [fault, fault, None, fault, fault]
    server.heartbeats = [(503, ""), (429, "")]
    assert len(fetched(settings, file)) == 5
    assert not server.faults


def test_a_listing_that_lacks_entries_is_asked_for_again(server, settings, file):
    server.faults = ["short", None, None, "short"]
    entries = fetched(settings, file)
    assert len(entries) == 5
    assert sum(isinstance(item, Entry) for item in entries.values()) == 3


@pytest.mark.parametrize("fault", [503, "truncated", "other"])
def test_a_server_that_never_answers_ends_in_one_sentence(server, settings, file, fault):
    server.faults = [fault] * 100
    with pytest.raises(DiffsymError, match=f"{ATTEMPTS} attempts failed, the last with") as found:
        fetching.fetch(file, settings, session())
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 500
    assert not file.exists()


def test_a_place_without_the_database_ends_in_one_sentence(server, settings, file):
    with pytest.raises(DiffsymError, match="correct the endpoint"):
        fetching.fetch(file, replace(settings, endpoint=server.endpoint + "/v9"), session())
    server.heartbeats = [(200, "<html>proxy</html>")] * ATTEMPTS
    with pytest.raises(DiffsymError, match="not that of the Materials Project"):
        fetching.fetch(file, settings, session())
    server.faults = [400]
    with pytest.raises(DiffsymError, match=r"refuses the query .*; correct the keys"):
        fetching.fetch(file, settings, session())
    with pytest.raises(DiffsymError, match="no entry fits the keys"):
        fetching.fetch(file, replace(settings, elements=("Xe",)), session())


def test_a_killed_fetch_goes_on_where_it_stopped(server, settings, file, monkeypatch):
    cell = Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]])
    server.documents = [document(f"mp-{number}", cell) for number in range(700)]
    server.faults = [None, None, None, "hang"]
    code = (
        "from pathlib import Path; "
        "from diffsym.settings.sources.materials_project import MaterialsProject; "
        "from diffsym.structures.fetching import materials_project; "
        f"materials_project.fetch(Path({str(file)!r}), MaterialsProject(endpoint="
        f"{server.endpoint!r}))"
    )
    monkeypatch.setenv("HOME", str(file.parent))
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        while len(server.asked) < 4:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    entries = fetched(settings, file)
    assert len(entries) == 700
    asked = [len(query.get("material_ids", "").split(",")) for query in server.asked]
    assert asked == [1, 250, 250, 200, 200]


def test_another_version_of_the_database_begins_anew(server, settings, file):
    server.faults = [None, 400]
    with pytest.raises(DiffsymError, match="refuses the query"):
        fetching.fetch(file, settings, session())
    server.version = "2026.09.01"
    # The client keeps what a server said at first in its process.
    assert len(fetched(replace(settings, endpoint=server.endpoint + "/"), file)) == 5
    record = open_source("mp", settings, file).provenance()
    assert record["database_version"] == "2026.09.01"
    assert sum(query["_fields"] == "material_id" for query in server.asked) == 2


@pytest.mark.parametrize("fault", [401, 403, 429, 500, "other"])
def test_the_key_is_in_no_file_and_in_no_sentence(
    server, settings, file, fault, caplog, capfd, monkeypatch
):
    monkeypatch.setenv("HOME", str(file.parent))
    caplog.set_level(logging.DEBUG)
    server.faults = [None, *[fault] * 100]
    with pytest.raises(DiffsymError) as found:
        fetching.fetch(file, settings, session())
    server.faults = []
    fetched(settings, file)
    (file.parent / "source.json").write_text(
        json.dumps(open_source("mp", settings, file).provenance())
    )
    error: BaseException | None = found.value
    said = "".join(traceback.format_exception(error))
    while error is not None:
        said += repr(error)
        error = error.__cause__ or error.__context__
    out, err = capfd.readouterr()
    assert SECRET not in said + out + err + caplog.text
    written = [path for path in file.parent.rglob("*") if path.is_file()]
    assert {file, file.parent / "source.json"} <= set(written)
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_the_key_is_where_the_client_looks_for_it(monkeypatch, settings, file):
    monkeypatch.delenv("MP_API_KEY")
    monkeypatch.setenv("PMG_MAPI_KEY", SECRET)
    assert len(fetched(settings, file)) == 5


def test_the_key_follows_no_redirect_to_another_host(server, settings, file):
    with Server() as other:
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.moved = other.endpoint.removesuffix("/api")
        with pytest.raises(
            DiffsymError, match=r"sends the query on to .*; set `endpoint`"
        ) as found:
            fetching.fetch(file, settings, session())
        assert not other.asked
        other.shutdown()
        thread.join()
    assert SECRET not in str(found.value)
    server.moved = ""
    assert len(fetched(settings, file)) == 5, "to another path of the same server"


def test_access_is_checked_at_once(server, settings, file, monkeypatch):
    fetching.check_access(settings)
    assert len(server.asked) == 1
    with pytest.raises(DiffsymError, match=r"heartbeat: no answer .*; check the network"):
        fetching.check_access(replace(settings, endpoint="http://127.0.0.1:9"))
    wrong = SECRET[::-1]
    monkeypatch.setenv("MP_API_KEY", wrong)
    for ask in (fetching.check_access, lambda keys: fetching.fetch(file, keys, session())):
        with pytest.raises(DiffsymError, match=r"refuses the key .*status 403") as found:
            ask(settings)
        assert wrong not in str(found.value)
    monkeypatch.setenv("MP_API_KEY", "too short\n")
    with pytest.raises(DiffsymError, match="32 letters and digits") as found:
        fetching.check_access(settings)
    assert "too short" not in str(found.value)
    monkeypatch.delenv("MP_API_KEY")
    with pytest.raises(DiffsymError, match=r"no key .*next-gen\.materialsproject\.org/api.*export"):
        fetching.check_access(settings)
    monkeypatch.setenv("MP_API_KEY", SECRET)
    monkeypatch.setitem(sys.modules, "mp_api", None)
    with pytest.raises(DiffsymError, match=re.escape("pip install 'diffsym[mp]'")):
        check_access("sources.mp", settings, file)
    check_access("sources.mp", settings, file, client_elsewhere=True)


def test_reading_needs_no_client(settings, file):
    fetched(settings, file)
    code = (
        "import sys; from pathlib import Path; sys.modules['mp_api'] = None; "
        "from diffsym.settings.sources.materials_project import MaterialsProject; "
        "from diffsym.structures.sources import open_source; "
        f"source = open_source('mp', MaterialsProject(), Path({str(file)!r})); "
        "assert len(list(source.read(source.identifiers()))) == 5"
    )
    environment = {key: value for key, value in os.environ.items() if key != "MP_API_KEY"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_what_is_no_file_of_entries_is_one_sentence(settings, file):
    with pytest.raises(DiffsymError, match="is missing; fetch it first"):
        open_source("mp", settings, file)
    file.write_bytes(b"PAR1")
    with pytest.raises(DiffsymError, match="no file of entries of the Materials Project"):
        open_source("mp", settings, file)
    with pytest.raises(DiffsymError, match="no file of entries of the Materials Project"):
        fetching.fetch(file, settings, session())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"elements": ("Sili",)}, "elements: 'Sili' is no element"),
        ({"exclude_elements": ("na",)}, "did you mean 'Na'"),
        ({"chemsys": ("Li,Fe",)}, "chemsys: 'Li,Fe' is no chemical system"),
        ({"material_ids": ("149",)}, "material_ids: '149' is no identifier"),
        ({"num_sites": (4, 1)}, "num_sites: the first number is larger"),
        ({"num_sites": (-4, 1)}, "num_sites: there are never -4; give 1 or more"),
        ({"num_elements": (-1, 1)}, "num_elements: there are never -1"),
        ({"chemsys": ("Li-Xx",)}, "chemsys: 'Xx' of 'Li-Xx' is no element"),
        ({"elements": ("O", "Si"), "exclude_elements": ("O",)}, "exclude_elements: O is in elem"),
        ({"chemsys": ("Li-O",), "exclude_elements": ("O",)}, "chemsys: 'O' of 'Li-O' is in excl"),
        ({"select": Selection(years=(1990, 2000))}, "select.years: the Materials Project tells no"),
    ],
)
def test_keys_that_choose_nothing_are_refused(keys, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        MaterialsProject(**keys)


def test_another_choice_is_another_file(settings):
    names = {settings.file(), replace(settings, limit=2).file(), MaterialsProject().file()}
    names.add(replace(settings, include_gnome=True).file())
    assert len(names) == 4
    ranged = replace(settings, elements=("Si",), num_sites=(1, 9), limit=3)
    assert settings_of(as_plain(ranged)) == ranged
