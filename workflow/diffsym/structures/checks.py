"""Physical checks of an entry before anything is computed from it."""

import numpy as np
from pymatgen.core import Element
from pymatgen.optimization.neighbors import find_points_in_spheres
from scipy.constants import physical_constants

from diffsym.settings.checks import Checks
from diffsym.structures.entries import HYDROGEN, Entry, EntryError, RejectionCode

HEAVIEST = 98
"""Form factors are tabulated up to californium."""

LEAST_ATOMIC_VOLUME = 1.0
"""No atom takes less room than this (A^3), under any pressure reached in a laboratory."""

SAME_ATOM = 1e-6
"""Distance in A below which a site sees itself."""

DALTON_PER_CUBIC_ANGSTROM = physical_constants["atomic mass constant"][0] * 1e27
"""One dalton per cubic angstrom in g/cm^3 (kg/A^3 is 1e27 g/cm^3)."""


def check_entry(entry: Entry, checks: Checks) -> None:
    """Raise `EntryError` with a code at the first check that the entry fails.

    Refined occupancies carry errors, so a site may be filled a little beyond 1. Two sites whose
    occupancies add up to no more than 1 may lie close: they are alternatives.

    Parameters
    ----------
    entry
        Entry with all sites of the cell.
    checks
        How much is tolerated.
    """
    tolerance = checks.occupancy_tolerance
    check_cell(entry)
    check_elements(entry)
    check_occupancies(entry, tolerance)
    check_distances(entry, checks.min_distance, checks.min_distance_hydrogen, tolerance)
    if entry.expected_composition:
        check_composition(entry, checks.composition_tolerance)
    if entry.expected_density is not None:
        check_density(entry, checks.density_tolerance)


def check_cell(entry: Entry) -> None:
    """Numbers finite, cell of positive volume, at least one site."""
    if not (np.isfinite(entry.lattice).all() and np.isfinite(entry.frac_coords).all()):
        raise EntryError(RejectionCode.NOT_FINITE, "the cell or a coordinate is not finite")
    if not len(entry.frac_coords):
        raise EntryError(RejectionCode.NO_ATOMS, "the entry has no atoms")
    volume = cell_volume(entry)
    atoms = sum(entry.amounts().values())
    if volume < LEAST_ATOMIC_VOLUME * atoms:
        raise EntryError(
            RejectionCode.CELL_VOLUME, f"a cell of {volume:.3g} A^3 cannot hold {atoms:g} atoms"
        )


def check_elements(entry: Entry) -> None:
    """Elements for which form factors exist."""
    unknown = [number for number in entry.amounts() if not 1 <= number <= HEAVIEST]
    if unknown:
        raise EntryError(
            RejectionCode.UNKNOWN_ELEMENT,
            f"no form factors exist for the atomic number {unknown[0]}",
        )


def check_occupancies(entry: Entry, tolerance: float) -> None:
    """Occupancies positive, and no site filled beyond 1."""
    for mixture in entry.mixtures:
        occupancies = [occupancy for _, occupancy in mixture]
        if min(occupancies) <= 0 or sum(occupancies) > 1 + tolerance:
            content = " ".join(f"{Element.from_Z(z).symbol} {occ:g}" for z, occ in mixture)
            raise EntryError(RejectionCode.OCCUPANCY, f"a site is occupied by {content}")


def check_distances(
    entry: Entry, min_distance: float, min_distance_hydrogen: float, tolerance: float
) -> None:
    """Atoms that are present together keep their distance."""
    cartesian = np.ascontiguousarray(entry.frac_coords @ entry.lattice)
    first, second, _, distances = find_points_in_spheres(
        cartesian,
        cartesian,
        r=max(min_distance, min_distance_hydrogen),
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(entry.lattice),
        tol=1e-8,
    )
    filled = np.array([sum(occupancy for _, occupancy in mixture) for mixture in entry.mixtures])
    hydrogen = np.array([{z for z, _ in mixture} == {HYDROGEN} for mixture in entry.mixtures])
    one, other = entry.site_mixtures[first], entry.site_mixtures[second]
    least = np.where(hydrogen[one] | hydrogen[other], min_distance_hydrogen, min_distance)
    together = filled[one] + filled[other] > 1 + tolerance
    # A site and its own translate are two atoms; a site and itself (distance 0) are not.
    close = np.flatnonzero(
        together & (distances < least) & ~((first == second) & (distances < SAME_ATOM))
    )
    if len(close):
        worst = close[distances[close].argmin()]
        names = [
            "/".join(Element.from_Z(z).symbol for z, _ in entry.mixtures[index])
            for index in (one[worst], other[worst])
        ]
        raise EntryError(
            RejectionCode.DISTANCE,
            f"{names[0]} and {names[1]} are {distances[worst]:.3f} A apart",
        )


def check_composition(entry: Entry, tolerance: float) -> None:
    """Composition as in the stated formula; hydrogen need not have been located."""
    deviation = min(
        composition_deviation(amounts, entry.expected_composition)
        for amounts in possible_amounts(entry)
    )
    if deviation > tolerance:
        raise EntryError(
            RejectionCode.COMPOSITION,
            f"{deviation:.1%} of the atoms differ from the stated formula: "
            f"found {format_amounts(entry.amounts())}, "
            f"stated {format_amounts(entry.expected_composition)}",
        )


def check_density(entry: Entry, tolerance: float) -> None:
    """Mass over volume as the source states it."""
    volume = cell_volume(entry)
    found = [
        mass_density(with_stated_hydrogen(amounts, entry.expected_composition), volume)
        for amounts in possible_amounts(entry)
    ]
    stated = float(entry.expected_density or np.nan)
    if min(abs(density / stated - 1) for density in found) > tolerance:
        raise EntryError(
            RejectionCode.DENSITY,
            f"the density is {found[0]:.3f} g/cm^3, the source states {stated:.3f} g/cm^3",
        )


def possible_amounts(entry: Entry) -> list[dict[int, float]]:
    """Contents of the cell as read, and as the source may have counted them."""
    unmerged = [entry.amounts_unmerged] if entry.amounts_unmerged else []
    return [entry.amounts(), *unmerged]


def composition_deviation(found: dict[int, float], stated: dict[int, float]) -> float:
    """Share of atoms, hydrogen apart, that differ between two compositions (0 ... 1)."""
    elements = sorted((found.keys() | stated.keys()) - {HYDROGEN}) or [HYDROGEN]
    found_amounts = np.array([found.get(z, 0.0) for z in elements])
    stated_amounts = np.array([stated.get(z, 0.0) for z in elements])
    if not (found_amounts.sum() and stated_amounts.sum()):
        return 1.0
    difference = found_amounts / found_amounts.sum() - stated_amounts / stated_amounts.sum()
    return float(np.abs(difference).sum() / 2)


def with_stated_hydrogen(found: dict[int, float], stated: dict[int, float]) -> dict[int, float]:
    """Add the hydrogen that the formula states but nobody located."""
    heavy = sum(amount for z, amount in found.items() if z != HYDROGEN)
    stated_heavy = sum(amount for z, amount in stated.items() if z != HYDROGEN)
    if not (heavy and stated_heavy):
        return found
    hydrogen = stated.get(HYDROGEN, 0.0) * heavy / stated_heavy
    return found | {HYDROGEN: max(found.get(HYDROGEN, 0.0), hydrogen)}


def mass_density(amounts: dict[int, float], volume: float) -> float:
    """Density in g/cm^3 of atoms (amounts by atomic number) in a volume in A^3."""
    mass = sum(amount * float(Element.from_Z(z).atomic_mass) for z, amount in amounts.items())
    return mass / volume * DALTON_PER_CUBIC_ANGSTROM


def cell_volume(entry: Entry) -> float:
    """Volume of the cell in A^3."""
    return float(abs(np.linalg.det(entry.lattice)))


def format_amounts(amounts: dict[int, float]) -> str:
    """Write a composition for people, such as 'Fe2 O3'."""
    return " ".join(f"{Element.from_Z(z).symbol}{amount:g}" for z, amount in amounts.items())
