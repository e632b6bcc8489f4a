"""`diffsym convert`: what it writes is read back as the same pattern."""

import subprocess
import sys

import instrument_files as files
import numpy as np
import pytest
from instrument_files import ANGLES, COUNTS, DOUBLET

from diffsym.app.command import main
from diffsym.app.outcome import ALL_ANSWERED, NONE_ANSWERED
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import Unreadable

SOURCES = {
    "doublet": ("a.xrdml", files.xrdml()),
    "several scans": ("a.raw", files.raw_2(ranges=2)),
    "one line": ("a.xy", f"# Wavelength: 0.4133 A\n2th I\n{files.pairs()}".encode()),
    "no wavelength": ("a.chi", files.chi()),
    "no axis": ("a.xy", files.pairs().encode()),
    "falling, no axis": ("a.xy", "\n".join(files.pairs().split("\n")[::-1]).encode()),
    "a name that misleads": ("neutron, wavelength=0.5 D1A.uxd", files.uxd()),
    "repairs": ("a.gsa", files.gsas(declared=403 + 2)),
    "not finite": ("a.xy", files.pairs().replace(" 93\n", " nan\n").encode()),
    "digits": ("a.xy", b"q (1/A)\n1.1 1e-300\n1.3 -7.25\n1.7 123456789012345680\n"),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_written_is_read_back(tmp_path, capsys, kind):
    name, content = SOURCES[kind]
    path, output = tmp_path / name, tmp_path / "new folder" / "out.xy"
    path.write_bytes(content)
    told = {"wavelength": 0.7} if kind == "digits" else {}
    options = ["--wavelength", "0.7"] if told else []
    assert main(["convert", str(path), "-o", str(output), *options]) == ALL_ANSWERED
    assert capsys.readouterr() == ("", "")
    first, second = read_pattern(path, **told), read_pattern(output)
    assert not isinstance(first, Unreadable), first
    assert not isinstance(second, Unreadable), second
    np.testing.assert_array_equal(second.two_theta, first.two_theta)
    np.testing.assert_array_equal(second.intensity, first.intensity)
    assert second.anode == first.anode
    assert second.wavelength == told.get("wavelength", first.wavelength)
    assert (second.repairs, second.scans) == ((), ())
    text = output.read_text()
    assert f"# diffsym source: {name}\n" in text
    for repair in first.repairs:
        assert f"# diffsym repair: {repair}\n" in text
    assert main(["convert", str(path), *options]) == ALL_ANSWERED
    assert capsys.readouterr().out == text
    assert [file.name for file in output.parent.iterdir()] == ["out.xy"]


def test_the_file_looks_so(tmp_path, capsys):
    (tmp_path / "a.raw").write_bytes(files.raw_2(ranges=2))
    assert main(["convert", str(tmp_path / "a.raw"), "--scan", "2"]) == ALL_ANSWERED
    assert capsys.readouterr().out.split("\n")[:5] == [
        "# diffsym source: a.raw",
        "# diffsym scan: the file holds 2 scans (1: range 1, 2: range 2); number 2 was read",
        "# Anode: Cu",
        "# Wavelengths in A, and weights: 1.5401 1.0, 1.5441 " + repr(DOUBLET[1][1]),
        "# 2theta (degrees), intensity",
    ]
    assert main(["convert", str(tmp_path / "a.raw"), "--list"]) == ALL_ANSWERED
    assert capsys.readouterr().out == "2 scans (1: range 1, 2: range 2)\n"


def test_a_unit_that_the_user_says_is_written(tmp_path, capsys):
    (tmp_path / "a.xy").write_text(files.pairs())
    assert main(["convert", str(tmp_path / "a.xy"), "--unit", "centidegrees"]) == ALL_ANSWERED
    assert "# 2theta (degrees), intensity\n0.1 " in capsys.readouterr().out


def test_the_user_has_the_last_word(tmp_path, capsys):
    (tmp_path / "a.xrdml").write_bytes(files.xrdml())
    assert main(["convert", str(tmp_path / "a.xrdml"), "--wavelength", "MoKa1"]) == ALL_ANSWERED
    text = capsys.readouterr().out
    assert "# Wavelength: 0.709317 A\n" in text
    assert "# diffsym repair: the file says 1.5401 A; 0.709317 A of --wavelength was used" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["a.raw", "--scan", "7"], "a.raw: there is no scan '7'; the file holds 2 scans"),
        (["a.raw", "--unit", "furlong"], "unit: there is no 'furlong'"),
        (["a.raw", "--unit", "radians"], "above pi"),
        (["absent.raw"], "absent.raw: the file cannot be read"),
        (["a.raw", "-o", "a.raw"], "this is the file itself"),
        (["a.raw", "-o", "a.raw/out.xy"], "a.raw/out.xy: cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(
    tmp_path, monkeypatch, capsys, options, words
):
    content = files.raw_2(ranges=2)
    (tmp_path / "a.raw").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert main(["convert", *options]) == NONE_ANSWERED
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out
    assert [file.name for file in tmp_path.iterdir()] == ["a.raw"]
    assert (tmp_path / "a.raw").read_bytes() == content


def test_it_starts_without_what_it_does_not_need(tmp_path):
    (tmp_path / "a.xy").write_text(files.pairs())
    code = (
        "import sys; from diffsym.app.command import main; "
        f"main(['convert', {str(tmp_path / 'a.xy')!r}]); "
        "print([name for name in ('keras', 'pandas', 'h5py') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("[]\n"), finished
    assert len(finished.stdout.splitlines()) == len(ANGLES) + 4
    assert f"10 {COUNTS[0]:g}\n" in finished.stdout
