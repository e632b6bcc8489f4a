"""Files are written whole or not at all."""

import json
import signal
import subprocess
import sys

import pytest

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, sha256, write_json, write_text


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.json"
    write_text(path, "old")

    def fail_while_writing():
        with atomic_path(path) as temporary:
            temporary.write_text("half of the new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_while_writing()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.json"]


def test_a_killed_writer_leaves_no_half_file(tmp_path):
    path = tmp_path / "table.json"
    script = (
        "import sys, time\n"
        "from diffsym.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert not path.exists()
    write_text(path, "whole")
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["table.json"]


def test_a_full_disk_is_told_in_a_sentence_and_keeps_the_old_file(tmp_path, small_disk):
    small_disk(tmp_path / "disk", "64k")
    path = tmp_path / "disk" / "table.json"
    write_text(path, "old")
    with pytest.raises(DiffsymError, match=rf"{path}: no room .* make room there and start"):
        write_text(path, 100_000 * "x")
    assert path.read_text() == "old"
    assert names(path.parent) == ["table.json"]


def test_json_refuses_what_other_readers_cannot_read(tmp_path):
    with pytest.raises(ValueError, match="Out of range float values"):
        write_json(tmp_path / "a.json", {"accuracy": float("nan")})
    assert not names(tmp_path)


def test_json_keeps_its_content(tmp_path):
    write_json(tmp_path / "a.json", {"symbol": "P6₃/mmc"})
    assert json.loads((tmp_path / "a.json").read_text()) == {"symbol": "P6₃/mmc"}


def test_sha256_of_a_known_text(tmp_path):
    write_text(tmp_path / "abc", "abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")
