"""The graph of subgroups against International Tables and against group theory done here."""

from itertools import product

import numpy as np
import pytest
import spglib
from hypothesis import example, given
from hypothesis import strategies as st

from diffsym.evaluation.subgroups import Relation, distance, relation, subgroup_graph

space_groups = st.integers(1, 230)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (225, 225, Relation("same", 0)),
        (225, 166, Relation("maximal subgroup", 1)),
        (2, 14, Relation("maximal supergroup", 1)),
        # Pm-3m loses its translations to none of the face centrings, and gains them again.
        (225, 221, Relation("maximal sub- and supergroup", 1)),
        # So do F432 and I432, by way of P432.
        (209, 211, Relation("sub- and supergroup", 2)),
        (211, 209, Relation("sub- and supergroup", 2)),
        (62, 2, Relation("subgroup", 2)),
        (1, 14, Relation("supergroup", 2)),
        # Both P-1 and P2_1 are maximal subgroups of P2_1/m (11) and of P2_1/c (14).
        (2, 4, Relation("common supergroup", 2, 11)),
    ],
)
def test_known_relations(a, b, expected):
    assert relation(a, b) == expected


@given(space_groups, space_groups)
@example(209, 211)
def test_relations_mirror_each_other(a, b):
    there, back = relation(a, b), relation(b, a)
    assert there.distance == back.distance
    mirrored = {"subgroup": "supergroup", "supergroup": "subgroup"}
    words = there.kind.split()
    if "common" not in words and "and" not in words:
        words[-1] = mirrored.get(words[-1], words[-1])
    if there.kind.count("subgroup") + there.kind.count("supergroup") == 1:
        assert " ".join(words) == back.kind
    assert distance(a, b) == distance(b, a) <= there.distance


@given(space_groups, space_groups, space_groups)
def test_distance_is_a_metric(a, b, c):
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, c) <= distance(a, b) + distance(b, c)


def translationengleiche_maximal_subgroups(space_group: int) -> set[int]:
    """Enumerate the subgroups of the point group, and let spglib name what they generate."""
    hall = next(h for h in range(1, 531) if spglib.get_spacegroup_type(h).number == space_group)
    operations = spglib.get_symmetry_from_database(hall)
    rotations, translations = operations["rotations"], operations["translations"]
    elements, element_of = np.unique(rotations, axis=0, return_inverse=True)
    position = {element.tobytes(): i for i, element in enumerate(elements)}
    table = [
        [position[(a @ b).astype(elements.dtype).tobytes()] for b in elements] for a in elements
    ]

    def closure(generators):
        group = set(generators)
        while new := {table[a][b] for a, b in product(group, repeat=2)} - group:
            group |= new
        return frozenset(group)

    subgroups = {closure([i]) for i in range(len(elements))}
    frontier = subgroups
    while frontier:
        frontier = {closure(s | {i}) for s in frontier for i in range(len(elements))} - subgroups
        subgroups = subgroups | frontier
    proper = [s for s in subgroups if len(s) < len(elements)]
    maximal = [s for s in proper if not any(s < other for other in proper)]
    chosen = [np.isin(element_of.ravel(), list(s)) for s in maximal]
    return {
        spglib.get_spacegroup_type_from_symmetry(rotations[c], translations[c]).number
        for c in chosen
    }


@pytest.mark.parametrize("space_group", [15, 62, 88, 136, 141, 148, 167, 176, 205, 216])
def test_table_holds_all_translationengleiche_subgroups(space_group):
    found = translationengleiche_maximal_subgroups(space_group)
    assert found
    assert found <= set(subgroup_graph().successors(space_group))
