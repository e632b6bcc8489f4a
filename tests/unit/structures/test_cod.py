"""The COD's interface, served by this machine: it interrupts, is busy, truncates and alters."""

import json
import zipfile
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from servers import serving

from diffsym.errors import DiffsymError
from diffsym.settings.sources.cod import Cod
from diffsym.structures.entries import Entry, Rejection
from diffsym.structures.fetching import check_access
from diffsym.structures.sources import cod, open_source
from diffsym.structures.sources.polite import ATTEMPTS, PoliteSession

CIF = """#$Date: 2020-01-01 $
#$Revision: {revision} $
data_{number}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0.5 0.5 0.5
_cod_database_code {number}
"""
NUMBERS = ("1000041", "1000042", "1000043")


class Server(ThreadingHTTPServer):
    """Three entries; `faults` says what goes wrong with the next requests for a path."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {
            number: CIF.format(number=number, revision=200 + place, a=5.6 + 0.1 * place).encode()
            for place, number in enumerate(NUMBERS)
        }
        self.faults = {}
        self.asked = Counter()
        self.searches = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/cod"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        name = parts.path.removeprefix("/cod/")
        self.server.asked[name] += 1
        faults = self.server.faults.get(name, [])
        fault = faults.pop(0) if faults else None
        if fault == "cut":  # more is announced than comes
            return self.answer(200, b"data_", length=1000)
        if fault == "altered":
            return self.answer(200, b"<html>proxy</html>")
        if fault is not None:
            return self.answer(fault, b"", {"Retry-After": "0"} if fault == 429 else {})
        if name == "result":
            self.server.searches.append(parse_qs(parts.query))
            return self.answer(200, "\n".join(reversed(NUMBERS)).encode())
        content = self.server.files.get(name.partition(".cif")[0])
        return self.answer(404, b"") if content is None else self.answer(200, content)

    def answer(self, status, content, headers=(), length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for key in headers:
            self.send_header(key, headers[key])
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


@pytest.fixture
def settings(server):
    return Cod(search={"el1": "Na"}, server=server.address)


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "cod.zip"


def session():
    return PoliteSession(1000, first_pause=0.01)


def read(settings, archive):
    source = open_source("cod", settings, archive)
    return list(source.read(source.identifiers()))


def test_what_a_search_finds_is_fetched_packed_and_read(server, settings, archive):
    cod.fetch(archive, settings, session())
    assert server.searches == [{"el1": ["Na"], "format": ["lst"]}]
    entries = read(settings, archive)
    assert [entry.entry_id for entry in entries] == list(NUMBERS)
    assert {tuple(entry.amounts().items()) for entry in entries} == {((11, 4.0), (17, 4.0))}
    assert entries[1].reference == "COD 1000042, revision 201"
    record = open_source("cod", settings, archive).provenance()
    assert (record["version"], record["licence"]) == ("revision 202", "CC0 1.0")
    assert (record["search"], record["entries"], record["missing"]) == ({"el1": "Na"}, 3, 0)
    assert not archive.with_suffix(".parts").exists()


@pytest.mark.parametrize("fault", ["cut", "altered", 429, 500, 503])
def test_a_server_in_trouble_is_asked_again(server, settings, archive, fault):
    server.faults = {"1000042.cif": [fault, fault], "result": [503]}
    cod.fetch(archive, settings, session())
    assert len(read(settings, archive)) == 3
    assert server.asked == {"result": 2, "1000041.cif": 1, "1000042.cif": 3, "1000043.cif": 1}


def test_a_download_that_is_cut_off_goes_on_where_it_stopped(server, settings, archive):
    server.faults = {"1000042.cif": ATTEMPTS * ["cut"]}
    with pytest.raises(DiffsymError, match=r"1000042\.cif.*attempts failed.*is kept"):
        cod.fetch(archive, settings, session())
    assert not archive.exists()
    cod.fetch(archive, settings, session())
    assert server.asked["result"] == server.asked["1000041.cif"] == 1
    whole = archive.read_bytes()
    archive.unlink()
    cod.fetch(archive, settings, session())
    assert archive.read_bytes() == whole
    cod.fetch(archive, settings, session())
    assert server.asked["result"] == 2, "what is there is not fetched again"


def test_an_entry_that_the_server_lacks_is_rejected(server, settings, archive):
    del server.files["1000042"]
    cod.fetch(archive, settings, session())
    first, gone, last = read(settings, archive)
    assert isinstance(first, Entry)
    assert isinstance(last, Entry)
    assert isinstance(gone, Rejection)
    assert "withdrawn" in gone.reason
    assert open_source("cod", settings, archive).provenance()["missing"] == 1


def test_entries_of_a_list_in_a_revision(server, archive, tmp_path):
    listed = tmp_path / "numbers.txt"
    listed.write_text("1000043\n\n1000041@199\n")
    settings = Cod(numbers=str(listed), server=server.address)
    cod.fetch(archive, settings, session())
    assert set(server.asked) == {"1000041.cif@199", "1000043.cif"}
    assert [entry.entry_id for entry in read(settings, archive)] == ["1000041@199", "1000043"]


def test_another_choice_of_entries_is_another_archive(settings, tmp_path):
    listed = tmp_path / "numbers.txt"
    by_list = Cod(numbers=str(listed), server=settings.server)
    names = {settings.file(), replace(settings, limit=2).file(), by_list.file()}
    listed.write_text("1000041\n")
    names.add(by_list.file())
    assert len(names) == 4
    assert replace(settings, requests_per_second=1).file() == settings.file()


def test_a_list_with_something_else_is_refused(server, archive, tmp_path):
    listed = tmp_path / "numbers.txt"
    listed.write_text("quartz\n")
    with pytest.raises(DiffsymError, match=r"numbers\.txt: 'quartz' is no number"):
        cod.fetch(archive, Cod(numbers=str(listed), server=server.address), session())


def test_no_server_and_a_refusal_are_one_sentence_each(server, settings, archive):
    server.faults = {"result": [403]}
    with pytest.raises(DiffsymError, match="refuses with status 403"):
        cod.fetch(archive, settings, session())
    nobody = replace(settings, server="http://127.0.0.1:9/cod")
    with pytest.raises(DiffsymError, match=r"attempts failed.*check network"):
        cod.fetch(archive, nobody, session())


def test_a_damaged_file_of_the_archive_is_rejected(settings, archive):
    cod.fetch(archive, settings, session())
    with zipfile.ZipFile(archive) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    contents["1000041.cif"] += b"#"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in contents.items():
            packed.writestr(name, content)
    damaged, *others = read(settings, archive)
    assert "damaged" in damaged.reason
    assert all(isinstance(entry, Entry) for entry in others)
    archive.write_bytes(json.dumps({}).encode())
    with pytest.raises(DiffsymError, match="no archive of COD entries"):
        cod.fetch(archive, settings, session())


def test_access_is_checked_beforehand(server):
    check_access("sources.cod", Cod(server=server.address, search={"el1": "Ti"}), "cod.zip")
    server.shutdown()
    server.server_close()
    with pytest.raises(DiffsymError, match=r"^sources\.cod: cod\.zip cannot be fetched: .*network"):
        check_access("sources.cod", Cod(server=server.address, search={"el1": "Ti"}), "cod.zip")
