"""All 530 settings of the Hall table from their symbols: right, or refused, never another one."""

from collections import Counter

import gemmi
import numpy as np
import pytest
import spglib

from diffsym.structures.entries import Rejection
from diffsym.structures.readers.cif import read_cif
from diffsym.structures.readers.symbols import all_settings, operation_table, settings_named

POSITION = np.array([0.0871, 0.1533, 0.2219])
TENSOR = np.array([[1.0, 0.11, 0.07], [0.11, 1.17, -0.13], [0.07, -0.13, 1.36]])
CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
SUFFIX = {"1": " S", "2": " Z", "H": " HR", "R": " RS", "\0": ""}
SETTINGS = list(zip(range(1, 531), gemmi.spacegroup_table_itb(), strict=True))


def metric_of(group):
    """A cell (A^2) with no more symmetry than the group."""
    rotations = np.array([operation.rot for operation in group.operations()]) / 24
    metric = np.einsum("nki,kl,nlj->ij", rotations, TENSOR, rotations) / len(rotations)
    scale = (len(rotations) * 15 / np.sqrt(np.linalg.det(metric))) ** (1 / 3)
    return metric * scale**2


def write_cif(group, *statements):
    """One atom in a general position."""
    metric = metric_of(group)
    lengths = np.sqrt(np.diag(metric))
    pairs = ((1, 2), (0, 2), (0, 1))
    angles = [np.degrees(np.arccos(metric[i, j] / lengths[i] / lengths[j])) for i, j in pairs]
    values = [*lengths.round(5), *np.round(angles, 4)]
    place = " ".join(f"{value}" for value in POSITION)
    loop = ("label", "type_symbol", "fract_x", "fract_y", "fract_z")
    return "\n".join(
        [
            "data_general",
            *(f"_cell_{name} {value}" for name, value in zip(CELL, values, strict=True)),
            *statements,
            "loop_",
            *(f"_atom_site_{name}" for name in loop),
            f"Fe1 Fe {place}\n",
        ]
    ).encode()


def short(group):
    """The symbol without the axes that carry no symmetry."""
    monoclinic = 3 <= group.number <= 15
    return " ".join(part for part in group.hm.split() if part != "1" or not monoclinic)


def judge(group, *statements):
    (entry,) = read_cif(write_cif(group, *statements), "general.cif", "")
    if isinstance(entry, Rejection):
        assert "general.cif, block 'general': " in entry.reason
        return entry.code.value
    images = [operation.apply_to_xyz(POSITION.tolist()) for operation in group.operations()]
    vectors = np.array(images)[:, None] - entry.frac_coords[None, :]
    distances = np.abs(vectors - np.rint(vectors)).max(axis=2)
    same = len(images) == len(entry.frac_coords) and (distances.min(axis=1) < 1e-4).all()
    return "right" if same else "wrong"


KINDS = {
    "Hall": lambda group: [f"_space_group_name_Hall '{group.hall}'"],
    "setting": lambda group: [f"_space_group_name_H-M_alt '{group.xhm()}'"],
    "ICSD": lambda group: [
        f"_symmetry_space_group_name_H-M '{group.hm}{SUFFIX[group.ext]}'",
        f"_symmetry_Int_Tables_number {group.number}",
    ],
    "short": lambda group: [f"_symmetry_space_group_name_H-M '{short(group)}'"],
    "short, number": lambda group: [
        f"_symmetry_space_group_name_H-M '{short(group).replace(' ', '')}'",
        f"_space_group_IT_number {group.number}",
    ],
    "number": lambda group: [f"_space_group_IT_number {group.number}"],
}


@pytest.mark.parametrize(
    ("kind", "right", "refused"),
    [
        ("Hall", 530, {}),
        ("setting", 530, {}),
        ("ICSD", 530, {}),
        # Symbols of groups with two origins, 33 times two.
        ("short", 464, {"ambiguous_symmetry": 66}),
        ("short, number", 464, {"ambiguous_symmetry": 66}),
        ("number", 169, {"ambiguous_symmetry": 361}),
    ],
)
def test_settings(kind, right, refused):
    found = Counter(judge(group, *KINDS[kind](group)) for _, group in SETTINGS)
    assert found == {"right": right} | refused


def test_the_table_is_that_of_spglib():
    for hall_number, setting in zip(range(1, 531), all_settings(), strict=False):
        kind = spglib.get_spacegroup_type(hall_number)
        assert kind.number == setting.number
        database = spglib.get_symmetry_from_database(hall_number)
        theirs = np.hstack(
            [database["rotations"].reshape(-1, 9), np.rint(database["translations"] * 72) % 72]
        )
        assert set(map(tuple, theirs.tolist())) == operation_table(setting.operations)


@pytest.mark.parametrize(
    ("symbol", "names"),
    [
        ("F 4/m -3 2/m", ["F m -3 m"]),
        ("Fd3m", ["F d -3 m:1", "F d -3 m:2"]),
        ("*F d 3 m Z", ["F d -3 m:2"]),
        ("P 21/m 21/m 2/n (origin choice 2)", ["P m m n:2"]),
        ("P2(1)/c", ["P 1 21/c 1", "P 21/c 1 1"]),
        ("P 2_1/c :b1", ["P 1 21/c 1"]),
        ("P 1 21/c 1 (unique axis b, cell choice 1)", ["P 1 21/c 1"]),
        ("R-3cH", ["R -3 c:H"]),
        ("R -3 c (rhombohedral axes)", ["R -3 c:R"]),
        ("C m c e", ["C m c a"]),
        ("p N m A S", ["P n m a"]),
        ("P 3 1 2", ["P 3 1 2"]),
        ("P 31 2", []),
        ("P 212121", ["P 21 21 21"]),
        ("P 21/n 21/m 21/a", ["P n m a"]),
        ("P x y z", []),
        ("P n m a (something else)", []),
    ],
)
def test_spellings(symbol, names):
    assert [setting.name for setting in settings_named(symbol)] == names
