"""The listed atoms of a CIF: positions, species and occupancies, and which are listed twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffsym.structures.entries import HYDROGEN, EntryError, RejectionCode
from diffsym.structures.operations import SymmetryOperations
from diffsym.structures.readers.blocks import SITE_TAGS, Block, to_number
from diffsym.structures.readers.species import (
    Species,
    read_species,
    species_of_type,
    stated_formula,
)
from diffsym.structures.rounding import IMAGE_TOLERANCE, restore_sixths

OCCUPANCY_TOLERANCE = 0.05
"""Sums of occupancies up to 1 + this are one full site."""

SAME_OCCUPANCY = 1e-3


@dataclass(frozen=True)
class Site:
    """One listed atom.

    Attributes
    ----------
    label, type_symbol
        As the file gives them; empty if it does not.
    species
        What they mean.
    occupancy
        Of the site, 0 ... 1.
    """

    label: str
    type_symbol: str
    species: Species
    occupancy: float

    def content(self) -> list[tuple[int, float]]:
        """Atomic number and occupancy of each element."""
        return [(number, share * self.occupancy) for number, share in self.species.parts]


@dataclass(frozen=True)
class Sites:
    """The atoms of a block.

    Attributes
    ----------
    sites
        Those that hold something and have a place.
    points
        (n, 3) their fractional coordinates, thirds and sixths exact.
    formula
        Stated amounts by atomic number; empty if there is no formula.
    has_deuterium
        Whether the sites or the formula name deuterium.
    unlocated
        Number of hydrogen atoms that are listed without coordinates.
    """

    sites: tuple[Site, ...]
    points: NDArray[np.float64]
    formula: dict[int, float]
    has_deuterium: bool
    unlocated: int


def read_sites(block: Block) -> Sites:
    """Read the atoms of a block.

    A site of occupancy zero, a vacancy, a dummy and a hydrogen atom without coordinates hold no
    place; any other atom without coordinates is an error.

    Raises
    ------
    EntryError
        If an atom, its place or its occupancy cannot be read.
    """
    columns = [block.column(tag) for tag in SITE_TAGS]
    count = len(columns[0])
    if not all(columns):
        raise EntryError(RejectionCode.COORDINATES, missing_coordinates(block, columns))
    labels, types, occupancies, flags = (
        block.column(f"_atom_site_{name}") or [""] * count
        for name in ("label", "type_symbol", "occupancy", "calc_flag")
    )
    if {len(values) for values in (labels, types, occupancies, flags, *columns)} != {count}:
        raise EntryError(
            RejectionCode.COORDINATES,
            "the columns of the atoms differ in length; give all of them in one loop",
        )
    formula, elements, deuterium = stated_elements(block, types)
    sites: list[Site] = []
    points: list[list[float]] = []
    unlocated = 0
    for row in zip(labels, types, occupancies, flags, *columns, strict=True):
        label, type_symbol, occupancy, flag, *texts = row
        if flag.lower().startswith("dum"):
            continue
        species = read_species(type_symbol, label, elements)
        filling = read_occupancy(occupancy, label)
        if not filling or not species.parts:
            continue
        if not all(texts) and {number for number, _ in species.parts} == {HYDROGEN}:
            unlocated += 1
            continue
        points.append(
            [read_coordinate(text, label, tag) for text, tag in zip(texts, SITE_TAGS, strict=True)]
        )
        sites.append(Site(label, type_symbol, species, filling))
    if not sites:
        raise EntryError(
            RejectionCode.NO_ATOMS,
            "no listed atom has an element, a place and an occupancy; complete the list of atoms",
        )
    return Sites(
        tuple(sites),
        restore_sixths(np.array(points)),
        formula,
        deuterium or any(site.species.deuterium for site in sites),
        unlocated,
    )


def stated_elements(
    block: Block, types: Sequence[str]
) -> tuple[dict[int, float], frozenset[int], bool]:
    """The formula, all elements that it and the list of atom types name, and deuterium."""
    listed: set[int] = set()
    for symbol in {*types, *block.column("_atom_type_symbol")} - {""}:
        try:
            species = species_of_type(symbol, frozenset())
        except EntryError:
            continue
        listed.update(number for number, _ in species.parts)
    formula, deuterium = stated_formula(block.first("_chemical_formula_sum"), frozenset(listed))
    named = set(formula)
    if block.column("_atom_type_symbol"):
        named |= listed
    return formula, frozenset(named), deuterium


def missing_coordinates(block: Block, columns: Sequence[Sequence[str]]) -> str:
    """Say which coordinates are missing."""
    missing = [tag for tag, column in zip(SITE_TAGS, columns, strict=True) if not column]
    if block.has_tag("_atom_site_cartn_x"):
        return f"only Cartesian coordinates are given; give {', '.join(missing)}"
    return f"{', '.join(missing)} is missing; give the fractional coordinates"


def read_occupancy(text: str, label: str) -> float:
    """Occupancy of a site; 1 where the file says nothing."""
    value = to_number(text) if text else 1.0
    if value is None or value < 0:
        raise EntryError(
            RejectionCode.OCCUPANCY,
            f"_atom_site_occupancy of '{label}' is '{text}', which is no occupancy; correct it",
        )
    return value if value >= SAME_OCCUPANCY / 2 else 0.0


def read_coordinate(text: str, label: str, tag: str) -> float:
    """A fractional coordinate."""
    value = to_number(text) if text else None
    if value is None:
        what = f"is '{text}', which is no number" if text else "is not given"
        raise EntryError(
            RejectionCode.COORDINATES, f"{tag} of '{label}' {what}; correct it or delete the atom"
        )
    return value


def without_repeats(
    sites: Sites, operations: SymmetryOperations, lattice: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Indices of the atoms that remain if those that the operations make again are left out.

    Files that list the whole cell beside the operations do so for every atom. An atom that is
    listed twice beside others that are not is left out if both could not fit on one site.

    Raises
    ------
    EntryError
        If two listed atoms are images of each other and may be the two halves of one site.
    """
    count = len(sites.sites)
    everything = np.arange(count)
    kinds: dict[tuple[tuple[int, float], ...], list[int]] = {}
    for index, site in enumerate(sites.sites):
        kind = tuple((number, round(share, 3)) for number, share in site.content())
        kinds.setdefault(kind, []).append(index)
    if len(operations.rotations) == 1 or len(kinds) == count:
        return everything
    first = everything.copy()
    multiplicities = np.ones(count)
    for members in kinds.values():
        mark_images(np.array(members), first, multiplicities, sites.points, operations, lattice)
    repeated = first != everything
    if not repeated.any():
        return everything
    listed = np.bincount(first, minlength=count)[first]
    fillings = np.array([sum(share for _, share in site.content()) for site in sites.sites])
    whole_cell = bool((listed == multiplicities).all())
    doubtful = repeated & (listed * fillings <= 1 + OCCUPANCY_TOLERANCE)
    if doubtful.any() and not whole_cell:
        index = int(doubtful.argmax())
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"the atoms '{sites.sites[first[index]].label}' and '{sites.sites[index].label}' are "
            "images of each other by the operations; list one of them with the full occupancy",
        )
    return np.flatnonzero(~repeated)


def mark_images(
    members: NDArray[np.intp],
    first: NDArray[np.intp],
    multiplicities: NDArray[np.float64],
    points: NDArray[np.float64],
    operations: SymmetryOperations,
    lattice: NDArray[np.float64],
) -> None:
    """Find which of some equal atoms are images of an earlier one, and how many images each has.

    Atoms at the same listed place are no images: they share the site.
    """
    for position, index in enumerate(members):
        if first[index] != index:
            continue
        images = operations.images(points[index])
        others = points[members[position:]]
        vectors = others[:, None] - images[None, :]
        vectors -= np.rint(vectors)
        near = np.linalg.norm(vectors @ lattice, axis=2).min(axis=1) < IMAGE_TOLERANCE
        here = others - points[index]
        here -= np.rint(here)
        apart = np.linalg.norm(here @ lattice, axis=1) > IMAGE_TOLERANCE
        found = members[position:][near & apart]
        first[found] = index
        multiplicities[[index, *found]] = count_images(images, lattice)


def count_images(images: NDArray[np.float64], lattice: NDArray[np.float64]) -> int:
    """Number of distinct places among the images of an atom."""
    vectors = images - images[0]
    vectors -= np.rint(vectors)
    at_first = np.linalg.norm(vectors @ lattice, axis=1) < IMAGE_TOLERANCE
    return round(len(images) / int(at_first.sum()))
