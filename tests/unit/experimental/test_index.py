"""The index of a folder of measured patterns: one row cannot spoil the others."""

import numpy as np
import pytest

from diffsym.experimental.patterns import read_patterns
from diffsym.settings.measured.patterns import MeasuredPatterns

ANGLES = np.round(5 + 0.05 * np.arange(1701), 2)


@pytest.fixture
def indexed(tmp_path):
    """Reads a folder of the patterns a.xy, b.xy and c#1.xy with an index of some lines."""
    for number, name in enumerate(["a.xy", "b.xy", "c#1.xy"]):
        counts = 10 + 100 * np.exp(-((ANGLES - 20 - 5 * number) ** 2))
        np.savetxt(tmp_path / name, np.column_stack([ANGLES, counts]))

    def read(*lines, **keys):
        (tmp_path / "patterns.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
        settings = MeasuredPatterns(kind="patterns", path=str(tmp_path), **keys)
        patterns, rejected = read_patterns("lab", tmp_path, settings)
        names = patterns["pattern_id"].to_pylist() + rejected["structure_id"].to_pylist()
        assert len(set(names)) == len(names), "identifiers are unique"
        reasons = zip(*(rejected[key].to_pylist() for key in ("entry_id", "reason")), strict=True)
        return patterns, dict(reasons)

    return read


def test_blanks_around_names_and_values_do_not_count(indexed):
    patterns, rejected = indexed("\ufefffile , space_group, wavelength,", 'a.xy, "227", 0.7107 ,')
    assert patterns["wavelengths"].to_pylist() == [[0.7107]]
    assert patterns["space_group"].to_pylist() == [227]
    assert not rejected


def test_comments_are_lines_that_begin_with_a_hash(indexed):
    patterns, rejected = indexed("# ours", "file,comment", "#a.xy,old", "c#1.xy,sample #1", "b.xy,")
    assert patterns["pattern_id"].to_pylist() == ["lab:c#1.xy", "lab:b.xy"]
    assert not rejected


@pytest.mark.parametrize(
    ("row", "name", "words"),
    [
        (",225,,", "line 3", "line 3 of patterns.csv: there is no name of a file"),
        ("b.xy,Pnma,,", "b.xy", "line 3 of patterns.csv: space_group: 'Pnma' is no number"),
        ("b.xy,0,,", "b.xy", "line 3 of patterns.csv: there is no space group 0"),
        ("b.xy,231,,", "b.xy", "no space group 231"),
        ("b.xy,12.5,,", "b.xy", "no space group 12.5"),
        ("b.xy,,-40.9,", "b.xy", "primitive_volume: -40.9 is no positive number of A^3"),
        ("b.xy,,inf,", "b.xy", "primitive_volume: inf is no positive number"),
        ("b.xy,,nan,", "b.xy", "primitive_volume: 'nan' is no number"),
        ("b.xy,,,0", "b.xy", "wavelength: 0 is no positive number of A"),
        ("b.xy,,,1,54", "b.xy", "more cells than columns"),
        ("b,1.xy,,", "b", "line 3 of patterns.csv: space_group: '1.xy' is no number"),
        ("b\0.xy,,,", "b\0.xy", "cannot be read"),
        ("absent.xy,,,", "absent.xy", "No such file or directory"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_alone(indexed, row, name, words):
    patterns, rejected = indexed("file,space_group,primitive_volume,wavelength", "a.xy,2", row)
    assert patterns["pattern_id"].to_pylist() == ["lab:a.xy"]
    assert patterns["space_group"].to_pylist() == [2]
    assert list(rejected) == [name]
    assert words in rejected[name]


def test_a_file_listed_again_counts_once(indexed):
    patterns, rejected = indexed("file,space_group", "a.xy,62", "b.xy,2", "./a.xy,62.0", "a.xy,62")
    assert patterns["pattern_id"].to_pylist() == ["lab:a.xy", "lab:b.xy"]
    assert patterns["space_group"].to_pylist() == [62, 2]
    assert list(rejected) == ["./a.xy", "a.xy (2)"]
    assert rejected["a.xy (2)"].startswith("line 5 of patterns.csv: line 2 names the same file")


def test_a_file_with_two_labels_is_not_used(indexed):
    patterns, rejected = indexed("file,space_group", "a.xy,62", "a.xy,63", "b.xy,227")
    assert patterns["pattern_id"].to_pylist() == ["lab:b.xy"]
    assert list(rejected) == ["a.xy", "a.xy (2)"]
    assert all("lines 2 and 3 of patterns.csv" in reason for reason in rejected.values())


def test_an_excluded_file_is_excluded_in_each_row(indexed):
    _, rejected = indexed("file", "a.xy", "a.xy", "b.xy", exclude=("a.xy",))
    assert set(rejected.values()) == {"the configuration excludes this pattern"}
