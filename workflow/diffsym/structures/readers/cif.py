"""CIF files: every block with atoms becomes an entry, or is refused with a sentence."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice

from diffsym.structures.entries import (
    Entry,
    EntryError,
    Rejection,
    RejectionCode,
    index_mixtures,
)
from diffsym.structures.labels import drop_unlocated_hydrogen
from diffsym.structures.readers.blocks import Block, BrokenBlock, parse_blocks, to_number
from diffsym.structures.readers.opinion import check_agreement
from diffsym.structures.readers.sites import Sites, read_sites, without_repeats
from diffsym.structures.readers.statements import (
    COMPOSITE,
    SYMBOL_TAGS,
    Candidate,
    read_symmetry,
)
from diffsym.structures.readers.verdict import (
    DENSITY_TAG,
    UNITS_TAG,
    Statements,
    check_contents,
    decide,
    fits_formula,
)
from diffsym.structures.rounding import IMAGE_TOLERANCE
from diffsym.structures.sources.expansion import expand_asymmetric_unit

log = logging.getLogger(__name__)

CELL_TAGS = (
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
)
NAME_TAGS = ("_chemical_name_mineral", "_chemical_name_common", "_chemical_name_systematic")
YEAR_TAGS = ("_journal_year", "_citation_year")
DEUTERIUM_MASS = 2.014


def read_cif(content: bytes, identifier: str, citation: str) -> list[Entry | Rejection]:
    """Read all structures of a CIF.

    Parameters
    ----------
    content
        The file.
    identifier
        Of the file. A single structure has it as its own; of several, each has the name of its
        block behind it (`file.cif#block`).
    citation
        Reference of every entry.

    Returns
    -------
    list
        An entry or a rejection for every block that lists atoms or breaks the rules of CIF.

    Raises
    ------
    EntryError
        If no block can be read, or none lists atoms.
    """
    blocks = parse_blocks(content)
    chosen = [block for block in blocks if isinstance(block, BrokenBlock) or block.has_atoms()]
    if not chosen:
        raise EntryError(
            RejectionCode.NO_STRUCTURE,
            f"none of the {len(blocks)} blocks lists atoms; give them as _atom_site_fract_x, _y, _z"
            if blocks
            else "the file holds no data block; export it again",
        )
    names = [identifier] if len(chosen) == 1 else entry_names(identifier, chosen)
    for block in blocks:
        if isinstance(block, Block) and not block.has_atoms():
            log.info("%s: block '%s' lists no atoms and is passed over", identifier, block.name)
    return [
        read_or_refuse(block, name, identifier, citation)
        for name, block in zip(names, chosen, strict=True)
    ]


def entry_names(identifier: str, blocks: Sequence[Block | BrokenBlock]) -> list[str]:
    """Identifiers of several blocks; the place in the file tells blocks of one name apart."""
    counts = Counter(block.name for block in blocks)
    taken = set(counts)
    names = []
    for place, block in enumerate(blocks, start=1):
        name = block.name
        if not name or counts[name] > 1:
            name = f"{name}({place})"
            while name in taken:
                name += "'"
            taken.add(name)
        names.append(f"{identifier}#{name}")
    return names


def read_or_refuse(
    block: Block | BrokenBlock, entry_id: str, identifier: str, citation: str
) -> Entry | Rejection:
    """Read one block; whatever is wrong with it concerns no other."""
    where = f"{identifier}, block '{block.name}'"
    try:
        return read_block(block, entry_id, citation)
    except EntryError as error:
        return Rejection(entry_id, "read", error.code, f"{where}: {error.reason}")
    except Exception as error:  # noqa: BLE001  (one entry must not stop the others)
        return Rejection(
            entry_id,
            "read",
            RejectionCode.UNEXPECTED,
            f"{where}: reading failed with {type(error).__name__} ({one_line(error)}); "
            "please report it with the file",
        )


def one_line(error: Exception) -> str:
    """First line of an error's text."""
    return (str(error).strip().splitlines() or ["no text"])[0]


def read_block(block: Block | BrokenBlock, entry_id: str, citation: str) -> Entry:
    """Turn a block into an entry with all atoms of the cell.

    Raises
    ------
    EntryError
        If something is missing, cannot be read, or contradicts something else.
    """
    if isinstance(block, BrokenBlock):
        raise block.error
    if block.has_tag(*COMPOSITE):
        raise EntryError(
            RejectionCode.MODULATED,
            "the structure is a composite of several lattices, which this software does not treat",
        )
    cell = read_cell(block)
    lattice = np.array(Lattice.from_parameters(*cell).matrix)
    sites = read_sites(block)
    symmetry = read_symmetry(block, lattice)
    stated = read_statements(block, sites)
    readings = [
        assemble(sites, candidate, lattice, entry_id, citation) for candidate in symmetry.candidates
    ]
    chosen = decide(symmetry, [entry for entry, _ in readings], stated)
    candidate, (entry, kept) = symmetry.candidates[chosen], readings[chosen]
    check_contents(entry, stated, candidate, firm=symmetry.firm)
    check_agreement(
        cell,
        lattice,
        [sites.sites[index] for index in kept],
        sites.points[kept],
        candidate,
        entry.frac_coords,
        formula_fits=bool(stated.formula) and fits_formula(entry, stated.formula),
    )
    if sites.unlocated:
        log.info("%s: %d hydrogen atoms without coordinates left out", entry_id, sites.unlocated)
    return replace(
        entry,
        name=next((name for tag in NAME_TAGS for name in block.column(tag) if name), None),
        declared_symbol=block.first(*SYMBOL_TAGS),
        declared_space_group=candidate.number,
        expected_composition=stated.formula,
        expected_density=stated.density if stated.formula else None,
        year=read_year(block),
    )


def read_year(block: Block) -> int | None:
    """Year of publication, that of the first citation if there are several; None: not given."""
    years = (text for tag in YEAR_TAGS if tag not in block.repeated for text in block.column(tag))
    return next((int(year) for year in years if re.fullmatch(r"\d{4}", year)), None)


def read_cell(block: Block) -> tuple[float, ...]:
    """Lengths in A and angles in degrees."""
    values = []
    for tag in CELL_TAGS:
        text = block.first(tag)
        value = to_number(text) if text else None
        if value is None or value <= 0:
            what = f"is '{text}', which is no {tag[6:12].strip('_')}" if text else "is missing"
            raise EntryError(RejectionCode.CELL, f"{tag} {what}; give it in A or degrees")
        values.append(value)
    cosines = np.cos(np.radians(values[3:]))
    if max(values[3:]) >= 180 or 1 + 2 * cosines.prod() - (cosines**2).sum() <= 1e-6:
        raise EntryError(
            RejectionCode.CELL,
            f"no cell has the angles {', '.join(f'{angle:g}' for angle in values[3:])}; correct "
            "them",
        )
    return tuple(values)


def read_statements(block: Block, sites: Sites) -> Statements:
    """Formula, Z and density of a block; what cannot be read states nothing."""
    units, density = (
        to_number(text) if (text := block.first(tag)) else None for tag in (UNITS_TAG, DENSITY_TAG)
    )
    if density and sites.has_deuterium:
        density *= without_deuterium(sites)
    return Statements(sites.formula, units or None, density or None)


def without_deuterium(sites: Sites) -> float:
    """Factor by which the density falls if the deuterium of a structure becomes hydrogen."""
    heavy = light = 0.0
    for site in sites.sites:
        for number, occupancy in site.content():
            mass = float(Element.from_Z(number).atomic_mass)
            light += mass * occupancy
            heavy += (DEUTERIUM_MASS if site.species.deuterium else mass) * occupancy
    return light / heavy


def assemble(
    sites: Sites, candidate: Candidate, lattice: NDArray[np.float64], entry_id: str, citation: str
) -> tuple[Entry, NDArray[np.intp]]:
    """Apply the operations of one reading to the listed atoms.

    Returns
    -------
    tuple
        All atoms of the cell, and the indices of the listed atoms that were used.
    """
    kept = without_repeats(sites, candidate.operations, lattice)
    content = [
        (sites.points[index], atom) for index in kept for atom in sites.sites[index].content()
    ]
    frac_coords, mixtures = expand_asymmetric_unit(
        np.array([point for point, _ in content]),
        [atom for _, atom in content],
        candidate.operations,
        lattice,
        tolerance=IMAGE_TOLERANCE,
    )
    distinct, site_mixtures = index_mixtures([drop_unlocated_hydrogen(m) for m in mixtures])
    entry = Entry(entry_id, lattice, frac_coords, distinct, site_mixtures, reference=citation)
    return entry, kept
