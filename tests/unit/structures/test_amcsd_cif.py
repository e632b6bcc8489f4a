"""The AMCSD's archive, served by this machine: it interrupts, truncates, is busy and alters."""

import hashlib
import io
import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from servers import serving

from diffsym.errors import DiffsymError
from diffsym.settings.checks import Checks
from diffsym.settings.sources.amcsd_cif import AmcsdCif
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.entries import Rejection
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import amcsd_cif, open_source
from diffsym.structures.sources.polite import ATTEMPTS, PoliteSession

HEAD = """data_global
_chemical_name_mineral '{mineral}'
loop_
_publ_author_name
'Mustermann E'
_journal_name_full 'American Mineralogist'
_journal_volume 12
_journal_year 1987
_journal_page_first 3
_publ_section_title
;
 The structure of {mineral}, a title with the words
 data_global and Müller in it
;
_database_code_amcsd {code}
_chemical_formula_sum '{formula}'
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
_cell_volume {volume}
_symmetry_space_group_name_H-M '{symbol}'
loop_
_space_group_symop_operation_xyz
{operations}
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{atoms}
"""


def cubic_operations():
    """All 192 operations of F m -3 m."""
    for shift in ("0,0,0", "1/2,1/2,0", "1/2,0,1/2", "0,1/2,1/2"):
        for axes in itertools.permutations("xyz"):
            for signs in itertools.product(("", "-"), repeat=3):
                parts = zip(shift.split(","), signs, axes, strict=True)
                yield ",".join(
                    f"{sign}{axis}" if part == "0" else f"{part}{sign or '+'}{axis}"
                    for part, sign, axis in parts
                )


def cif(code, mineral, formula, atoms, symbol="P -1", operations=("x,y,z", "-x,-y,-z"), **cell):
    cell = {"a": 5.64, "c": 5.64, "gamma": 90, "volume": 179.4} | cell
    return HEAD.format(
        code=code,
        mineral=mineral,
        formula=formula,
        symbol=symbol,
        operations="\n".join(f"  '{operation}'" for operation in operations),
        atoms="\n".join(atoms),
        **cell,
    )


ENTRIES = {
    "Halite__0000001.cif": cif(
        "0000001",
        "Halite",
        "Na Cl",
        ["Na 0.00000 0.00000 0.00000", "Cl 0.50000 0.50000 0.50000"],
        "F m 3 m",
        list(cubic_operations()),
    ),
    # A hydroxide: the hydrogen is in the formula only.
    "Brucite__0000002.cif": cif(
        "0000002",
        "Brucite",
        "Mg (O H)2",
        ["Mg 0.00000 0.00000 0.00000", "OH 0.33330 0.66670 0.22000"],
        "P -3",
        ["x,y,z", "-y,x-y,z", "y-x,-x,z", "-x,-y,-z", "y,y-x,-z", "x-y,x,-z"],
        a=3.14,
        c=4.77,
        gamma=120,
        volume=40.7,
    ),
    # Water as one site, as the database writes it.
    "Hydrate__0000003.cif": cif(
        "0000003",
        "Hydrate",
        "Na2 O4 H4",
        ["Na 0.1 0.2 0.3", "Wat 0.4 0.1 0.8", "O 0.7 0.6 0.2"],
    ),
    "Nothing__0000004.cif": cif("0000004", "Nothing", "Na", []),
}


def packed(files, encoding="latin-1"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text.encode(encoding))
    return content.getvalue()


# Large enough to be cut into parts.
FILLER = {f"Filler__{number:07d}.cif": " " * 40_000 for number in range(11, 21)}
ARCHIVE = packed(ENTRIES | FILLER)
OLD_ARCHIVE = packed({"cifdata.txt": "\n".join(["AMCSD", *ENTRIES.values()])})


class Server(ThreadingHTTPServer):
    """One file; `faults` says what goes wrong with the next requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = ARCHIVE
        self.faults = []
        self.asked = []  # headers of each request
        self.sent = 0
        self.partial = True
        self.careless = False  # whether parts are sent of whatever version
        self.lengths = True
        self.tag = '"{}"'
        self.stop = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/AMS/zipped_files/cif.zip"

    def etag(self):
        return self.tag.format(hashlib.sha256(self.content).hexdigest()[:8])


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        server = self.server
        server.asked.append(self.headers)
        fault = server.faults.pop(0) if server.faults else None
        if isinstance(fault, int) and fault >= 400:
            self.send_response(fault)
            if fault == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "changed":
            server.content = packed(ENTRIES | {"New__0000009.cif": "#"} | FILLER)
        content, begin = server.content, 0
        if fault == "altered":
            middle = len(content) // 2
            content = content[:middle] + b"!" + content[middle + 1 :]
        if fault == "proxy":
            content = b"<html>log in first</html>"
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in {server.etag(), "Sat, 01 Jan 2022 00:00:00 GMT"}
        if wanted and int(wanted[1]) >= len(content):
            self.send_response(416)
            self.end_headers()
            return
        if wanted and server.partial and (same or server.careless):
            begin = int(wanted[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if server.lengths:
            self.send_header("Content-Length", str(len(content) - begin))
        if server.tag:
            self.send_header("ETag", server.etag())
        self.send_header("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT")
        self.end_headers()
        rest = content[begin:]
        if fault == "cut":
            rest = rest[: 1 + len(rest) // 2]
        if fault == "hang":
            self.send(rest[: len(rest) // 2])
            server.stop.wait()
            return
        self.send(rest)

    def send(self, content):
        self.wfile.write(content)
        self.wfile.flush()
        self.server.sent += len(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


@pytest.fixture
def settings(server):
    return AmcsdCif(url=server.url)


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "amcsd_cif.zip"


def session():
    return PoliteSession(1000, first_pause=0.01)


def read(settings, archive):
    source = open_source("full", settings, archive)
    return {entry.entry_id: entry for entry in source.read(source.identifiers())}


def names_beside(archive):
    return sorted(path.name for path in archive.parent.iterdir())


def test_the_archive_is_fetched_kept_as_it_is_and_read(server, settings, archive):
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == ARCHIVE
    assert names_beside(archive) == ["amcsd_cif.zip", "amcsd_cif.zip.json"]
    entries = read(replace(settings, limit=20), archive)
    assert list(entries)[:3] == [
        "Halite__0000001.cif",
        "Brucite__0000002.cif",
        "Hydrate__0000003.cif",
    ]
    halite, brucite, hydrate = list(entries.values())[:3]
    assert (halite.name, halite.year, halite.declared_space_group) == ("Halite", 1987, 225)
    assert halite.amounts() == {11: 4, 17: 4}
    assert brucite.amounts() == {8: 2, 12: 1}
    assert brucite.expected_composition == {1: 2, 8: 2, 12: 1}
    assert np.allclose(sorted(brucite.frac_coords[:, 0]), [0, 1 / 3, 2 / 3], atol=1e-9)
    assert hydrate.amounts() == {8: 4, 11: 2}
    assert isinstance(entries["Nothing__0000004.cif"], Rejection)
    record = open_source("full", settings, archive).provenance()
    assert "full archive: 14 entries" in record["description"]
    assert record["version"] == "archive of Sat, 01 Jan 2022 00:00:00 GMT"
    assert record["files"] == {"amcsd_cif.zip": hashlib.sha256(ARCHIVE).hexdigest()}
    assert (record["url"], record["size"]) == (server.url, len(ARCHIVE))
    assert (record["etag"], record["licence"]) == (server.etag(), amcsd_cif.LICENCE)
    amcsd_cif.fetch(archive, settings, session())
    assert len(server.asked) == 1, "what is there is not fetched again"


def test_older_archives_hold_one_text(server, settings, archive):
    amcsd_cif.fetch(archive, settings, session())
    newer = read(settings, archive)
    archive.unlink()
    server.content = OLD_ARCHIVE
    amcsd_cif.fetch(archive, settings, session())
    older = read(settings, archive)
    assert list(older) == ["0000001", "0000002", "0000003", "0000004"]
    for name, code in zip(list(ENTRIES)[:3], older, strict=False):
        assert np.array_equal(newer[name].frac_coords, older[code].frac_coords)
        assert newer[name].mixtures == older[code].mixtures
    assert older["0000004"].code == newer["Nothing__0000004.cif"].code
    assert list(read(replace(settings, limit=1), archive)) == ["0000001"]
    structures, rejected = process_shard(
        open_source("full", settings, archive), 0, 1, Symmetry(), Checks()
    )
    assert structures.num_rows + rejected.num_rows == 4


@pytest.mark.parametrize("fault", [429, 500, 503])
def test_a_busy_server_is_asked_again(server, settings, archive, fault):
    server.faults = ["cut", fault, fault]
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == ARCHIVE
    assert server.sent < 1.2 * len(ARCHIVE), "only the rest is sent again"
    assert [bool(headers["Range"]) for headers in server.asked] == [False, True, True, True]


@pytest.mark.parametrize("weak", [False, True])
def test_a_download_that_is_cut_goes_on_where_it_stopped(server, settings, archive, weak):
    if weak:  # a weak tag makes sure of nothing; the date does
        server.tag = 'W/"{}"'
    server.faults = ["cut"] * 4
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == ARCHIVE
    assert server.sent < 1.3 * len(ARCHIVE)
    begins = [int(headers["Range"][6:-1]) for headers in server.asked[1:]]
    assert begins == sorted(set(begins))
    assert all(bool(headers["If-Range"].startswith("Sat")) == weak for headers in server.asked[1:])


def test_without_a_length_a_cut_is_found_by_the_archive_itself(server, settings, archive):
    server.lengths = False
    server.faults = ["cut", "cut"]
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == ARCHIVE
    assert [headers["Range"] for headers in server.asked] == [None] * 3


def test_a_server_that_sends_no_parts_starts_again(server, settings, archive):
    server.partial = False
    server.faults = ["cut", "cut"]
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == ARCHIVE
    assert server.sent > 1.9 * len(ARCHIVE)


@pytest.mark.parametrize("careless", [False, True])
@pytest.mark.parametrize("tag", ['"{}"', ""])
def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(
    server, settings, archive, careless, tag
):
    server.careless, server.tag = careless, tag
    server.faults = ["cut", "changed"]
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == server.content != ARCHIVE
    assert open_source("full", settings, archive).provenance()["etag"] == (tag and server.etag())


@pytest.mark.parametrize("fault", ["altered", "proxy"])
def test_altered_bytes_are_found_and_fetched_again(server, settings, archive, fault):
    server.faults = [fault]
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == ARCHIVE
    archive.unlink()
    server.faults = [fault] * ATTEMPTS
    with pytest.raises(DiffsymError, match=f"{ATTEMPTS} attempts failed, the last with"):
        amcsd_cif.fetch(archive, settings, session())
    assert not archive.exists()
    assert not server.faults


def test_another_checksum_than_the_wanted_one_is_refused(server, settings, archive):
    wanted = replace(settings, sha256=hashlib.sha256(ARCHIVE).hexdigest())
    amcsd_cif.fetch(archive, wanted, session())
    assert read(wanted, archive)
    server.content = OLD_ARCHIVE
    with pytest.raises(DiffsymError, match=r"expected SHA-256 .* has changed or"):
        amcsd_cif.fetch(archive.with_name("other.zip"), wanted, session())
    archive.write_bytes(OLD_ARCHIVE)
    with pytest.raises(DiffsymError, match=r"amcsd_cif\.zip: expected SHA-256"):
        open_source("full", wanted, archive)
    assert names_beside(archive) == ["amcsd_cif.zip", "amcsd_cif.zip.json", "other.zip.part.json"]


def test_a_killed_fetch_goes_on_where_it_stopped(server, settings, archive):
    server.faults = ["hang"]
    code = (
        "from pathlib import Path; from diffsym.settings.sources.amcsd_cif import AmcsdCif; "
        "from diffsym.structures.sources import amcsd_cif; "
        f"amcsd_cif.fetch(Path({str(archive)!r}), AmcsdCif(url={server.url!r}))"
    )
    part = archive.with_name("amcsd_cif.zip.part")
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        while not (part.exists() and part.stat().st_size > len(ARCHIVE) // 3):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    kept = part.stat().st_size
    before = server.sent
    amcsd_cif.fetch(archive, settings, session())
    assert server.asked[-1]["Range"] == f"bytes={kept}-"
    assert server.sent - before == len(ARCHIVE) - kept
    assert archive.read_bytes() == ARCHIVE


def test_a_file_that_became_shorter_is_fetched_from_its_start(server, settings, archive):
    server.faults = ["cut"] + ATTEMPTS * [503]
    with pytest.raises(DiffsymError, match="attempts failed"):
        amcsd_cif.fetch(archive, settings, session())
    server.content = OLD_ARCHIVE
    amcsd_cif.fetch(archive, settings, session())
    assert archive.read_bytes() == OLD_ARCHIVE


def test_what_is_left_of_another_address_is_not_used(server, settings, archive):
    server.faults = ["cut"] + ATTEMPTS * [503]
    with pytest.raises(DiffsymError, match=r"attempts failed.*status 503.*place it at .*zip"):
        amcsd_cif.fetch(archive, settings, session())
    amcsd_cif.fetch(archive, replace(settings, url=server.url + "?other"), session())
    assert server.asked[-1]["Range"] is None
    assert archive.read_bytes() == ARCHIVE


def test_an_archive_placed_by_hand_is_read_without_a_record(settings, archive):
    archive.write_bytes(ARCHIVE)
    amcsd_cif.fetch(archive, settings, session())
    record = open_source("full", settings, archive).provenance()
    assert (record["version"], record["last_modified"]) == ("archive placed by hand", None)
    # The record of another file says nothing about this one.
    archive.with_name("amcsd_cif.zip.json").write_text(json.dumps({"sha256": "0" * 64}))
    assert open_source("full", settings, archive).provenance()["url"] is None


def test_what_is_no_archive_of_entries_is_one_sentence(server, settings, archive):
    with pytest.raises(DiffsymError, match="is missing; fetch it first"):
        open_source("full", settings, archive)
    archive.write_bytes(b"PK")
    with pytest.raises(DiffsymError, match=r"amcsd_cif\.zip: no whole zip archive"):
        open_source("full", settings, archive)
    archive.write_bytes(packed({"readme.md": "#"}))
    with pytest.raises(DiffsymError, match="neither CIFs nor a text of them"):
        amcsd_cif.fetch(archive, settings, session())
    archive.write_bytes(packed({"cifdata.txt": "nothing"}))
    with pytest.raises(DiffsymError, match="holds no entries"):
        open_source("full", settings, archive).identifiers()
    server.faults = [404]
    with pytest.raises(DiffsymError, match="the server has no such file"):
        amcsd_cif.fetch(archive.with_name("other.zip"), settings, session())
    server.faults = [403]
    with pytest.raises(DiffsymError, match="refuses with status 403"):
        amcsd_cif.fetch(archive.with_name("other.zip"), settings, session())


def test_access_is_checked_at_once(settings):
    amcsd_cif.check_access(settings)
    with pytest.raises(DiffsymError, match=r"no answer .*; check the network"):
        amcsd_cif.check_access(replace(settings, url="http://127.0.0.1:9/cif.zip"))


def test_settings_name_the_file_and_refuse_what_is_no_checksum(settings):
    names = {settings.file(), replace(settings, sha256="0" * 64).file(), AmcsdCif().file()}
    assert len(names) == 3
    assert replace(settings, limit=5).file() == settings.file()
    with pytest.raises(ValueError, match="is no SHA-256"):
        AmcsdCif(sha256="ABC")
