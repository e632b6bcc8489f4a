"""Archives: read like the folder that they hold, and nothing in them does harm."""

import gzip
import io
import os
import stat
import tarfile
import tracemalloc
import zipfile

import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from diffsym.errors import DiffsymError
from diffsym.settings.checks import Checks
from diffsym.settings.sources.local import Local
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.readers import content
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import open_source

HALITE = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
CIF = str(CifWriter(HALITE, symprec=0.01))
TWO = CIF + CIF.replace("data_", "data_second_", 1)
FILES = {
    "b/halite.cif": CIF.encode(),
    "a.cif": TWO.encode(),
    "POSCAR_x": Poscar(HALITE).get_str().encode(),
    "b/packed.cif.gz": gzip.compress(CIF.encode()),
    "readme.txt": b"no structure",
    "b/._halite.cif": b"a note of macOS",
}
ENTRIES = ["POSCAR_x", "a.cif#NaCl", "a.cif#second_NaCl", "b/halite.cif", "b/packed.cif.gz"]


def open_local(path, **settings):
    return open_source("mine", Local(kind="local", path=str(path), **settings), path)


def processed(path):
    """Entries by identifier, and the rejected ones with code and reason."""
    structures, rejected = process_shard(open_local(path), 0, 1, Symmetry(), Checks())
    reasons = {row["entry_id"]: (row["code"], row["reason"]) for row in rejected.to_pylist()}
    return structures, reasons


def write_zip(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return path


def member(name, data=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, data


def write_tar(path, members):
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}.get(path.suffix, "w:")
    with tarfile.open(path, mode) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "name", ["s.zip", "s.ZIP", "s.tar", "s.tar.gz", "s.tgz", "s.tar.xz", "s.tar.bz2"]
)
def test_an_archive_is_read_like_its_folder(tmp_path, name):
    folder = tmp_path / "folder"
    for inside, data in FILES.items():
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        (folder / inside).write_bytes(data)
    expected, _ = processed(folder)
    assert expected["entry_id"].to_pylist() == ENTRIES
    path = tmp_path / name
    if name.lower().endswith(".zip"):
        write_zip(path, FILES.items())
    else:
        write_tar(path, [member(f"./{inside}", data) for inside, data in FILES.items()])
    before = sorted(tmp_path.rglob("*"))
    structures, reasons = processed(path)
    assert not reasons
    assert structures["entry_id"].to_pylist() == [f"{name}/{entry}" for entry in ENTRIES]
    same = [c for c in expected.column_names if c not in {"structure_id", "entry_id", "members"}]
    assert structures.select(same).equals(expected.select(same))
    assert sorted(tmp_path.rglob("*")) == before
    record = open_local(path).provenance()
    assert list(record["files"]) == [name]
    assert (record["structure_files"], record["passed_over"]) == (4, 2)


@pytest.mark.parametrize("name", ["s.zip", "s.tar.xz"])
def test_archives_lie_in_a_folder_and_their_order_does_not_matter(tmp_path, name):
    for number, items in enumerate([list(FILES.items()), list(FILES.items())[::-1]]):
        folder = tmp_path / str(number)
        (folder / "deep").mkdir(parents=True)
        (folder / "top.cif").write_text(CIF)
        path = folder / "deep" / name
        if name.endswith("zip"):
            write_zip(path, items)
        else:
            write_tar(path, [member(inside, data) for inside, data in items])
    first, second = (processed(tmp_path / number)[0] for number in "01")
    assert first.equals(second)
    assert first["entry_id"].to_pylist() == [*(f"deep/{name}/{e}" for e in ENTRIES), "top.cif"]
    parts = [
        process_shard(open_local(tmp_path / "0"), shard, 3, Symmetry(), Checks())[0]
        for shard in range(3)
    ]
    assert sum(part.num_rows for part in parts) == first.num_rows
    few = open_local(tmp_path / "0", limit=2)
    assert few.identifiers() == [f"deep/{name}/POSCAR_x", f"deep/{name}/a.cif"]
    before = few.provenance()["files"]
    write_zip(tmp_path / "0" / "deep" / "s.zip", [("other.cif", CIF)])
    assert open_local(tmp_path / "0").provenance()["files"] != before


def test_names_that_lead_out_and_links_are_rejected(tmp_path):
    data = CIF.encode()
    link = zipfile.ZipInfo("link.cif")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    names = ["good.cif", "/etc/a.cif", "../b.cif", "c/../../d.cif", "C:\\e.cif", "..\\f.cif"]
    path = write_zip(tmp_path / "s.zip", [*((name, data) for name in names), (link, "good.cif")])
    structures, reasons = processed(path)
    assert structures["entry_id"].to_pylist() == ["s.zip/good.cif"]
    assert reasons.keys() == {f"s.zip/{name}" for name in [*names[1:], "link.cif"]}
    assert {code for code, _ in reasons.values()} == {"unreadable"}
    for entry, (_, reason) in reasons.items():
        assert reason.startswith(f"{entry}: the member ")

    tar = write_tar(
        tmp_path / "t.tar",
        [
            member("good.cif", data),
            member("/etc/a.cif", data),
            member("../b.cif", data),
            member("soft.cif", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
            member("hard.cif", type=tarfile.LNKTYPE, linkname="good.cif"),
            member("pipe.cif", type=tarfile.FIFOTYPE),
            member("link.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        ],
    )
    structures, reasons = processed(tar)
    assert structures["entry_id"].to_pylist() == ["t.tar/good.cif"]
    assert {name.rpartition("/")[2] for name in reasons} == {
        "a.cif", "b.cif", "soft.cif", "hard.cif", "pipe.cif",
    }  # fmt: skip
    assert open_local(tar).provenance()["passed_over"] == 1


def test_files_of_one_name_are_all_read(tmp_path):
    path = write_tar(tmp_path / "s.tar", [member("a.cif", CIF.encode())] * 3)
    structures, _ = processed(path)
    assert structures["entry_id"].to_pylist() == [f"s.tar/a.cif{n}" for n in ("", "(2)", "(3)")]


def test_a_small_file_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "LARGEST", 1_000_000)
    bomb = b"# \n" * 30_000_000
    folder = tmp_path / "folder"
    folder.mkdir()
    write_zip(folder / "s.zip", [("bomb.cif", bomb), ("good.cif", CIF)])
    write_tar(folder / "s.tar.gz", [member("bomb.cif", bomb)])
    (folder / "bomb.cif.gz").write_bytes(gzip.compress(bomb, 1))
    write_zip(folder / "t.zip", [("bomb.cif.gz", gzip.compress(bomb))])
    del bomb
    tracemalloc.start()
    structures, reasons = processed(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30e6
    assert structures["entry_id"].to_pylist() == ["s.zip/good.cif"]
    assert {name: code for name, (code, _) in reasons.items()} == dict.fromkeys(
        ["bomb.cif.gz", "s.tar.gz/bomb.cif", "s.zip/bomb.cif", "t.zip/bomb.cif.gz"], "too_large"
    )
    assert "more than 1 MB" in reasons["bomb.cif.gz"][1]


def test_a_header_does_not_fill_the_memory(tmp_path):
    """A name of 64 MB, as a header may announce it."""
    name = member("././@LongLink", b"x" * 64_000_000, type=tarfile.GNUTYPE_LONGNAME)
    path = write_tar(tmp_path / "s.tar.gz", [name, member("good.cif", CIF.encode())])
    with pytest.raises(DiffsymError, match="a header of 64000000 bytes"):
        open_local(path).identifiers()


def test_an_archive_does_not_claim_the_time_of_a_day(tmp_path):
    """A header announces a file of a terabyte; gzip packs zeros to a thousandth."""
    info, _ = member("endless.txt")
    info.size = 10**12
    path = tmp_path / "s.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf() + bytes(10_000)))
    with pytest.raises(DiffsymError, match="it claims to have more than"):
        open_local(path).identifiers()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_methods_of_zip_are_refused(tmp_path, method):
    path = write_zip(tmp_path / "s.zip", [("a.cif", CIF)], method)
    _, reasons = processed(path)
    assert "not packed by 'deflate'" in reasons["s.zip/a.cif"][1]


def torn(data):
    return data[: len(data) // 2]


def altered(data):
    """The first byte of the second header's checksum is another."""
    place = data.index(b"second.cif") + 148
    return data[:place] + b"X" + data[place + 1 :]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("s.zip", torn),
        ("s.tar", torn),
        ("s.tar", altered),
        ("s.tar", lambda data: data[:-10240]),
        ("s.tar", lambda data: data * 2),
        ("s.tar.gz", lambda data: data * 2),
        ("s.tar.gz", torn),
        ("s.tar.xz", torn),
        ("s.tar", lambda _: b""),
        ("s.zip", lambda _: b"no archive"),
        ("s.tar.gz", lambda _: b"no archive"),
    ],
)
def test_damaged_archives_are_named(tmp_path, name, damage):
    path = tmp_path / name
    files = [("first.cif", os.urandom(9000)), ("second.cif", CIF.encode())]
    if name.endswith("zip"):
        write_zip(path, files)
    else:
        write_tar(path, [member(*file) for file in files])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DiffsymError, match="the archive is damaged or of another format") as caught:
        open_local(path).identifiers()
    assert str(path) in str(caught.value)
    (tmp_path / "good.cif").write_text(CIF)
    structures, reasons = processed(tmp_path)
    assert structures["entry_id"].to_pylist() == ["good.cif"]
    assert reasons[name][0] == "unreadable"


def test_damaged_and_locked_members_stop_no_other(tmp_path):
    path = write_zip(
        tmp_path / "s.zip",
        [("bad.cif", CIF), ("good.cif", CIF), ("locked.cif", CIF)],
        zipfile.ZIP_STORED,
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"5.64")] = ord("6")
    # The bit of a password, in the central directory and before the file.
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = data.rindex(mark)
        data[place + offset] |= 1
    path.write_bytes(data)
    structures, reasons = processed(path)
    assert structures["entry_id"].to_pylist() == ["s.zip/good.cif"]
    assert "Bad CRC" in reasons["s.zip/bad.cif"][1]
    assert "encrypted" in reasons["s.zip/locked.cif"][1]


def test_an_archive_without_structures(tmp_path):
    path = write_zip(tmp_path / "s.zip", [("readme.txt", "nothing")])
    with pytest.raises(DiffsymError, match="holds no structures"):
        open_local(path).identifiers()
