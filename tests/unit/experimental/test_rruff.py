"""The RRUFF project's archives, served by this machine: fetched, audited, labelled."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from rruff_archives import ANGLES, CONFIRMED, dif, named, packed, pattern, profile
from servers import ArchiveServer, serving

from diffsym.errors import DiffsymError
from diffsym.experimental.rruff import fetching
from diffsym.experimental.rruff.headers import computed_by, dif_of, is_unconfirmed, sample_of
from diffsym.experimental.rruff.labels import label_of
from diffsym.experimental.rruff.reading import read_set
from diffsym.settings.measured.rruff import Rruff
from diffsym.structures.fetching import check_access, fetch
from diffsym.structures.sources.polite import ATTEMPTS, PoliteSession

QUARTZ = ("P3_221", "4.9137 4.9137 5.4047 90.000 90.000 120.000")
RAW = "Xray_Data_XY_RAW"
PATTERNS = {
    named("Quartz__R040031-1", RAW, 11): pattern("Quartz", "R040031-1", profile(20.8, 26.6)),
    named("Quartz__R050125-1", RAW, 12): pattern("Quartz", "R050125-1", profile(20.8, 26.6)),
    named("Spinel__R050392-1", RAW, 13): pattern(
        "Spinel", "R050392-1", profile(36.8, 44.8), **{"X-RAY WAVELENGTH": "1.7890"}
    ),
    named("Computite__R060001-1", RAW, 14): pattern(
        "Computite",
        "R060001-1",
        profile(30),
        **{"DIFFRACTION SAMPLE DESCRIPTION": "Single crystal, powder profile is calculated"},
    ),
    named("Lonelyite__R060002-1", RAW, 15): pattern("Lonelyite", "R060002-1", profile(31, seed=1)),
    named("Oddite__R060003-1", RAW, 16): pattern(
        "Oddite", "R060003-1", profile(32, seed=2), WAVELENGTH="1.541838"
    ),
    named("Doubtite__R060004-1", RAW, 17): pattern(
        "Doubtite",
        "R060004-1",
        profile(33, seed=3),
        STATUS="The identification of this mineral is not yet confirmed.",
    ),
    named("Brokenite__R060005-1", RAW, 18): "##NAMES=Brokenite\r\n5.0, ten\r\n##END=\r\n",
    "readme.txt": "no pattern",
}
FILES = {
    named("Quartz__R040031-1", "DIF_File", 21): dif(*QUARTZ),
    named("Quartz__R050125-1", "DIF_File", 22): dif(*QUARTZ),
    named("Spinel__R050392-2", "DIF_File", 23): dif("Fd3m", "8.0858 8.0858 8.0858 90 90 90"),
    named("Doubtite__R060004-1", "DIF_File", 24): dif("P2_1/c", "5 6 7 90 101 90"),
    named("Oddite__R060003-1", "DIF_File", 25): dif("Q7", "5 6 7 90 101 90"),
}


@pytest.fixture
def server():
    files = {"/powder/XY_RAW.zip": packed(PATTERNS, "XY_RAW/"), "/powder/DIF.zip": packed(FILES)}
    with serving(ArchiveServer(files)) as running:
        yield running


@pytest.fixture
def settings(server):
    return Rruff(url=f"{server.url}/powder/")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "downloads" / "rruff.zip"


def session():
    return PoliteSession(1000, first_pause=0.001)


def beside(file):
    return sorted(path.name for path in file.parent.iterdir())


def test_the_archives_are_fetched_audited_and_labelled(settings, file):
    fetching.fetch(file, settings, session())
    assert beside(file) == ["rruff.zip"]
    found = read_set("rruff", file, settings)
    assert found.patterns["pattern_id"].to_pylist() == [
        "rruff:Doubtite__R060004-1",
        "rruff:Oddite__R060003-1",
        "rruff:Quartz__R040031-1",
        "rruff:Spinel__R050392-1",
    ]
    assert found.patterns["space_group"].to_pylist() == [None, None, 154, 227]
    volumes = found.patterns["primitive_volume"].to_pylist()
    assert volumes[2:] == pytest.approx([113.01, 8.0858**3 / 4], rel=1e-4)
    # Its own, where the pattern states one, else that of the DIF file.
    assert found.patterns["wavelengths"].to_pylist() == [[1.541838]] * 3 + [[1.789]]
    assert found.patterns["intensity"][2].as_py() == pytest.approx(profile(20.8, 26.6))
    codes = dict(
        zip(found.rejected["entry_id"].to_pylist(), found.rejected["code"].to_pylist(), strict=True)
    )
    assert codes == {
        "Quartz__R050125-1": "duplicate",
        "Computite__R060001-1": "calculated",
        "Lonelyite__R060002-1": "wavelength",
        "Brokenite__R060005-1": "unreadable",
        "readme.txt": "unreadable",
    }


def test_the_record_tells_how_to_make_the_set_again(server, settings, file):
    fetching.fetch(file, settings, session())
    record = read_set("rruff", file, settings).record
    archives = server.files
    assert record["archives"]["DIF"]["url"] == f"{server.url}/powder/DIF.zip"
    assert (
        record["archives"]["XY_RAW"]["sha256"]
        == hashlib.sha256(archives["/powder/XY_RAW.zip"]).hexdigest()
    )
    doubtful, odd, quartz, spinel = record["patterns"]
    name = named("Quartz__R040031-1", RAW, 11)
    assert (quartz["mineral"], quartz["rruff_id"], quartz["file"]) == ("Quartz", "R040031", name)
    assert quartz["file_sha256"] == hashlib.sha256(PATTERNS[name].encode()).hexdigest()
    numbers = np.stack([ANGLES, profile(20.8, 26.6)]).astype("<f8").tobytes()
    assert quartz["sha256"] == hashlib.sha256(numbers).hexdigest()
    assert (quartz["space_group"], quartz["wavelength_from"]) == (154, "DIF file")
    assert (spinel["wavelength"], spinel["wavelength_from"]) == (1.789, "pattern")
    assert "not confirmed" in doubtful["label"]
    assert "the symbol 'Q7' is not understood" in odd["label"]
    assert json.dumps(record)


@pytest.mark.parametrize("fault", ["cut", "altered", 429, 503])
def test_an_interrupted_download_goes_on(server, settings, file, fault):
    server.faults = [fault, fault]
    fetching.fetch(file, settings, session())
    assert read_set("rruff", file, settings).patterns.num_rows == 4
    ranges = [asked for _, asked in server.asked]
    assert any(ranges) == (fault == "cut")
    before = len(server.asked)
    fetching.fetch(file, settings, session())
    assert len(server.asked) == before, "what is there is not fetched again"


def test_what_was_fetched_is_kept_when_the_other_archive_fails(server, settings, file):
    server.faults = [None, *[503] * ATTEMPTS]
    with pytest.raises(DiffsymError, match=r"DIF\.zip: \d attempts failed.*place it at .*DIF\.zip"):
        fetching.fetch(file, settings, session())
    assert not file.exists()
    fetching.fetch(file, settings, session())
    assert [path for path, _ in server.asked].count("/powder/XY_RAW.zip") == 1


def test_an_archive_that_is_not_there_is_told(server, settings, file):
    del server.files["/powder/DIF.zip"]
    with pytest.raises(DiffsymError, match=r"DIF\.zip: the server has no such file"):
        fetching.fetch(file, settings, session())
    assert not file.exists()


def test_no_other_host_is_asked(server, settings, file):
    elsewhere = f"http://localhost:{server.server_port}/powder/XY_RAW.zip"
    server.faults = [elsewhere]
    with pytest.raises(DiffsymError, match="sends on to another one, localhost; set the address"):
        fetching.fetch(file, settings, session())
    assert len(server.asked) == 1
    server.faults = [f"{server.url}/powder/XY_RAW.zip"]
    fetching.fetch(file, settings, session())
    assert file.exists()


def test_other_checksums_than_the_wanted_ones_are_refused(server, settings, file):
    right = tuple(hashlib.sha256(content).hexdigest() for content in server.files.values())
    with pytest.raises(DiffsymError, match=rf"DIF\.zip: expected SHA-256 {'0' * 64}, found"):
        fetching.fetch(file, replace(settings, sha256=(right[0], "0" * 64)), session())
    assert not file.exists()
    fetching.fetch(file, replace(settings, sha256=right), session())
    assert file.exists()
    with pytest.raises(ValueError, match="is no SHA-256"):
        Rruff(sha256=("0", right[1]))


def test_archives_placed_by_hand_are_used(server, settings, file):
    parts = file.with_suffix(".parts")
    parts.mkdir(parents=True)
    for path, content in server.files.items():
        (parts / path.rpartition("/")[2]).write_bytes(content)
    fetching.fetch(file, settings, session())
    assert not server.asked
    record = read_set("rruff", file, settings).record
    assert "url" not in record["archives"]["DIF"]
    file.unlink()
    parts.mkdir()
    (parts / "XY_RAW.zip").write_bytes(b"<html>log in first</html>")
    with pytest.raises(DiffsymError, match=r"XY_RAW\.zip: no whole zip archive .* delete it"):
        fetching.fetch(file, settings, session())


def test_offline_it_is_said_at_once(settings, file):
    check_access("measured.rruff", settings, file)
    with pytest.raises(DiffsymError, match=r"measured\.rruff: .*rruff\.zip cannot be fetched.*no"):
        check_access("measured.rruff", replace(settings, url="http://127.0.0.1:9/powder"), file)


def test_the_fetcher_of_sources_fetches_it(settings, file):
    fetch(settings, file)
    assert read_set("rruff", file, settings).patterns.num_rows == 4


def test_what_is_no_bundle_of_these_archives_is_one_sentence(settings, file):
    file.parent.mkdir()
    file.write_bytes(b"no zip")
    with pytest.raises(DiffsymError, match=r"rruff\.zip: no file with archives"):
        read_set("rruff", file, settings)
    file.unlink()
    fetching.fetch(file, settings, session())
    with pytest.raises(DiffsymError, match="lacks the archive XY_Processed"):
        read_set("rruff", file, replace(settings, profiles="XY_Processed"))
    with pytest.raises(DiffsymError, match=r"measured\.rruff\.exclude: .* no pattern 'Sugar'"):
        read_set("rruff", file, replace(settings, exclude=("Sugar",)))
    kept = read_set("rruff", file, replace(settings, exclude=("Quartz__R040031-1",)))
    assert kept.patterns["pattern_id"].to_pylist()[2] == "rruff:Quartz__R050125-1"


@pytest.mark.parametrize(
    ("symbol", "cell", "group", "centring"),
    [
        ("P2_1/c", "5.1 6.2 7.3 90 101 90", 14, 1),
        ("P2_1/n", "5.1 6.2 7.3 90 91 90", 14, 1),
        ("Fd3m", "8.1 8.1 8.1 90 90 90", 227, 4),
        ("Ia3d", "12 12 12 90 90 90", 230, 2),
        ("R-3c", "4.99 4.99 17.06 90 90 120", 167, 3),
        ("R-3c", "6.375 6.375 6.375 46.1 46.1 46.1", 167, 1),
        ("I4_1/amd", "6.6 6.6 5.98 90 90 90", 141, 2),
        ("Pbnm", "4.76 10.2 5.98 90 90 90", 62, 1),
        ("C-1", "8.1 12.8 7.2 94 116 88", 2, 2),
        ("I2/c", "8.1 12.8 7.2 90 116 90", 15, 2),
        ("ALTERNATE SETTING FOR P6_3/mmc", "2.46 2.46 6.7 90 90 120", 194, 1),
        ("P6_3/mmc\\par", "2.46 2.46 6.7 90 90 120", 194, 1),
    ],
)
def test_symbols_of_mineralogists_are_understood(symbol, cell, group, centring):
    file = named("A__R1", "DIF_File", 1)
    label = label_of(sample_of(file), [(sample_of(file), dif_of(file, dif(symbol, cell)))])
    assert (label.space_group, label.source) == (group, file)
    a, b, c, *angles = map(float, cell.split())
    cosines = np.cos(np.radians(angles))
    root = np.sqrt(1 - (cosines**2).sum() + 2 * cosines.prod())
    assert label.primitive_volume == pytest.approx(a * b * c * root / centring)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (dif("R-3c", "4.99 5.2 17.06 90 90 120"), "the cell is none of 'R-3c'"),
        (dif("", "5 6 7 90 101 90"), "no space group"),
        (dif("P2_1/q", "5 6 7 90 101 90"), "is not understood"),
        ("SPACE GROUP: Pnma\n", "no cell"),
    ],
)
def test_without_certainty_there_is_no_label(text, reason):
    sample = sample_of("A__R010001-1__Powder__DIF_File__1.txt")
    label = label_of(sample, [(sample, dif_of("file", text))])
    assert label.space_group is None
    assert reason in label.source


def test_dif_files_that_disagree_label_nothing():
    first, second, other = (sample_of(f"{name}.txt") for name in ("A__R1-1", "A__R1-2", "B__R1-1"))
    one = dif_of("one", dif("Pnma", "5 6 7 90 90 90"))
    two = dif_of("two", dif("Pbca", "5 6 7 90 90 90"))
    assert label_of(first, [(first, one), (second, two)]).space_group == 62
    third = replace(first, number="R1-3")
    assert "61 and 62" in label_of(third, [(first, one), (second, two)]).source
    assert "no DIF file of R1 B" in label_of(other, [(first, one)]).source


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Powder", False),
        ("Powder profile computed from the structure", True),
        ("Recalculated", True),
    ],
)
def test_headers_tell_calculated_patterns(value, expected):
    assert bool(computed_by({"DIFFRACTION SAMPLE DESCRIPTION": value})) == expected
    assert not computed_by({"MEASURED CHEMISTRY": value})
    assert not is_unconfirmed({"STATUS": CONFIRMED})


def test_names_of_files_tell_the_sample():
    sample = sample_of("FergusoniteYbeta__R080103-1__Powder__Xray_Data_XY_RAW__9738.txt")
    assert (sample.mineral, sample.number, sample.base) == (
        "FergusoniteYbeta",
        "R080103-1",
        "R080103",
    )
    assert sample_of("readme.txt") is None
