"""Class sets against hand-made counts and the paper's list."""

import pandas as pd
import pytest
import spglib
from study import REPOSITORY

from diffsym.datasets.classes import read_named_list, select_classes
from diffsym.errors import DiffsymError
from diffsym.settings.class_sets import ClassSet

LIU2019 = REPOSITORY / "data" / "class_sets" / "liu2019-45.csv"
LABELS = [225] * 4 + [2] * 3 + [14] * 2 + [62]


def test_groups_with_enough_entries():
    selected = select_classes(LABELS, ClassSet(min_entries=3))
    assert selected.classes == [2, 225]
    assert selected.counts == [3, 4]
    assert selected.missing == []
    assert selected.rule == {"min_entries": 3}


def test_the_most_populated_groups():
    selected = select_classes([*LABELS, 1], ClassSet(most_populated=4))
    # Of 1 and 62, with a structure each, the lower number.
    assert selected.classes == [1, 2, 14, 225]
    assert selected.rule == {"most_populated": 4}


def test_wanted_groups_that_do_not_occur_are_reported():
    selected = select_classes(LABELS, ClassSet(space_groups=(230, 62, 14, 1)))
    assert selected.classes == [14, 62]
    assert selected.missing == [1, 230]


def test_named_list_is_that_of_the_paper():
    table = pd.read_csv(LIU2019, comment="#")
    assert len(table) == 45
    assert table["space_group"].is_monotonic_increasing
    # The sum of the printed numbers, see the comment in the file; the extremes are in the text.
    assert table["entries"].sum() == 81_440
    assert table.set_index("space_group")["entries"].agg(["idxmin", "idxmax"]).tolist() == [122, 14]
    selected = select_classes(LABELS, ClassSet(named="liu2019-45"), published=LIU2019)
    assert selected.classes == [2, 14, 62, 225]
    assert len(selected.missing) == 41
    assert selected.rule == {"named": "liu2019-45"}


def test_symbols_of_the_named_list_agree_with_their_numbers():
    short = {}
    for hall_number in range(1, 531):
        kind = spglib.get_spacegroup_type(hall_number)
        short.setdefault(kind.number, kind.international_short)
    # Since 1992 the symbol of group 64 is Cmce; the paper has the older one.
    short[64] = "Cmca"
    table = pd.read_csv(LIU2019, comment="#")
    assert table["symbol"].tolist() == [short[number] for number in table["space_group"]]


def test_lists_of_shaped_patterns_are_those_of_the_paper():
    def entries(name):
        table = pd.read_csv(LIU2019.parent / f"tiong2020-{name}.csv", comment="#")
        return table.set_index("space_group")["entries"]

    every = entries("72")
    assert every.sum() == 108_658
    assert (len(every), every.idxmin(), every.min()) == (72, 223, 295)
    systems = pd.cut(every.index.to_series(), [0, 2, 15, 74, 142, 167, 194, 230])
    assert systems.value_counts(sort=False).tolist() == [2, 12, 22, 13, 6, 8, 9]
    for size in (8, 20, 49):
        members = entries(str(size))
        assert members.sort_values().tolist() == sorted(every)[-size:]
        assert members.equals(every[members.index])
    untrained = entries("untrained-30")
    assert (len(untrained), untrained.sum()) == (30, 3052)
    assert not set(untrained.index) & set(every.index)


@pytest.mark.parametrize("rule", [{"min_entries": 4}, {"space_groups": (1, 230)}])
def test_fewer_than_two_groups_is_a_mistake(rule):
    with pytest.raises(DiffsymError, match="a classifier needs two"):
        select_classes(LABELS, ClassSet(**rule))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("number\n2\n", "column space_group"),
        ("space_group\n0\n", "from 1 to 230"),
        ("space_group\nP-1\n", "whole numbers"),
        ("", "not a class list"),
    ],
)
def test_malformed_lists_are_named(tmp_path, text, message):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(DiffsymError, match=message) as error:
        read_named_list(path)
    assert "mine.csv" in str(error.value)
