"""POSCAR files: every way to write them, and what is refused."""

import numpy as np
import pytest

from diffsym.structures.entries import Entry
from diffsym.structures.readers import read_file

VECTORS = "4 0 0\n0 4 0\n0 1 5\n"
PLACES = "0 0 0\n0.5 0.5 0.5\n"
CARTESIAN = "0 0 0\n2 2.5 2.5\n"


def poscar(scale="1", names="Ti O\n", counts="1 1", mode="Direct", places=PLACES, vectors=VECTORS):
    return f"a comment\n{scale}\n{vectors}{names}{counts}\n{mode}\n{places}"


def read(tmp_path, text):
    path = tmp_path / "POSCAR"
    path.write_text(text)
    (item,) = read_file(path.read_bytes, path.name, "POSCAR", "")
    return item


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (poscar(), 4),
        (poscar(scale="0.5"), 2),
        (poscar(scale="-10"), 2),
        (poscar(scale="-10", mode="Cartesian", places=CARTESIAN), 2),
        (poscar(scale="0.5", mode="kartesian", places=CARTESIAN), 2),
        (poscar(scale="0.5 0.5 0.5"), 2),
        (poscar(scale="2 1 1", mode="c", places=CARTESIAN), 8),
        (poscar(mode="Selective dynamics\nDirect", places="0 0 0 T T F\n.5 .5 .5 F F F\n"), 4),
        (poscar(places=f"{PLACES}\n0.1 0.2 0.3\n0.1 0.2 0.3\n"), 4),  # velocities
        (poscar(names="Ti_pv/0a1b2c3 O_s\n"), 4),
        (poscar(names="Ti\nO\n", counts="1\n1"), 4),
        (poscar(names="", places="0 0 0 Ti\n.5 .5 .5 O\n"), 4),
        (poscar(names="", places="0 0 0 # Ti\n.5 .5 .5 # O1\n"), 4),
        (
            poscar(
                names="",
                mode="Selective\nDirect",
                places="0 0 0 T T F Ti\n.5 .5 .5 F F F O\n",
            ),
            4,
        ),
        (poscar(vectors="4d0 0 0\n0 4 0\n0 1 5\n"), 4),
    ],
)
def test_ways_to_write_one_structure(tmp_path, text, length):
    entry = read(tmp_path, text)
    assert isinstance(entry, Entry), entry.reason
    assert np.linalg.norm(entry.lattice[0]) == pytest.approx(length)
    np.testing.assert_allclose(entry.frac_coords, [[0, 0, 0], [0.5] * 3], atol=1e-9)
    assert [entry.mixtures[index][0][0] for index in entry.site_mixtures] == [22, 8]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (poscar(names=""), "no_elements", "write them in a line above"),
        (poscar(names="", places="0 0 0 T T F\n.5 .5 .5 F F F\n"), "no_elements", "VASP 4"),
        (
            poscar(names="", mode="Sel\nDirect", places="0 0 0 T T F\n.5 .5 .5 F F F\n"),
            "no_elements",
            "VASP 4",
        ),
        (poscar(places="0 0 0 Ti\n.5 .5 .5 N\n"), "contradiction", "not those of line 6"),
        (poscar(names="Ti Xx\n"), "unknown_label", "'Xx' in line 6 is no element"),
        (poscar(names="TI O\n"), "unknown_label", "'TI' in line 6 is no element"),
        (poscar(names="Ti O N\n"), "unreadable", "3 elements are named for 2"),
        (poscar(places="0 0 0\n"), "unreadable", "2 atoms are announced, but only 1"),
        (poscar(places="0 0 0\n.5 .5\n"), "unreadable", "the position '.5 .5'"),
        (poscar(mode="Elsewhere"), "unreadable", "instead of Direct or Cartesian"),
        (poscar(scale="one"), "unreadable", "the scale is 'one'"),
        (poscar(scale="0"), "cell", "no cell follows from the scale '0'"),
        (poscar(scale="1 -1 1"), "cell", "three positive ones"),
        (poscar(counts="0 0"), "unreadable", "numbers of atoms are missing"),
        ("one\ntwo\n", "unreadable", "the file ends after 2 lines"),
    ],
)
def test_refusals(tmp_path, text, code, words):
    rejection = read(tmp_path, text)
    assert not isinstance(rejection, Entry)
    assert (rejection.code, rejection.reason[:8]) == (code, "POSCAR: ")
    assert words in rejection.reason
