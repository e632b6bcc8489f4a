"""CIF files: every block with atoms becomes an entry, or is refused with a sentence."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice

from diffsym.settings.checks import Checks
from diffsym.structures.checks import (
    cell_volume,
    check_distances,
    check_occupancies,
    composition_deviation,
    mass_density,
    with_stated_hydrogen,
)
from diffsym.structures.entries import (
    HYDROGEN,
    Entry,
    EntryError,
    Rejection,
    RejectionCode,
    index_mixtures,
)
from diffsym.structures.labels import drop_unlocated_hydrogen
from diffsym.structures.readers.blocks import Block, parse_blocks, to_number
from diffsym.structures.readers.opinion import check_agreement
from diffsym.structures.readers.sites import Sites, read_sites, without_repeats
from diffsym.structures.readers.statements import (
    COMPOSITE,
    SYMBOL_TAGS,
    Candidate,
    Symmetry,
    describe,
    read_symmetry,
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
UNITS_TAG = "_cell_formula_units_z"
DENSITY_TAG = "_exptl_crystal_density_diffrn"

PLAUSIBLE = Checks()
"""What a reading has to pass to be possible, where several are."""

SAME_CONTENT = 0.05
"""Relative deviation up to which contents and densities are equal."""

DEUTERIUM_MASS = 2.014


@dataclass(frozen=True)
class Statements:
    """What a block says about the contents of its cell.

    Attributes
    ----------
    formula
        Amounts by atomic number; empty if there is no formula.
    units
        Formula units per cell (Z), if stated.
    density
        In g/cm^3, as if deuterium were hydrogen; if stated.
    """

    formula: dict[int, float]
    units: float | None
    density: float | None


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
        An entry or a rejection for every block that lists atoms.

    Raises
    ------
    EntryError
        If the file breaks the rules of CIF, or no block lists atoms.
    """
    blocks = parse_blocks(content)
    chosen = [block for block in blocks if block.has_atoms()]
    if not chosen:
        raise EntryError(
            RejectionCode.NO_STRUCTURE,
            f"none of the {len(blocks)} blocks lists atoms; give them as _atom_site_fract_x, _y, "
            "_z" if blocks else "the file holds no data block; export it again",
        )
    names = [identifier] if len(chosen) == 1 else entry_names(identifier, chosen)
    for block in blocks:
        if not block.has_atoms():
            log.info("%s: block '%s' lists no atoms and is passed over", identifier, block.name)
    return [
        read_or_refuse(block, name, identifier, citation)
        for name, block in zip(names, chosen, strict=True)
    ]


def entry_names(identifier: str, blocks: Sequence[Block]) -> list[str]:
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
    block: Block, entry_id: str, identifier: str, citation: str
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


def read_block(block: Block, entry_id: str, citation: str) -> Entry:
    """Turn a block into an entry with all atoms of the cell.

    Raises
    ------
    EntryError
        If something is missing, cannot be read, or contradicts something else.
    """
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
    entries = [
        assemble(sites, candidate, lattice, entry_id, citation)
        for candidate in symmetry.candidates
    ]
    chosen = decide(symmetry, entries, stated)
    entry, candidate = entries[chosen], symmetry.candidates[chosen]
    check_contents(entry, stated, candidate, firm=symmetry.firm)
    kept = without_repeats(sites, candidate.operations, lattice)
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
    return Entry(
        entry_id=entry_id,
        lattice=lattice,
        frac_coords=entry.frac_coords,
        mixtures=entry.mixtures,
        site_mixtures=entry.site_mixtures,
        name=block.first(*NAME_TAGS),
        declared_symbol=block.first(*SYMBOL_TAGS),
        declared_space_group=candidate.number,
        expected_composition=stated.formula,
        expected_density=stated.density if stated.formula else None,
        reference=citation,
    )


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
) -> Entry:
    """Apply the operations of one reading to the listed atoms."""
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
    return Entry(entry_id, lattice, frac_coords, distinct, site_mixtures, reference=citation)


# --- verdict ------------------------------------------------------------------------------------


def decide(symmetry: Symmetry, entries: Sequence[Entry], stated: Statements) -> int:
    """Index of the reading that the block's statements leave, if they leave one.

    Several readings that put the same atoms at the same places are one. Where statements
    contradict each other, only what the block says about its contents can decide; where a symbol
    leaves settings open, the distances can, too.

    Raises
    ------
    EntryError
        If none or several are left.
    """
    if len(entries) == 1 and symmetry.contradiction is None:
        return 0
    objections = [objection(entry, stated) for entry in entries]
    left = [index for index, problem in enumerate(objections) if problem is None]
    if left and all(same_structure(entries[left[0]], entries[index]) for index in left[1:]):
        everything = all(same_structure(entries[left[0]], entry) for entry in entries)
        if symmetry.contradiction is None or everything or counts_atoms(stated):
            return left[0]
    names = dict.fromkeys(symmetry.candidates[index].name for index in left)
    if symmetry.contradiction is not None:
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"{symmetry.contradiction}, and {undecided(objections, stated)}; correct one of them",
        )
    origin = symmetry.candidates[0].origin
    if not left:
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"{origin} leaves no setting that the atoms allow ({objections[0]}); list the "
            "operations as _space_group_symop_operation_xyz",
        )
    raise EntryError(
        RejectionCode.AMBIGUOUS_SYMMETRY,
        f"{origin} leaves {len(names)} settings open ({', '.join(list(names)[:6])}) and the atoms "
        "fit all of them; list the operations as _space_group_symop_operation_xyz",
    )


def undecided(objections: Sequence[str | None], stated: Statements) -> str:
    """Say why the statements about the contents decide nothing."""
    problem = next((objection for objection in objections if objection), None)
    if all(objections) and problem:
        return f"neither fits the atoms ({problem})"
    if not counts_atoms(stated):
        return f"neither {UNITS_TAG[:-1]}Z with a formula nor {DENSITY_TAG} decides between them"
    return "the contents of the cell fit both"


def counts_atoms(stated: Statements) -> bool:
    """Whether the block says how many atoms the cell holds."""
    return bool(stated.density or (stated.units and stated.formula))


def objection(entry: Entry, stated: Statements) -> str | None:
    """What speaks against a reading, in words; None if nothing does."""
    try:
        check_occupancies(entry, PLAUSIBLE.occupancy_tolerance)
        check_distances(
            entry,
            PLAUSIBLE.min_distance,
            PLAUSIBLE.min_distance_hydrogen,
            PLAUSIBLE.occupancy_tolerance,
        )
    except EntryError as error:
        return error.reason
    if stated.formula and not fits_formula(entry, stated.formula):
        return "the atoms do not add up to the formula"
    units, density = content_ratio(entry, stated), density_ratio(entry, stated)
    if density is not None and abs(density - 1) > density_tolerance(stated):
        return f"the density would be {density:.2f} times the stated one"
    if density is None and units is not None and abs(units - 1) > SAME_CONTENT:
        return f"the cell would hold {units:.2f} times the stated formula units"
    return None


def check_contents(entry: Entry, stated: Statements, candidate: Candidate, *, firm: bool) -> None:
    """Compare the number of atoms with Z and the density.

    Raises
    ------
    EntryError
        If they contradict a reading of the symmetry that a single statement supports.
    """
    units, density = content_ratio(entry, stated), density_ratio(entry, stated)
    wrong_density = density is not None and abs(density - 1) > density_tolerance(stated)
    wrong_units = units is not None and abs(units - 1) > SAME_CONTENT
    if firm or not (wrong_units or wrong_density) or (density is not None and not wrong_density):
        return
    what = (
        f"the density would be {density:.2f} times {DENSITY_TAG}"
        if wrong_density
        else f"the cell would hold {units:.2f} times the atoms of {UNITS_TAG[:-1]}Z formulae"
    )
    raise EntryError(
        RejectionCode.CONTRADICTION, f"{describe(candidate)}, but {what}; correct one of them"
    )


def fits_formula(entry: Entry, formula: dict[int, float]) -> bool:
    """Whether the composition, hydrogen apart, is that of the formula."""
    return composition_deviation(entry.amounts(), formula) <= PLAUSIBLE.composition_tolerance


def content_ratio(entry: Entry, stated: Statements) -> float | None:
    """Atoms found over atoms stated (Z times the formula), hydrogen apart; None if not stated."""
    if not (stated.units and stated.formula):
        return None
    counted = set(stated.formula) - {HYDROGEN} or {HYDROGEN}
    expected = stated.units * sum(stated.formula[number] for number in counted)
    amounts = entry.amounts()
    return sum(amounts.get(number, 0.0) for number in counted) / expected if expected else None


def density_ratio(entry: Entry, stated: Statements) -> float | None:
    """Density found over density stated, unlocated hydrogen included; None if not stated."""
    if not stated.density:
        return None
    amounts = with_stated_hydrogen(entry.amounts(), stated.formula)
    return mass_density(amounts, cell_volume(entry)) / stated.density


def density_tolerance(stated: Statements) -> float:
    """Without a formula nobody knows the hydrogen that the density counts."""
    return SAME_CONTENT if stated.formula else 0.3


def same_structure(one: Entry, other: Entry) -> bool:
    """Whether two readings put the same atoms at the same places of one cell."""
    if one is other:
        return True
    if len(one.frac_coords) != len(other.frac_coords) or one.mixtures != other.mixtures:
        return False
    vectors = one.frac_coords[:, None] - other.frac_coords[None, :]
    vectors -= np.rint(vectors)
    distances = np.linalg.norm(vectors @ one.lattice, axis=2)
    distances[one.site_mixtures[:, None] != other.site_mixtures[None, :]] = np.inf
    return bool((distances.min(axis=1) < IMAGE_TOLERANCE).all())
