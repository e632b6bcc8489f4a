"""The verdict: which reading of a block its own statements leave.

The operations, the Hall symbol, the Hermann-Mauguin symbol with its setting, Z, the formula, the
density and the number of the space group are trusted in this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from pymatgen.optimization.neighbors import find_points_in_spheres
from scipy.spatial import cKDTree

from diffsym.settings.checks import Checks
from diffsym.structures.checks import (
    cell_volume,
    check_distances,
    check_occupancies,
    composition_deviation,
    mass_density,
    with_stated_hydrogen,
)
from diffsym.structures.entries import HYDROGEN, Entry, EntryError, RejectionCode
from diffsym.structures.operations import wrap
from diffsym.structures.readers.statements import Candidate, Symmetry, describe
from diffsym.structures.rounding import IMAGE_TOLERANCE

UNITS_TAG = "_cell_formula_units_z"
DENSITY_TAG = "_exptl_crystal_density_diffrn"

PLAUSIBLE = Checks()
"""What a reading has to pass to be possible, where several are."""

SAME_CONTENT = 0.05
"""Relative deviation up to which contents and densities are equal."""

UNKNOWN_HYDROGEN = 0.3
"""By how much a density found may fall short without a formula: hydrogen may be missing."""

OVERLAP = 0.7
"""Atoms closer than this share of the sum of their covalent radii overlap."""


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
    objections = [content_objection(entry, stated) for entry in entries]
    left = [index for index, problem in enumerate(objections) if problem is None]
    if symmetry.contradiction is not None:
        alike = all(same_structure(entries[0], entry) for entry in entries)
        if alike or (counts_atoms(stated) and is_one_structure(entries, left)):
            return 0 if alike else left[0]
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"{symmetry.contradiction}, and {undecided(objections, stated)}; correct one of them",
        )
    if is_one_structure(entries, left):
        return left[0]
    apart = [index for index in left if distance_objection(entries[index]) is None]
    if is_one_structure(entries, apart) and is_convincing(entries[apart[0]]):
        return apart[0]
    origin = symmetry.candidates[0].origin
    if not left:
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"{origin} leaves no setting that the contents allow ({objections[0]}); list the "
            "operations as _space_group_symop_operation_xyz",
        )
    names = [symmetry.candidates[index].name for index in apart or left]
    more = ", ..." if len(names) > 6 else ""
    raise EntryError(
        RejectionCode.AMBIGUOUS_SYMMETRY,
        f"{origin} leaves settings open ({', '.join(names[:6])}{more}) and nothing decides; list "
        "the operations as _space_group_symop_operation_xyz",
    )


def is_one_structure(entries: Sequence[Entry], chosen: Sequence[int]) -> bool:
    """Whether at least one reading is left and all that are left are the same structure."""
    return bool(chosen) and all(
        same_structure(entries[chosen[0]], entries[index]) for index in chosen[1:]
    )


def is_convincing(entry: Entry) -> bool:
    """Whether the distances of a reading speak for it: several elements, and no atoms overlap.

    The distances of one kind of atom are too few to exclude another setting.
    """
    if len(entry.amounts()) < 2:
        return False
    radii = np.array(
        [min(gemmi.Element(number).covalent_r for number, _ in m) for m in entry.mixtures]
    )
    cartesian = np.ascontiguousarray(entry.frac_coords @ entry.lattice)
    first, second, _, distances = find_points_in_spheres(
        cartesian,
        cartesian,
        r=2 * OVERLAP * float(radii.max()),
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(entry.lattice),
        tol=1e-8,
    )
    kinds = entry.site_mixtures
    filled = np.array([sum(share for _, share in mixture) for mixture in entry.mixtures])
    together = filled[kinds[first]] + filled[kinds[second]] > 1 + PLAUSIBLE.occupancy_tolerance
    close = distances < OVERLAP * (radii[kinds[first]] + radii[kinds[second]])
    return not bool((close & together & (distances > 1e-6)).any())


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


def distance_objection(entry: Entry) -> str | None:
    """What speaks against a reading: overfull sites or atoms too close; None if nothing does."""
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
    return None


def content_objection(entry: Entry, stated: Statements) -> str | None:
    """Which statement about the contents speaks against a reading; None if none does."""
    if stated.formula and not fits_formula(entry, stated.formula):
        return "the atoms do not add up to the formula"
    units, density = content_ratio(entry, stated), density_ratio(entry, stated)
    if density is not None and is_contradicted(density, stated):
        return f"the density would be {density:.2f} times the stated one"
    if density is None and units is not None and abs(units - 1) > SAME_CONTENT:
        return f"the cell would hold {units:.2f} times the stated formula units"
    return None


def check_contents(entry: Entry, stated: Statements, candidate: Candidate, *, firm: bool) -> None:
    """Compare the number of atoms with Z and the density.

    Raises
    ------
    EntryError
        If the density contradicts the reading, or Z one that a single statement supports.
    """
    units, density = content_ratio(entry, stated), density_ratio(entry, stated)
    wrong_density = density is not None and is_contradicted(density, stated)
    wrong_units = units is not None and abs(units - 1) > SAME_CONTENT
    if not (wrong_density or (wrong_units and density is None and not firm)):
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


def is_contradicted(density: float, stated: Statements) -> bool:
    """Whether a density, as a multiple of the stated one, contradicts it."""
    shortage = SAME_CONTENT if stated.formula else UNKNOWN_HYDROGEN
    return not 1 - shortage <= density <= 1 + SAME_CONTENT


def same_structure(one: Entry, other: Entry) -> bool:
    """Whether two readings put the same atoms at the same places of one cell."""
    if one is other:
        return True
    if len(one.frac_coords) != len(other.frac_coords) or one.mixtures != other.mixtures:
        return False
    _, nearest = cKDTree(wrap(other.frac_coords), boxsize=1.0).query(wrap(one.frac_coords))
    vectors = one.frac_coords - other.frac_coords[nearest]
    vectors -= np.rint(vectors)
    return bool(
        (np.linalg.norm(vectors @ one.lattice, axis=1) < IMAGE_TOLERANCE).all()
        and (one.site_mixtures == other.site_mixtures[nearest]).all()
        and len(np.unique(nearest)) == len(nearest)
    )
