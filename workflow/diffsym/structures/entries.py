"""What a source returns: an entry, or the reason why there is none."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Mixture = tuple[tuple[int, float], ...]
"""What occupies a site: (atomic number, occupancy) of each species, sorted by atomic number."""

OCCUPANCY_DECIMALS = 4
"""Occupancies are compared after rounding to this many decimals, finer than any measurement."""

HYDROGEN = 1
"""Its atomic number; hydrogen is often not located."""


class RejectionCode(StrEnum):
    """Why an entry did not become a structure."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    UNEXPECTED = "unexpected"
    NO_STRUCTURE = "no_structure"
    NOT_PERIODIC = "not_periodic"
    INCOMPLETE = "incomplete"
    NO_SYMMETRY = "no_symmetry"
    AMBIGUOUS_SYMMETRY = "ambiguous_symmetry"
    OPERATIONS = "operations"
    CONTRADICTION = "contradiction"
    READERS_DISAGREE = "readers_disagree"
    MODULATED = "modulated"
    CELL = "cell"
    COORDINATES = "coordinates"
    NO_ELEMENTS = "no_elements"
    UNKNOWN_LABEL = "unknown_label"
    MIXTURE = "mixture"
    UNKNOWN_ELEMENT = "unknown_element"
    NO_ATOMS = "no_atoms"
    NOT_FINITE = "not_finite"
    CELL_VOLUME = "cell_volume"
    OCCUPANCY = "occupancy"
    DISTANCE = "distance"
    COMPOSITION = "composition"
    DENSITY = "density"
    SYMMETRY = "symmetry"
    # Left out by the filters of the source.
    ELEMENTS = "elements"
    CARBON_WITH_HYDROGEN = "carbon_with_hydrogen"
    DISORDERED = "disordered"
    SITES = "sites"
    YEAR = "year"


@dataclass(frozen=True)
class Rejection:
    """A rejected entry: which, where, and why, as a code and as a sentence."""

    entry_id: str
    stage: str
    code: RejectionCode
    reason: str


class EntryError(Exception):
    """Raised inside a stage to reject the entry at hand."""

    def __init__(self, code: RejectionCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Entry:
    """One crystal structure as its source gives it, with all atoms of the cell listed.

    Attributes
    ----------
    entry_id
        Identifier within the source.
    lattice
        (3, 3) row vectors in A.
    frac_coords
        (n, 3) fractional coordinates of the sites, one site per position.
    mixtures
        The distinct occupations found in this entry.
    site_mixtures
        (n,) index into `mixtures` of each site.
    name
        Mineral or compound name, if known.
    declared_symbol, declared_space_group
        Space group as the source gives it: Hermann-Mauguin symbol and number, if known.
    expected_composition
        Amounts by atomic number of the formula that the source states, if it does. Hydrogen is
        often in the formula and not in the coordinates.
    expected_density
        Density that the source states, in g/cm^3, if it does.
    amounts_unmerged
        Atoms per cell by atomic number if near-coincident images are counted as separate atoms, as
        the source's own formula and density may do; empty if that makes no difference.
    reference
        Publication.
    year
        When it appeared, if known.
    """

    entry_id: str
    lattice: NDArray[np.float64]
    frac_coords: NDArray[np.float64]
    mixtures: tuple[Mixture, ...]
    site_mixtures: NDArray[np.intp]
    name: str | None = None
    declared_symbol: str | None = None
    declared_space_group: int | None = None
    expected_composition: dict[int, float] = field(default_factory=dict)
    expected_density: float | None = None
    amounts_unmerged: dict[int, float] = field(default_factory=dict)
    reference: str = ""
    year: int | None = None

    def amounts(self) -> dict[int, float]:
        """Atoms per cell by atomic number, weighted by occupancy, sorted by atomic number."""
        amounts: dict[int, float] = {}
        for index, count in enumerate(np.bincount(self.site_mixtures)):
            for number, occupancy in self.mixtures[index]:
                amounts[number] = amounts.get(number, 0.0) + occupancy * int(count)
        return dict(sorted(amounts.items()))


def index_mixtures(sites: list[Mixture]) -> tuple[tuple[Mixture, ...], NDArray[np.intp]]:
    """Number the distinct mixtures of a list of sites in sorted order.

    Returns
    -------
    tuple
        The distinct mixtures, and for each site the index of its own among them.
    """
    distinct = tuple(sorted(set(sites)))
    order = {mixture: index for index, mixture in enumerate(distinct)}
    return distinct, np.array([order[mixture] for mixture in sites], dtype=np.intp)
