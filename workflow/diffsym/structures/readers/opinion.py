"""The second opinion: what pymatgen reads in the same block.

pymatgen gets the block as gemmi's tokens, so that only the reading of the contents is compared:
the cell, the operations, what each atom is and where the operations put it.
"""

import warnings
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from gemmi import cif
from numpy.typing import NDArray
from pymatgen.core import DummySpecies, Structure
from pymatgen.core.operations import SymmOp
from pymatgen.io.cif import CifParser
from scipy.spatial import cKDTree

from diffsym.structures.entries import EntryError, RejectionCode
from diffsym.structures.operations import SymmetryOperations, wrap
from diffsym.structures.readers.sites import Site
from diffsym.structures.readers.statements import Candidate
from diffsym.structures.readers.symbols import operation_table

SAME_COORDINATE = 2e-3
"""Both readers may move a coordinate onto a third or sixth that was cut to three digits."""

SAME_PLACE = 0.1
"""Distance in A within which a merged site stands for an image."""

SAME_AMOUNT = 2e-3

AT_A_TIME = 100
"""Atoms that pymatgen gets at a time, because it compares each with all the others."""


def pymatgen_reading(
    cell: Sequence[float], sites: Sequence[Site], points: NDArray[np.float64]
) -> Structure:
    """The listed atoms as pymatgen reads them, without symmetry.

    Raises
    ------
    Exception
        Whatever pymatgen raises.
    """
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = ["data_block", *(f"_cell_{n} {v!r}" for n, v in zip(names, cell, strict=True))]
    lines += ["loop_", "_symmetry_equiv_pos_as_xyz", "'x,y,z'", "loop_", "_atom_site_label"]
    lines += [f"_atom_site_{name}" for name in ("type_symbol", "fract_x", "fract_y", "fract_z")]
    lines.append("_atom_site_occupancy")
    for index, (site, (x, y, z)) in enumerate(zip(sites, points.tolist(), strict=True)):
        symbol = cif.quote(site.type_symbol or site.label)
        lines.append(f"{index} {symbol} {x!r} {y!r} {z!r} {site.occupancy!r}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on doubtful symbols; they are compared
        parser = CifParser.from_str("\n".join(lines), check_cif=False)
        (structure,) = parser.parse_structures(primitive=False, check_occu=False, on_error="raise")
    return structure


def check_agreement(
    cell: Sequence[float],
    lattice: NDArray[np.float64],
    sites: Sequence[Site],
    points: NDArray[np.float64],
    candidate: Candidate,
    frac_coords: NDArray[np.float64],
    *,
    formula_fits: bool,
) -> None:
    """Compare our reading of a block with that of pymatgen.

    What the file states for sure (an element as type symbol, a formula that our reading fits)
    stands against pymatgen; what a label alone suggests does not.

    Parameters
    ----------
    cell, lattice
        Cell parameters in A and degrees, and as rows in A.
    sites, points
        Listed atoms that take part, and their fractional coordinates (n, 3).
    candidate
        The symmetry that was chosen.
    frac_coords
        (m, 3) all sites of the cell, expanded by us.
    formula_fits
        Whether the file has a formula and our reading agrees with it.

    Raises
    ------
    EntryError
        If both differ in what the file leaves open.
    """
    places = np.concatenate(
        [
            second_places(
                cell,
                sites[start : start + AT_A_TIME],
                points[start : start + AT_A_TIME],
                formula_fits=formula_fits,
            )
            for start in range(0, len(sites), AT_A_TIME)
        ]
    )
    operations = candidate.operations
    if candidate.triplets:
        operations = pymatgen_operations(candidate.triplets)
        if operation_table(operations) != operation_table(candidate.operations):
            raise disagreement("gemmi and pymatgen read the operations differently")
    check_places(operations, places, frac_coords, lattice)


def second_places(
    cell: Sequence[float],
    sites: Sequence[Site],
    points: NDArray[np.float64],
    *,
    formula_fits: bool,
) -> NDArray[np.float64]:
    """Places (k, 3) of some listed atoms by pymatgen; our own of those that it cannot read.

    Raises
    ------
    EntryError
        If both differ in what the file leaves open.
    """
    unsure = [site for site in sites if not site.species.sure]
    try:
        theirs = pymatgen_reading(cell, sites, points)
    except Exception as error:  # noqa: BLE001  (pymatgen fails in countless ways)
        if unsure and not formula_fits:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise disagreement(
                f"gemmi's reading of '{unsure[0].label}' has no support and pymatgen cannot read "
                f"the atoms ({reason})"
            ) from None
        return points
    if not np.allclose(theirs.lattice.parameters, cell, rtol=1e-6):
        raise disagreement(f"pymatgen reads the cell {theirs.lattice.parameters}, gemmi {cell}")
    places = np.array(theirs.frac_coords)
    found = nearest_places(points, places)
    wrong = different_site(sites, found, theirs)
    if wrong is not None and not formula_fits:
        raise disagreement(
            f"gemmi and pymatgen read the atom '{wrong.label}' as different elements; give "
            "_atom_site_type_symbol"
        )
    # pymatgen leaves out atoms whose symbols it does not know.
    return np.concatenate([places, points[found < 0]])


def disagreement(what: str) -> EntryError:
    """The refusal of a block that two readers read differently."""
    return EntryError(RejectionCode.READERS_DISAGREE, what)


def nearest_places(points: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the place (k, 3) at which each point (n, 3) lies; -1 where none does."""
    distances, nearest = cKDTree(wrap(places), boxsize=1.0).query(wrap(points), p=np.inf)
    return np.where(distances < SAME_COORDINATE, nearest, -1)


def different_site(
    sites: Sequence[Site], found: NDArray[np.intp], theirs: Structure
) -> Site | None:
    """The first atom that pymatgen reads as something else, though the file does not say what.

    `found` (n,) is the index of each site in pymatgen's structure, -1 where it is missing.
    """
    for index, site in enumerate(sites):
        if site.species.sure:
            continue
        if found[index] < 0:
            return site
        amounts = {
            species.Z: amount
            for species, amount in theirs[int(found[index])].species.items()
            if not isinstance(species, DummySpecies)
        }
        sharing = [sites[other] for other in np.flatnonzero(found == found[index]).tolist()]
        for number, _ in site.content():
            ours = sum(share for one in sharing for z, share in one.content() if z == number)
            if abs(amounts.get(number, 0.0) - ours) > SAME_AMOUNT:
                return site
    return None


@lru_cache(maxsize=1024)
def pymatgen_operations(triplets: tuple[str, ...]) -> SymmetryOperations:
    """Operations as pymatgen reads them."""
    operations = [SymmOp.from_xyz_str(triplet) for triplet in triplets]
    return SymmetryOperations(
        np.array([operation.rotation_matrix for operation in operations]),
        np.array([operation.translation_vector for operation in operations]),
    )


def check_places(
    operations: SymmetryOperations,
    points: NDArray[np.float64],
    frac_coords: NDArray[np.float64],
    lattice: NDArray[np.float64],
) -> None:
    """Every image of a listed atom is a site of the cell, and every site is one.

    Raises
    ------
    EntryError
        If not.
    """
    images = np.einsum("mij,nj->nmi", operations.rotations, points) + operations.translations
    images = images.reshape(-1, 3)
    tree = cKDTree(wrap(frac_coords), boxsize=1.0)
    _, nearest = tree.query(wrap(images))
    vectors = images - frac_coords[nearest]
    vectors -= np.rint(vectors)
    far = np.linalg.norm(vectors @ lattice, axis=1) > SAME_PLACE
    if far.any() or len(np.unique(nearest)) < len(frac_coords):
        raise disagreement("gemmi and pymatgen put the atoms at different places")
