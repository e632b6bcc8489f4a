"""Entries that describe the same structure of the same composition.

Two structures are the same if pymatgen's `StructureMatcher` says so. Only structures of equal
reduced formula and space group are compared, and among these only pairs that pass conditions
without which the matcher cannot find them equal.
"""

import re
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pymatgen.core import Element, Structure
from pymatgen.core.structure_matcher import StructureMatcher

from diffsym.settings import values_of
from diffsym.settings.duplicates import Duplicates
from diffsym.tables import DUPLICATES, STRUCTURES

Row = dict[str, Any]

COMPARED_COLUMNS = [
    "structure_id",
    "formula",
    "space_group",
    "lattice",
    "atomic_numbers",
    "frac_coords",
    "occupancies",
]

MEMBERS_TYPE = STRUCTURES.field("members").type

LENGTH_MARGIN = 1e-3
"""Relative slack for the rounding of reduced lattices, so that no true match is excluded."""

BLOCKS_PER_TASK = 8


@dataclass(frozen=True)
class Candidate:
    """A structure made ready for comparison.

    Attributes
    ----------
    structure_id
        Its identifier.
    structure
        Reduced as the matcher reduces (Niggli cell of the primitive cell).
    contents
        Species and number of each kind of site, sorted.
    scaled_lengths
        (3,) the successive minima of the lattice, scaled to a volume of 1.
    """

    structure_id: str
    structure: Structure
    contents: tuple[tuple[str, int], ...]
    scaled_lengths: NDArray[np.float64]


def remove_duplicates(
    structures: pa.Table, settings: Duplicates, *, processes: int = 1
) -> tuple[pa.Table, pa.Table]:
    """Keep one entry of each structure.

    Entries are taken in the order of their identifiers (numbers within them by value). Each joins
    the first kept structure that it equals, or is kept. So the kept entry is the one with the
    lowest identifier, and neither the order of rows nor the number of processes matters.

    Parameters
    ----------
    structures
        Table of the schema STRUCTURES.
    settings
        Tolerances of pymatgen's StructureMatcher.
    processes
        Number of processes.

    Returns
    -------
    tuple
        The unique structures with their `members`, and the table DUPLICATES; both sorted by
        `structure_id`.
    """
    matcher = StructureMatcher(**values_of(settings))
    structures = structures.sort_by("structure_id").combine_chunks()
    several = (structures.take(block) for block in make_blocks(structures) if len(block) > 1)
    blocks = (block.select(COMPARED_COLUMNS).to_pylist() for block in several)
    if processes == 1:
        groups = [group for block in blocks for group in group_block(matcher, block)]
    else:
        with ProcessPoolExecutor(processes) as pool:
            results = pool.map(partial(group_block, matcher), blocks, chunksize=BLOCKS_PER_TASK)
            groups = [group for result in results for group in result]
    members = {group[0]: sorted(group) for group in groups}
    representatives = {member: group[0] for group in groups for member in group[1:]}

    is_kept = [name not in representatives for name in structures["structure_id"].to_pylist()]
    unique = structures.filter(pa.array(is_kept, type=pa.bool_()))
    lists = [members.get(name, [name]) for name in unique["structure_id"].to_pylist()]
    column = STRUCTURES.get_field_index("members")
    unique = unique.set_column(column, STRUCTURES.field(column), pa.array(lists, MEMBERS_TYPE))
    duplicates = {
        "structure_id": sorted(representatives),
        "representative_id": [representatives[name] for name in sorted(representatives)],
    }
    return unique, pa.table(duplicates, schema=DUPLICATES)


def make_blocks(structures: pa.Table) -> list[list[int]]:
    """Row numbers of equal formula and space group, each block in the order of identifiers."""
    names = structures["structure_id"].to_pylist()
    formulae = structures["formula"].to_pylist()
    space_groups = structures["space_group"].to_pylist()
    blocks: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in sorted(range(len(names)), key=lambda row: natural_order(names[row])):
        blocks[formulae[row], space_groups[row]].append(row)
    return [blocks[key] for key in sorted(blocks)]


def natural_order(identifier: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which 'amcsd:9' comes before 'amcsd:10'."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", identifier)
        if part
    )


def group_block(matcher: StructureMatcher, block: list[Row]) -> list[list[str]]:
    """Group the structures of one block.

    The result is that of `StructureMatcher.group_structures` on the same list.

    Parameters
    ----------
    matcher
        Decides which structures are equal.
    block
        Rows in the order in which they are taken.

    Returns
    -------
    list
        Identifiers of each group, the kept one first.
    """
    groups: list[tuple[Candidate, list[str]]] = []
    for row in block:
        candidate = make_candidate(row)
        for reference, group in groups:
            if may_match(reference, candidate, matcher.ltol) and matcher.fit(
                reference.structure, candidate.structure, skip_structure_reduction=True
            ):
                group.append(candidate.structure_id)
                break
        else:
            groups.append((candidate, [candidate.structure_id]))
    return [group for _, group in groups]


def may_match(reference: Candidate, candidate: Candidate, ltol: float) -> bool:
    """Conditions without which the matcher cannot find two structures equal.

    Every site needs a partner of equal species. And the matcher looks for three independent
    lattice vectors of the reference that are as long as the basis of the candidate, to within a
    factor 1 + ltol, after both were scaled to one volume: then the successive minima of the
    reference cannot exceed the lengths of that basis by more.
    """
    longest = candidate.scaled_lengths * (1 + ltol) * (1 + LENGTH_MARGIN)
    return reference.contents == candidate.contents and bool(
        (reference.scaled_lengths <= longest).all()
    )


def make_candidate(row: Row) -> Candidate:
    """Build and reduce a structure, and derive what is compared first."""
    structure = build_structure(row)
    # The order of the matcher's own reduction, which can reduce further than spglib did.
    structure = structure.get_reduced_structure("niggli").get_primitive_structure()
    kinds = [site.species_string for site in structure]
    lengths = np.sort(structure.lattice.get_niggli_reduced_lattice().lengths)
    return Candidate(
        structure_id=row["structure_id"],
        structure=structure,
        contents=tuple((kind, kinds.count(kind)) for kind in sorted(set(kinds))),
        scaled_lengths=lengths / structure.volume ** (1 / 3),
    )


def build_structure(row: Row) -> Structure:
    """Primitive cell of a row of the structures table; species of one site are joined."""
    sites: dict[tuple[float, ...], dict[Element, float]] = {}
    positions = np.reshape(row["frac_coords"], (-1, 3)).tolist()
    for position, number, occupancy in zip(
        positions, row["atomic_numbers"], row["occupancies"], strict=True
    ):
        sites.setdefault(tuple(position), {})[Element.from_Z(number)] = occupancy
    return Structure(np.reshape(row["lattice"], (3, 3)), list(sites.values()), list(sites))
