"""Duplicates: the pruned search finds what pymatgen's own grouping finds."""

import numpy as np
import pytest
from pymatgen.core.structure_matcher import StructureMatcher

from diffsym.settings.duplicates import Duplicates
from diffsym.structures.duplicates import (
    COMPARED_COLUMNS,
    build_structure,
    group_block,
    make_blocks,
    make_candidate,
    may_match,
    natural_order,
    remove_duplicates,
)
from diffsym.structures.statistics import statistics
from diffsym.tables import DUPLICATES, REJECTED, STRUCTURES, conform


def blocks_of(structures):
    compared = structures.select(COMPARED_COLUMNS)
    return [compared.take(block).to_pylist() for block in make_blocks(structures)]


def test_pruned_and_full_search_agree(repeated_structures):
    blocks = blocks_of(repeated_structures)
    assert max(len(block) for block in blocks) >= 15
    matcher = StructureMatcher()
    several = 0
    for block in blocks:
        structures = [build_structure(row) for row in block]
        names = {id(item): row["structure_id"] for item, row in zip(structures, block, strict=True)}
        full = [
            [names[id(item)] for item in group] for group in matcher.group_structures(structures)
        ]
        pruned = group_block(matcher, block)
        assert sorted(map(sorted, pruned)) == sorted(map(sorted, full))
        several += len(full) > 1
    assert several, "no block holds different structures; the test compares nothing"


def test_excluded_pairs_do_not_match(repeated_structures):
    """What the cheap conditions exclude, the matcher finds different, all pairs of space groups."""
    matcher = StructureMatcher()
    by_formula = {}
    for row in repeated_structures.select(COMPARED_COLUMNS).to_pylist():
        by_formula.setdefault(row["formula"], []).append(row)
    excluded = 0
    for rows in by_formula.values():
        candidates = [make_candidate(row) for row in rows[::4]]
        for first in candidates:
            for second in candidates:
                if not may_match(first, second, matcher.ltol):
                    excluded += 1
                    assert not matcher.fit(
                        first.structure, second.structure, skip_structure_reduction=True
                    )
    assert excluded > 50


def test_result_does_not_depend_on_order_or_processes(repeated_structures):
    expected = remove_duplicates(repeated_structures, Duplicates())
    order = np.random.default_rng(0).permutation(repeated_structures.num_rows)
    for table, processes in ((repeated_structures.take(order), 1), (repeated_structures, 2)):
        unique, duplicates = remove_duplicates(table, Duplicates(), processes=processes)
        assert unique.equals(expected[0])
        assert duplicates.equals(expected[1])


def test_lowest_identifier_is_kept_and_members_are_recorded(repeated_structures):
    unique, duplicates = remove_duplicates(repeated_structures, Duplicates())
    conform(unique, STRUCTURES, "structures")
    conform(duplicates, DUPLICATES, "duplicates")
    assert unique.num_rows + duplicates.num_rows == repeated_structures.num_rows
    members = {row["structure_id"]: row["members"] for row in unique.to_pylist()}
    for name, group in members.items():
        assert group == sorted(group)
        assert min(group, key=natural_order) == name
    merged = {
        (member, name) for name, group in members.items() for member in group if member != name
    }
    assert merged == {
        (row["structure_id"], row["representative_id"]) for row in duplicates.to_pylist()
    }
    assert max(map(len, members.values())) > 10


def test_tolerance_is_a_setting(repeated_structures):
    strict, _ = remove_duplicates(
        repeated_structures, Duplicates(ltol=0.001, stol=0.001, angle_tol=0.01)
    )
    loose, _ = remove_duplicates(repeated_structures, Duplicates())
    assert strict.num_rows > loose.num_rows


def test_nothing_to_do(repeated_structures):
    unique, duplicates = remove_duplicates(repeated_structures.slice(0, 0), Duplicates())
    assert unique.num_rows == duplicates.num_rows == 0


def test_natural_order():
    names = ["b:1", "a:10", "a:9", "a:x", "a:9b"]
    assert sorted(names, key=natural_order) == ["a:9", "a:9b", "a:10", "a:x", "b:1"]


def test_statistics_add_up(repeated_structures):
    unique, duplicates = remove_duplicates(repeated_structures, Duplicates())
    rejected = REJECTED.empty_table()
    numbers = statistics(unique, rejected, duplicates, tolerances=(0.001, 0.01, 0.1))
    amcsd = numbers["sources"]["amcsd"]
    assert amcsd["entries"] == repeated_structures.num_rows
    assert amcsd["structures"] + amcsd["duplicates"] + amcsd["rejected"] == amcsd["entries"]
    assert amcsd["left_out"] == 0
    assert sum(numbers["space_groups"].values()) == unique.num_rows
    assert sum(numbers["crystal_systems"].values()) == unique.num_rows
    found = numbers["relabelled"]
    expected = sum(
        row["declared_space_group"] not in (None, row["space_group"]) for row in unique.to_pylist()
    )
    assert found["number"] == expected == len(found["examples"])
    dependent = numbers["tolerance_dependent"]
    assert dependent["number"] >= len(dependent["examples"])
    assert dependent["tolerances"] == pytest.approx([0.001, 0.01, 0.1])
