"""One structure of a provider of OPTIMADE, as its interface gives it.

Sites are all atoms of the cell, with Cartesian coordinates, each of a species that is defined
beside them. What a provider leaves open, and what its statements contradict, is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffsym.settings.sources.selection import SYMBOLS
from diffsym.structures.entries import Entry, EntryError, RejectionCode, index_mixtures
from diffsym.structures.operations import SymmetryOperations
from diffsym.structures.rounding import IMAGE_TOLERANCE
from diffsym.structures.sources.expansion import expand_asymmetric_unit

FIELDS = (
    *("nperiodic_dimensions", "dimension_types", "lattice_vectors", "structure_features"),
    *("cartesian_site_positions", "species", "species_at_sites", "nsites", "assemblies"),
    *("elements", "elements_ratios", "chemical_formula_reduced", "last_modified"),
)
"""What is read of a structure."""

LATER_FIELDS = (
    *("space_group_it_number", "space_group_symbol_hermann_mauguin", "site_coordinate_span"),
)
"""The same, in versions of OPTIMADE behind 1.0 only."""

CLEAR_FEATURES = ("disorder",)
"""Features of structures whose sites say all."""

VACANCY = "vacancy"
WHOLE_CELL = (None, "unit_cell", "molecular_unit_cell")
"""Spans of sites that are all atoms of a cell; versions before 1.3 know no others."""

SAME_RATIO = 0.01
"""Shares of an element up to which two statements agree; many are given with few digits."""

ROUNDING = 1e-4
"""A concentration may exceed 1 by this."""

LARGEST = 1e6
"""No cell and no place in it has so many A."""

LARGEST_ATOMIC_VOLUME = 1e4
"""No crystal gives an atom so much room (A^3); the widest frameworks give some hundred."""

FORMULA = re.compile(r"([A-Z][a-z]?)(\d*)")
IDENTITY = SymmetryOperations(np.eye(3)[None], np.zeros((1, 3)))


def read_structure(
    attributes: Mapping[str, Any],
    references: Sequence[Mapping[str, Any]],
    identifier: str,
    citation: str,
) -> Entry:
    """Turn a structure of a provider into an entry.

    Sites closer than 0.05 A share a place, as in other sources.

    Parameters
    ----------
    attributes
        Of the structure.
    references
        Attributes of the publications that the provider names.
    identifier
        Of the entry.
    citation
        Its reference if no publication is named.

    Raises
    ------
    EntryError
        If the structure is no crystal, incomplete, or contradicts itself.
    """
    check_periodic(attributes)
    check_complete(attributes)
    lattice = read_vectors(attributes, "lattice_vectors", RejectionCode.CELL)
    if len(lattice) != 3 or not abs(np.linalg.det(lattice)) > 0:
        raise EntryError(
            RejectionCode.CELL, "lattice_vectors are not three vectors that span a cell"
        )
    positions = read_vectors(attributes, "cartesian_site_positions", RejectionCode.COORDINATES)
    contents = read_contents(attributes, len(positions))
    volume = abs(np.linalg.det(lattice))
    if volume > LARGEST_ATOMIC_VOLUME * max(len(positions), 1):
        raise EntryError(
            RejectionCode.CELL_VOLUME,
            f"a cell of {volume:.3g} A^3 is too large for {len(positions)} sites",
        )
    occupants = [
        (point, occupant)
        for point, content in zip(positions @ np.linalg.inv(lattice), contents, strict=True)
        for occupant in content
    ]
    frac_coords, sites = expand_asymmetric_unit(
        np.array([point for point, _ in occupants]).reshape(-1, 3),
        [occupant for _, occupant in occupants],
        IDENTITY,
        lattice,
        tolerance=IMAGE_TOLERANCE,
    )
    mixtures, site_mixtures = index_mixtures(sites)
    number: Any = attributes.get("space_group_it_number")
    symbol = attributes.get("space_group_symbol_hermann_mauguin")
    return Entry(
        entry_id=identifier,
        lattice=lattice,
        frac_coords=frac_coords,
        mixtures=mixtures,
        site_mixtures=site_mixtures,
        declared_symbol=symbol if isinstance(symbol, str) else None,
        declared_space_group=number if is_whole(number) and 1 <= number <= 230 else None,
        expected_composition=stated_composition(attributes, contents),
        reference="; ".join(filter(None, map(publication, references))) or citation,
        year=next(filter(None, map(year_of, references)), None),
    )


# --- what the structure says of itself ----------------------------------------------------------


def check_periodic(attributes: Mapping[str, Any]) -> None:
    """A crystal, periodic in three directions."""
    count, types = attributes.get("nperiodic_dimensions"), attributes.get("dimension_types")
    if count is None and types is None:
        raise EntryError(
            RejectionCode.NOT_PERIODIC,
            "neither nperiodic_dimensions nor dimension_types says that it is a crystal",
        )
    if count not in (None, 3) or types not in (None, [1, 1, 1]):
        raise EntryError(
            RejectionCode.NOT_PERIODIC,
            f"it is no crystal: nperiodic_dimensions is {count} and dimension_types {types}",
        )


def check_complete(attributes: Mapping[str, Any]) -> None:
    """All atoms have their places, and no statement beside the sites changes them."""
    features = attributes.get("structure_features")
    if not isinstance(features, list):
        raise EntryError(
            RejectionCode.UNREADABLE,
            "structure_features is no list, so nobody knows whether atoms are missing",
        )
    unclear = [str(feature) for feature in features if feature not in CLEAR_FEATURES]
    if attributes.get("assemblies"):
        unclear = sorted({*unclear, "assemblies"})
    if unclear:
        raise EntryError(
            RejectionCode.INCOMPLETE,
            f"it has {', '.join(unclear)}, so that its sites alone do not say where the atoms are",
        )
    span = attributes.get("site_coordinate_span")
    if span not in WHOLE_CELL:
        raise EntryError(
            RejectionCode.INCOMPLETE, f"its sites are not those of a cell but of '{span}'"
        )


def read_vectors(
    attributes: Mapping[str, Any], key: str, code: RejectionCode
) -> NDArray[np.float64]:
    """Vectors (n, 3) in A."""
    rows = attributes.get(key)
    if rows is None:
        raise EntryError(code, f"{key} is null")
    fits = isinstance(rows, list) and all(
        isinstance(row, list) and len(row) == 3 and all(map(is_number, row)) for row in rows
    )
    if not fits:
        raise EntryError(code, f"{key} is no list of vectors of three numbers")
    vectors = np.array(rows, dtype=np.float64).reshape(-1, 3)
    if not (np.abs(vectors) < LARGEST).all():
        raise EntryError(
            RejectionCode.NOT_FINITE, f"{key} holds a number that is not finite, or no length"
        )
    return vectors


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number that a double holds."""
    return isinstance(value, float) or (is_whole(value) and abs(value) < 2**63)


def is_whole(value: Any) -> bool:
    """Whether a value of JSON is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


# --- species ------------------------------------------------------------------------------------


def read_contents(attributes: Mapping[str, Any], count: int) -> list[list[tuple[int, float]]]:
    """Atomic numbers and occupancies on each site."""
    names, stated = attributes.get("species_at_sites"), attributes.get("nsites")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise EntryError(RejectionCode.NO_ELEMENTS, "species_at_sites is no list of names")
    if len(names) != count or stated not in (None, count):
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"there are {count} positions, {len(names)} species_at_sites, and nsites is {stated}",
        )
    species = defined_species(attributes.get("species"))
    undefined = [name for name in names if name not in species]
    if undefined:
        raise EntryError(
            RejectionCode.CONTRADICTION, f"a site is of the species '{undefined[0]}', undefined"
        )
    known = {name: read_species(name, species[name]) for name in dict.fromkeys(names)}
    return [known[name] for name in names]


def defined_species(listed: Any) -> dict[str, Mapping[str, Any]]:
    """Species by their names."""
    if not isinstance(listed, list) or not all(isinstance(kind, dict) for kind in listed):
        raise EntryError(RejectionCode.NO_ELEMENTS, "species is no list of definitions")
    species = {str(kind.get("name")): kind for kind in listed}
    if len(species) < len(listed):
        raise EntryError(RejectionCode.CONTRADICTION, "two species have the same name")
    return species


def read_species(name: str, species: Mapping[str, Any]) -> list[tuple[int, float]]:
    """Atomic numbers and occupancies of a species; vacancies hold nothing."""
    symbols, shares = species.get("chemical_symbols"), species.get("concentration")
    if not (isinstance(symbols, list) and isinstance(shares, list)) or not symbols:
        raise EntryError(
            RejectionCode.MIXTURE,
            f"the species '{name}' lacks its chemical_symbols or their concentration",
        )
    if len(symbols) != len(shares):
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"the species '{name}' has {len(symbols)} chemical_symbols and {len(shares)} values "
            "of concentration",
        )
    if not all(is_number(share) and 0 <= share <= 1 + ROUNDING for share in shares):
        raise EntryError(
            RejectionCode.OCCUPANCY,
            f"a concentration of the species '{name}' is not between 0 and 1: {shares}",
        )
    if species.get("attached"):
        raise EntryError(
            RejectionCode.INCOMPLETE,
            f"atoms without places are attached to the species '{name}' (site_attachments)",
        )
    unknown = [symbol for symbol in symbols if symbol not in (*SYMBOLS, VACANCY)]
    if unknown:
        raise EntryError(
            RejectionCode.UNKNOWN_ELEMENT,
            f"'{unknown[0]}' of the species '{name}' is no element with a form factor",
        )
    return [
        (SYMBOLS.index(symbol) + 1, float(share))
        for symbol, share in zip(symbols, shares, strict=True)
        if symbol != VACANCY
    ]


# --- composition --------------------------------------------------------------------------------


def stated_composition(
    attributes: Mapping[str, Any], contents: Sequence[Sequence[tuple[int, float]]]
) -> dict[int, float]:
    """The composition that the provider states, as ratios; empty if it states none.

    Raises
    ------
    EntryError
        If the sites have other elements, or other ratios. A formula of whole numbers fits only
        ordered sites, so that of others is left to the check of the composition.
    """
    found: dict[int, float] = {}
    for number, occupancy in (part for content in contents for part in content if part[1] > 0):
        found[number] = found.get(number, 0.0) + occupancy
    formula = read_formula(attributes.get("chemical_formula_reduced"))
    ratios = read_ratios(attributes.get("elements"), attributes.get("elements_ratios"))
    ordered = all(occupancy == 1 for content in contents for _, occupancy in content)
    for key, stated, comparable in (
        ("chemical_formula_reduced", formula, ordered),
        ("elements_ratios", ratios, True),
    ):
        if stated and (found.keys() != stated.keys() or (comparable and differ(found, stated))):
            raise EntryError(
                RejectionCode.CONTRADICTION,
                f"the sites hold {write_ratios(found)}, {key} states {write_ratios(stated)}",
            )
    return ratios or formula


def read_formula(formula: Any) -> dict[int, float]:
    """Amounts by atomic number of a reduced formula; empty if there is none."""
    if formula is None:
        return {}
    parts = FORMULA.findall(formula) if isinstance(formula, str) else []
    if not parts or "".join(map("".join, parts)) != formula:
        raise EntryError(
            RejectionCode.UNREADABLE, f"chemical_formula_reduced is no formula: '{formula}'"
        )
    return by_number([symbol for symbol, _ in parts], [float(count or 1) for _, count in parts])


def read_ratios(elements: Any, ratios: Any) -> dict[int, float]:
    """Ratios by atomic number; empty if they are not stated."""
    if elements is None or ratios is None:
        return {}
    fits = isinstance(elements, list) and isinstance(ratios, list) and len(elements) == len(ratios)
    if not fits or not all(map(is_number, ratios)):
        raise EntryError(
            RejectionCode.CONTRADICTION, "elements and elements_ratios do not correspond"
        )
    if not np.isfinite(ratios).all():
        raise EntryError(
            RejectionCode.NOT_FINITE, "elements_ratios holds a number that is not finite"
        )
    return by_number(elements, ratios)


def by_number(symbols: Sequence[Any], amounts: Sequence[float]) -> dict[int, float]:
    """Amounts by atomic number, which are all positive."""
    for symbol in symbols:
        if symbol not in SYMBOLS:
            raise EntryError(
                RejectionCode.UNKNOWN_ELEMENT,
                f"'{symbol}' of the stated composition is no element with a form factor",
            )
    pairs = zip(symbols, amounts, strict=True)
    return {SYMBOLS.index(symbol) + 1: float(amount) for symbol, amount in pairs if amount > 0}


def differ(found: Mapping[int, float], stated: Mapping[int, float]) -> bool:
    """Whether the share of an element differs between two compositions of the same elements."""
    all_found, all_stated = sum(found.values()), sum(stated.values())
    return any(
        abs(found[number] / all_found - stated[number] / all_stated) > SAME_RATIO
        for number in found
    )


def write_ratios(amounts: Mapping[int, float]) -> str:
    """Write the shares of a composition for people, such as 'O 0.667, Si 0.333'."""
    total = sum(amounts.values())
    shares = (f"{SYMBOLS[z - 1]} {amount / total:.3g}" for z, amount in sorted(amounts.items()))
    return ", ".join(shares) or "nothing"


# --- publications -------------------------------------------------------------------------------


def publication(reference: Mapping[str, Any]) -> str:
    """A publication in one line; empty if the provider gives nothing of it."""
    authors = reference.get("authors")
    names = [
        str(author["name"])
        for author in (authors if isinstance(authors, list) else [])
        if isinstance(author, dict) and author.get("name")
    ]
    year, doi = reference.get("year"), reference.get("doi")
    where = " ".join(
        str(reference[key]) for key in ("journal", "volume", "pages") if reference.get(key)
    )
    parts = [
        ", ".join(names),
        f"({year})" if year else "",
        str(reference.get("title") or ""),
        where,
        f"doi:{doi}" if doi else "",
    ]
    return " ".join(". ".join(part for part in parts if part).replace(". (", " (").split())


def year_of(reference: Mapping[str, Any]) -> int | None:
    """When a publication appeared, if the provider says so."""
    year = str(reference.get("year"))
    return int(year) if re.fullmatch(r"[12]\d{3}", year) else None
