"""Sets of measured patterns: what is read, and what is refused with which sentence."""

import os

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.experimental.patterns import read_patterns
from diffsym.settings.measured.patterns import MeasuredPatterns

ANGLES = np.round(5 + 0.05 * np.arange(1701), 2)


def read(name, path, **keys):
    return read_patterns(name, path, MeasuredPatterns(kind="patterns", path=str(path), **keys))


def peaks(*positions, noise=0):
    heights = 100 * np.exp(-((ANGLES[:, None] - positions) ** 2) / 0.02).sum(axis=1)
    return np.round(heights + 10 + np.random.default_rng(noise).poisson(5, len(ANGLES)), 3)


@pytest.fixture
def folder(tmp_path):
    """A set of text files: separated by blanks and by commas, with comments, one of them broken."""
    np.savetxt(tmp_path / "quartz.xy", np.column_stack([ANGLES, peaks(20.8, 26.6)]))
    np.savetxt(
        tmp_path / "salt.csv",
        np.column_stack([ANGLES, peaks(27.4, 31.7)]),
        delimiter=",",
        header="2theta, counts",
    )
    np.savetxt(tmp_path / "copy.xy", np.column_stack([ANGLES, peaks(20.8, 26.6)]))
    np.savetxt(tmp_path / "falling.xy", np.column_stack([ANGLES[::-1], peaks(30)]))
    (tmp_path / "broken.xy").write_text("2theta counts\n5.0 ten\n")
    (tmp_path / "patterns.csv").write_text(
        "# from the laboratory\n"
        "file,space_group,wavelength,primitive_volume\n"
        "quartz.xy,152,,113.0\n"
        "salt.csv,225,0.7107,\n"
        "copy.xy,152,,\n"
        "falling.xy,,,\n"
        "broken.xy,2,,\n"
        "absent.xy,2,,\n"
    )
    return tmp_path


def test_a_folder_is_read_and_nothing_vanishes(folder):
    patterns, rejected = read("lab", folder, wavelength=1.54184)
    assert patterns["pattern_id"].to_pylist() == ["lab:quartz.xy", "lab:salt.csv"]
    assert patterns["space_group"].to_pylist() == [152, 225]
    assert patterns["primitive_volume"].to_pylist() == [113.0, None]
    assert patterns["wavelengths"].to_pylist() == [[1.54184], [0.7107]]
    assert patterns["two_theta"][1].as_py() == pytest.approx(ANGLES)
    assert patterns["intensity"][1].as_py() == pytest.approx(peaks(27.4, 31.7))
    codes = dict(zip(rejected["entry_id"].to_pylist(), rejected["code"].to_pylist(), strict=True))
    assert codes == {
        "copy.xy": "duplicate",
        "falling.xy": "pattern",
        "broken.xy": "unreadable",
        "absent.xy": "unreadable",
    }
    assert patterns.num_rows + rejected.num_rows == 6


def test_no_pattern_is_lost_to_another_of_its_name(tmp_path):
    arrays = {"two_theta": ANGLES, "intensity": np.stack([peaks(x) for x in (20, 30, 40)])}
    np.savez(tmp_path / "set.npz", pattern_id=["p", "q", "q"], **arrays)
    patterns, rejected = read("lab", tmp_path / "set.npz")
    assert patterns["pattern_id"].to_pylist() == ["lab:p", "lab:q", "lab:q (2)"]
    assert patterns["intensity"][1] != patterns["intensity"][2]
    assert rejected.num_rows == 0


def test_a_folder_without_an_index_is_read_as_its_files(folder):
    (folder / "patterns.csv").unlink()
    (folder / "deep").mkdir()
    (folder / "quartz.xy").rename(folder / "deep" / "quartz.XY")
    (folder / "notes.pdf").write_text("not a pattern")
    patterns, rejected = read("lab", folder, wavelength=0.7107)
    assert patterns["pattern_id"].to_pylist() == ["lab:copy.xy", "lab:salt.csv"]
    assert patterns["space_group"].to_pylist() == [None, None]
    assert patterns["wavelengths"].to_pylist() == [[0.7107], [0.7107]]
    assert set(rejected["entry_id"].to_pylist()) == {"broken.xy", "deep/quartz.XY", "falling.xy"}
    with pytest.raises(DiffsymError, match=r"neither patterns\.csv nor a file of a pattern"):
        read("lab", folder / "nowhere", wavelength=1.54)


def test_a_name_that_is_not_utf_8_stops_no_other_pattern(tmp_path):
    for noise, name in enumerate([b"good.xy", b"caf\xe9.xy"]):
        columns = np.column_stack([ANGLES, peaks(20, noise=noise)])
        np.savetxt(tmp_path / os.fsdecode(name), columns)
    patterns, _ = read("lab", tmp_path)
    assert patterns["pattern_id"].to_pylist() == ["lab:caf\\xe9.xy", "lab:good.xy"]


def test_doublets_and_exclusions(folder):
    patterns, rejected = read(
        "lab", folder, wavelength=((1.5406, 2), (1.5444, 1)), exclude=("salt.csv",)
    )
    assert patterns["wavelengths"].to_pylist() == [[1.5406, 1.5444]]
    assert patterns["weights"].to_pylist() == [pytest.approx([2 / 3, 1 / 3])]
    assert "excluded" in rejected["code"].to_pylist()
    with pytest.raises(DiffsymError, match=r"measured\.lab\.exclude: .* 'sugar'"):
        read("lab", folder, wavelength=1.54, exclude=("sugar",))


def test_an_archive_is_read(tmp_path):
    np.savez(
        tmp_path / "set.npz",
        two_theta=ANGLES,
        intensity=np.array([peaks(20), peaks(30), np.zeros(len(ANGLES))]),
        space_group=[62, 0, 14],
        pattern_id=[7, 8, 9],
    )
    patterns, rejected = read("set", tmp_path / "set.npz", wavelength=1.54)
    assert patterns["pattern_id"].to_pylist() == ["set:7", "set:8"]
    assert patterns["space_group"].to_pylist() == [62, None]
    assert rejected["structure_id"].to_pylist() == ["set:9"]
    assert "none is positive" in rejected["reason"][0].as_py()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"two_theta": ANGLES[:50], "intensity": [peaks(20)[:50]]}, "too few"),
        ({"intensity": [np.where(ANGLES == 20, np.nan, peaks(20))]}, "not a finite number"),
        ({"two_theta": np.sort(ANGLES)[::-1]}, "do not rise"),
        ({"two_theta": ANGLES * 10}, "not 2theta in degrees"),
        ({"space_group": [231]}, "no space group 231"),
        ({"space_group": [12.5]}, "no space group 12.5"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said(tmp_path, change, words):
    good = peaks(40)
    arrays = {"two_theta": ANGLES, "intensity": [peaks(20)], "space_group": [1]} | change
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DiffsymError, match="no usable pattern"):
        read("set", tmp_path / "set.npz", wavelength=1.54)
    if "two_theta" not in change:
        arrays["intensity"] = [*arrays["intensity"], good]
        arrays["space_group"] = [*arrays["space_group"], 2]
        np.savez(tmp_path / "set.npz", **arrays)
        patterns, rejected = read("set", tmp_path / "set.npz", wavelength=1.54)
        assert patterns.num_rows == 1
        assert words in rejected["reason"][0].as_py()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("set.npz", b"no archive", r"set\.npz: not a NumPy archive"),
        ("patterns.csv", b"wavelength\n0.71\n", r"patterns\.csv: no index .* column file"),
        ("patterns.csv", b"", r"patterns\.csv: no index .* columns are none"),
        ("patterns.csv", b"file,file\nx.xy,y.xy\n", r"patterns\.csv: no index .* each column once"),
        (
            "patterns.csv",
            b"file,wavelenght\nx.xy,0.71\n",
            r"'wavelenght'; did you mean 'wavelength'",
        ),
        ("patterns.csv", b"file,spacegroup\nx.xy,2\n", r"'spacegroup'; did you mean 'space_group'"),
        (
            "patterns.csv",
            b'file,comment\nx.xy,"open\n',
            r"patterns\.csv: no index .*unexpected end",
        ),
        ("patterns.csv", b"file\n\xff.xy\n", r"patterns\.csv: no index .* UTF-8"),
    ],
)
def test_a_broken_set_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    path = tmp_path / name if name.endswith("npz") else tmp_path
    with pytest.raises(DiffsymError, match=words):
        read("set", path, wavelength=1.54)


def test_arrays_of_the_wrong_shape_are_named(tmp_path):
    np.savez(tmp_path / "set.npz", two_theta=ANGLES[1:], intensity=[peaks(20)])
    with pytest.raises(DiffsymError, match=r"intensity must be \(n, m\)"):
        read("set", tmp_path / "set.npz", wavelength=1.54)
    np.savez(tmp_path / "set.npz", two_theta=ANGLES)
    with pytest.raises(DiffsymError, match="the array intensity is missing"):
        read("set", tmp_path / "set.npz", wavelength=1.54)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wavelenght": [0.71]}, "unknown array 'wavelenght'; did you mean 'wavelength'"),
        ({"space_group": ["Pnma"]}, "the array space_group holds <U4; store numbers"),
        ({"space_group": np.array(["Pnma"], object)}, "holds Python objects, which are not loaded"),
        ({"pattern_id": np.array(["p"], object)}, "store texts or numbers"),
        ({"pattern_id": [b"p"]}, "the array pattern_id holds .S1; store texts or numbers"),
        ({"space_group": 62}, r"all other arrays \(n,\)"),
        ({"space_group": [[62]]}, r"all other arrays \(n,\)"),
        ({"intensity": 7.0}, r"intensity is \(\)"),
        ({"two_theta": [ANGLES]}, r"two_theta \(1, 1701\)"),
    ],
)
def test_arrays_that_are_not_as_documented_are_named(tmp_path, change, words):
    arrays = {"two_theta": ANGLES, "intensity": [peaks(20)]} | change
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DiffsymError, match=words):
        read("set", tmp_path / "set.npz")


def test_one_array_is_no_archive(tmp_path):
    np.save(tmp_path / "set.npy", peaks(20))
    with pytest.raises(DiffsymError, match=r"set\.npy: one array, not a NumPy archive"):
        read("set", tmp_path / "set.npy")


def test_patterns_of_an_archive_may_have_their_own_wavelengths(tmp_path):
    arrays = {"two_theta": ANGLES, "intensity": [peaks(20), peaks(30), peaks(40)]}
    np.savez(tmp_path / "set.npz", wavelength=[0.71, 0, -1], **arrays)
    patterns, rejected = read("set", tmp_path / "set.npz", wavelength=1.54)
    assert patterns["wavelengths"].to_pylist() == [[0.71], [1.54]]
    assert rejected["reason"].to_pylist() == [
        "wavelength: -1 is no positive number of A; correct it, or give nothing if it is unknown"
    ]


def test_the_first_reasons_are_told_if_no_pattern_is_left(tmp_path):
    for name in "abcde":
        (tmp_path / f"{name}.xy").write_text("")
    with pytest.raises(DiffsymError) as caught:
        read("lab", tmp_path)
    told = str(caught.value)
    assert "no usable pattern; a.xy: the file is empty" in told
    assert "; c.xy: " in told
    assert "d.xy" not in told
    assert told.endswith("; and 2 more")


def test_the_development_set_is_read_whole(shared_dir):
    path = shared_dir / "data" / "measured_xrd" / "rruff_development.npz"
    patterns, rejected = read("rruff", path, wavelength=1.54184)
    assert patterns.num_rows + rejected.num_rows == 448
    assert set(patterns["space_group"].to_pylist()) <= set(range(1, 231))
