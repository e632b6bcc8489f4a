"""A shard of entries: read, checked, symmetry determined, standardised, put into a table."""

import math
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import spglib
from pymatgen.core import Composition, Element
from tqdm import tqdm

from diffsym.settings.checks import Checks
from diffsym.settings.sources.selection import Selection
from diffsym.settings.symmetry import Symmetry
from diffsym.sharding import shard_of
from diffsym.structures.checks import check_entry, mass_density
from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.selection import STAGE, check_selected, check_sites
from diffsym.structures.sources import Source
from diffsym.structures.space_groups import crystal_system
from diffsym.structures.standardise import (
    Cell,
    Scatterers,
    conventional_cell,
    list_scatterers,
    primitive_cell,
)
from diffsym.structures.structure_types import structure_type
from diffsym.structures.symmetry import find_symmetry, space_group_at
from diffsym.tables import REJECTED, STRUCTURES

SECONDS_BETWEEN_PROGRESS = 10.0
EVERYTHING = Selection()


def process_shard(
    source: Source,
    shard: int,
    n_shards: int,
    symmetry: Symmetry,
    checks: Checks,
    selection: Selection = EVERYTHING,
) -> tuple[pa.Table, pa.Table]:
    """Turn the entries of one shard into structures and rejections.

    Parameters
    ----------
    source
        Where the entries come from.
    shard, n_shards
        Which part of the source, see `diffsym.sharding.shard_of`.
    symmetry
        How the space group is determined.
    checks
        What an entry has to pass.
    selection
        Which entries are wanted; the others are rejections of the stage `select`.

    Returns
    -------
    tuple
        Tables of the schemas STRUCTURES and REJECTED, sorted by `structure_id`; together they
        have one row per entry of the shard. A file with several structures is several entries.
    """
    identifiers = [
        identifier
        for identifier in source.identifiers()
        if shard_of(f"{source.name}:{identifier}", n_shards) == shard
    ]
    structures, rejected = [], []
    names: list[str] = []
    progress = tqdm(
        source.read(identifiers),
        total=len(identifiers),
        desc=f"{source.name} {shard + 1}/{n_shards}",
        unit="entry",
        mininterval=SECONDS_BETWEEN_PROGRESS,
    )
    for item in progress:
        names.append(item.entry_id)
        result = (
            item
            if isinstance(item, Rejection)
            else process_entry(item, source, symmetry, checks, selection)
        )
        if isinstance(result, Rejection):
            rejected.append(rejection_row(source, result))
        else:
            structures.append(result)
    check_complete(source.name, identifiers, names)
    return to_table(structures, STRUCTURES), to_table(rejected, REJECTED)


def check_complete(source: str, identifiers: list[str], names: list[str]) -> None:
    """Every identifier became an entry, or several with a block's name behind '#', and each once.

    Raises
    ------
    AssertionError
        If not; a mistake of the source.
    """
    if names == identifiers:
        return
    wanted = set(identifiers)
    # A file's name may contain '#', too, and so may a block's.
    origins = [
        name if name in wanted else next((i for i in prefixes(name) if i in wanted), None)
        for name in names
    ]
    if len(set(names)) < len(names) or set(origins) != wanted:
        raise AssertionError(
            f"{source}: {len(identifiers)} entries became {len(names)} structures and rejections, "
            "which do not correspond to them"
        )


def prefixes(name: str) -> list[str]:
    """What stands in front of each '#' of a name, the longest first."""
    parts = name.split("#")
    return ["#".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def process_entry(
    entry: Entry, source: Source, settings: Symmetry, checks: Checks, selection: Selection
) -> dict[str, Any] | Rejection:
    """Turn an entry into a row of the table, or into the reason why there is none."""
    try:
        return describe_entry(entry, source, settings, checks, selection)
    except Exception as error:  # noqa: BLE001  (one entry must not stop the others)
        text = (str(error).strip().splitlines() or ["no text"])[0]
        return Rejection(
            entry.entry_id,
            "symmetry",
            RejectionCode.UNEXPECTED,
            f"{entry.entry_id}: {type(error).__name__} ({text}); please report it with the entry",
        )


def describe_entry(
    entry: Entry, source: Source, settings: Symmetry, checks: Checks, selection: Selection
) -> dict[str, Any] | Rejection:
    """Check one entry, determine its symmetry and describe it as a row of the table."""
    try:
        check_selected(entry, selection)
    except EntryError as error:
        return Rejection(entry.entry_id, STAGE, error.code, error.reason)
    try:
        check_entry(entry, checks)
    except EntryError as error:
        return Rejection(entry.entry_id, "check", error.code, error.reason)
    entry = fill_at_most_once(entry)
    symmetry = find_symmetry(entry, settings.symprec)
    if symmetry is None:
        return Rejection(
            entry.entry_id,
            "symmetry",
            RejectionCode.SYMMETRY,
            f"spglib finds no space group at a tolerance of {settings.symprec} A",
        )
    if selection.max_sites is not None:
        try:
            check_sites(len(primitive_cell(symmetry).frac_coords), selection.max_sites)
        except EntryError as error:
            return Rejection(entry.entry_id, STAGE, error.code, error.reason)
    by_tolerance = [
        space_group_at(entry, symmetry, settings.symprec, tolerance)
        for tolerance in settings.tolerances
    ]
    return structure_row(entry, source, symmetry, by_tolerance)


def fill_at_most_once(entry: Entry) -> Entry:
    """Scale the occupancies of sites that errors of refinement fill a little beyond 1."""
    mixtures = []
    for mixture in entry.mixtures:
        total = max(1.0, sum(occupancy for _, occupancy in mixture))
        mixtures.append(tuple((number, occupancy / total) for number, occupancy in mixture))
    return replace(entry, mixtures=tuple(mixtures))


def structure_row(
    entry: Entry,
    source: Source,
    symmetry: spglib.SpglibDataset,
    space_group_by_tolerance: list[int | None],
) -> dict[str, Any]:
    """Describe a structure as a row of the schema STRUCTURES."""
    conventional = conventional_cell(symmetry)
    primitive = primitive_cell(symmetry)
    scatterers = list_scatterers(primitive, entry.mixtures)
    conventional_scatterers = list_scatterers(conventional, entry.mixtures)
    amounts = sum_occupancies(scatterers)
    structure_id = f"{source.name}:{entry.entry_id}"
    return {
        "structure_id": structure_id,
        "source": source.name,
        "entry_id": entry.entry_id,
        "name": entry.name,
        "formula": reduced_formula(primitive, amounts),
        "lattice": primitive.lattice.ravel(),
        "atomic_numbers": scatterers.atomic_numbers,
        "frac_coords": scatterers.frac_coords.ravel(),
        "occupancies": scatterers.occupancies,
        "orbits": scatterers.orbits,
        "conventional_lattice": conventional.lattice.ravel(),
        "conventional_atomic_numbers": conventional_scatterers.atomic_numbers,
        "conventional_frac_coords": conventional_scatterers.frac_coords.ravel(),
        "conventional_occupancies": conventional_scatterers.occupancies,
        "declared_symbol": entry.declared_symbol,
        "declared_space_group": entry.declared_space_group,
        "space_group": symmetry.number,
        "hall_number": symmetry.hall_number,
        "space_group_by_tolerance": space_group_by_tolerance,
        "crystal_system": crystal_system(symmetry.number),
        "structure_type": structure_type(
            symmetry.number, list_orbits(primitive), len(conventional.frac_coords)
        ),
        "primitive_volume": primitive.volume,
        "number_density": sum(amounts.values()) / primitive.volume,
        "density": mass_density(amounts, primitive.volume),
        "members": [structure_id],
        "licence": source.licence,
        "reference": entry.reference,
    }


def sum_occupancies(scatterers: Scatterers) -> dict[int, float]:
    """Atoms per cell by atomic number."""
    totals = np.bincount(scatterers.atomic_numbers, weights=scatterers.occupancies)
    return {int(number): float(totals[number]) for number in np.flatnonzero(totals)}


def reduced_formula(primitive: Cell, amounts: dict[int, float]) -> str:
    """Formula of the smallest unit in which every kind of site occurs a whole number of times.

    Partial occupancies have no greatest common divisor, but the sites that they share do; so the
    formula does not depend on the cell that a publication chose.
    """
    units = math.gcd(*np.bincount(primitive.site_mixtures).tolist())
    return Composition(
        {Element.from_Z(z): round(amount / units, 4) for z, amount in amounts.items()}
    ).reduced_formula


def list_orbits(primitive: Cell) -> list[tuple[int, str, int]]:
    """Mixture, Wyckoff letter and number of sites of each orbit."""
    first, sizes = np.unique(primitive.site_orbits, return_counts=True)
    return [
        (int(primitive.site_mixtures[site]), str(primitive.site_letters[site]), int(size))
        for site, size in zip(first, sizes, strict=True)
    ]


def rejection_row(source: Source, rejection: Rejection) -> dict[str, str]:
    """Describe a rejection as a row of the schema REJECTED."""
    return {
        "structure_id": f"{source.name}:{rejection.entry_id}",
        "source": source.name,
        "entry_id": rejection.entry_id,
        "stage": rejection.stage,
        "code": rejection.code.value,
        "reason": rejection.reason,
    }


def to_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table sorted by `structure_id`."""
    return pa.Table.from_pylist(sorted(rows, key=itemgetter("structure_id")), schema=schema)
