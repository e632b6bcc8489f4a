"""Space groups as a graph: which group is a subgroup of which, and how far apart two are.

The edges are pymatgen's table of maximal subgroups (International Tables, volume A1). It names
the *types* of the maximal subgroups, translationengleiche and klassengleiche together, and gives
neither their index nor their settings. Its isomorphic subgroups (a group in an enlarged cell)
are listed for groups 1-194 only; they connect a group with itself and play no part here.
Because klassengleiche subgroups are included, two groups can each be a maximal subgroup of the
other (Pm-3m and Fm-3m, for example), so the directed graph has cycles.
"""

from dataclasses import dataclass
from functools import cache

import networkx as nx
from pymatgen.symmetry.groups import SYMM_DATA

FARTHEST_RELATION = 3
"""Pairs farther apart count as unrelated: two random groups are most often 3 steps apart."""


@dataclass(frozen=True)
class Relation:
    """How space group `b` is related to space group `a`.

    Attributes
    ----------
    kind
        "same", "maximal subgroup", "maximal supergroup", "maximal sub- and supergroup",
        "subgroup", "supergroup", "sub- and supergroup", "common subgroup", "common supergroup" or
        "unrelated".
    distance
        Number of maximal steps along that relation; for "unrelated" the shortest path of any kind.
    common
        Number of the common sub- or supergroup, for relations of that kind.
    """

    kind: str
    distance: int
    common: int | None = None


@cache
def subgroup_graph() -> nx.DiGraph:
    """Directed graph with an edge from each of the 230 groups to its maximal subgroups."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(1, 231))
    for group, subgroups in SYMM_DATA["maximal_subgroups"].items():
        graph.add_edges_from((int(group), subgroup) for subgroup in subgroups)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


@cache
def _steps_down() -> dict[int, dict[int, int]]:
    """Length of the shortest chain of maximal subgroups between groups: [top][bottom]."""
    return dict(nx.all_pairs_shortest_path_length(subgroup_graph()))


@cache
def _steps_any() -> dict[int, dict[int, int]]:
    """Length of the shortest path between groups, up and down in any order."""
    return dict(nx.all_pairs_shortest_path_length(subgroup_graph().to_undirected()))


def distance(a: int, b: int) -> int:
    """Shortest distance between two space groups in the undirected graph of maximal subgroups."""
    return _steps_any()[a][b]


@cache
def relation(a: int, b: int) -> Relation:
    """Describe space group `b` as seen from space group `a`.

    Direct relations (sub- and supergroups) take precedence over common relatives. The nearest
    common relative is named; at equal distance the supergroup, then the lowest number.

    Parameters
    ----------
    a, b
        Space-group numbers, 1 ... 230.
    """
    down = _steps_down()
    if a == b:
        return Relation("same", 0)
    below, above = down[a].get(b), down[b].get(a)
    lines = [
        (steps, kind)
        for steps, kind in ((below, "subgroup"), (above, "supergroup"))
        if steps is not None and steps <= FARTHEST_RELATION
    ]
    if lines:
        steps, kind = min(lines)
        if below == above:
            kind = "sub- and supergroup"
        return Relation(f"maximal {kind}" if steps == 1 else kind, steps)
    common = [
        (down[group][a] + down[group][b], "common supergroup", group)
        for group in sorted(down)
        if a in down[group] and b in down[group]
    ] + [
        (down[a][group] + down[b][group], "common subgroup", group)
        for group in sorted(set(down[a]) & set(down[b]))
    ]
    steps, kind, group = min(common, key=lambda entry: (entry[0], entry[1] != "common supergroup"))
    if steps <= FARTHEST_RELATION:
        return Relation(kind, steps, group)
    return Relation("unrelated", distance(a, b))
