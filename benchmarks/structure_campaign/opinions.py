"""What gemmi and pymatgen, each by itself, read in a file that we accept."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import DummySpecies, Lattice
from pymatgen.io.cif import CifParser
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from structure_campaign.writers import SYMPREC, Row

from diffsym.structures.entries import Entry, Mixture, index_mixtures
from diffsym.structures.operations import wrap

SAME_AMOUNT = 2e-3
SAME_VOLUME = 1e-4


@dataclass(frozen=True)
class Signature:
    """What a reader finds in a block: atoms per cell by atomic number, A^3, and the label."""

    amounts: dict[int, float]
    volume: float
    number: int | None

    def difference(self, other: "Signature") -> str | None:
        """The first thing in which two signatures differ; None if they are equal."""
        if abs(self.volume / other.volume - 1) > SAME_VOLUME:
            return "volume"
        numbers = self.amounts.keys() | other.amounts.keys()
        for number in numbers:
            ours, theirs = self.amounts.get(number, 0.0), other.amounts.get(number, 0.0)
            if abs(ours - theirs) > SAME_AMOUNT * max(1.0, ours):
                return "composition"
        return "label" if self.number != other.number else None


def signature(
    lattice: NDArray[np.float64], atoms: Sequence[tuple[int, NDArray[np.float64], float]]
) -> Signature:
    """Signature of a list of atoms (number, place, occupancy), of which some share a site."""
    places = np.array([place for _, place, _ in atoms])
    tree = cKDTree(wrap(places), boxsize=1.0)
    shared = tree.sparse_distance_matrix(tree, 1e-3)
    shared = shared + shared.T
    shared.setdiag(1)
    _, sites = connected_components(shared)
    contents: dict[int, dict[int, float]] = {}
    amounts: dict[int, float] = {}
    for site, (number, _, occupancy) in zip(sites.tolist(), atoms, strict=True):
        content = contents.setdefault(site, {})
        content[number] = content.get(number, 0.0) + occupancy
        amounts[number] = amounts.get(number, 0.0) + occupancy
    _, first = np.unique(sites, return_index=True)
    mixtures: list[Mixture] = [
        tuple((number, round(share, 4)) for number, share in sorted(contents[site].items()))
        for site in sites[first].tolist()
    ]
    _, kinds = index_mixtures(mixtures)
    try:
        found = spglib.get_symmetry_dataset(
            (lattice.tolist(), places[first].tolist(), kinds.tolist()), symprec=SYMPREC
        )
    except spglib.SpglibError:
        found = None
    number_found = None if found is None else int(found.number)
    return Signature(amounts, float(abs(np.linalg.det(lattice))), number_found)


def gemmi_signature(block: gemmi.cif.Block) -> Signature:
    """What gemmi's own small structure holds."""
    small = gemmi.make_small_structure_from_block(block)
    small.determine_and_set_spacegroup("s.h2")
    atoms = [
        (site.element.atomic_number or -1, np.array(site.fract.tolist()), site.occ)
        for site in small.get_all_unit_cell_sites()
        if site.occ > 0
    ]
    return signature(np.array(Lattice.from_parameters(*small.cell.parameters).matrix), atoms)


def pymatgen_signature(text: str) -> Signature:
    """What pymatgen's parser makes of the same text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = CifParser.from_str(text, check_cif=False)
        (structure,) = parser.parse_structures(primitive=False, check_occu=False, on_error="raise")
    atoms = [
        (-1 if isinstance(species, DummySpecies) else species.Z, site.frac_coords, occupancy)
        for site in structure
        for species, occupancy in site.species.items()
    ]
    return signature(np.array(structure.lattice.matrix), atoms)


def difference(ours: Signature, read: Callable[[], Signature]) -> str | None:
    """In what another reader differs; None if in nothing."""
    try:
        return ours.difference(read())
    except Exception as error:  # noqa: BLE001  (readers fail in countless ways)
        return f"fails ({type(error).__name__})"


def opinions(
    entry: Entry, row: Row, text: str, block: gemmi.cif.Block | None, *, alone: bool
) -> str:
    """Who else reads an accepted structure as we do; pymatgen gets the text of a single block."""
    volume = float(abs(np.linalg.det(entry.lattice)))
    ours = Signature(entry.amounts(), volume, row["space_group"])
    block_text = text if alone or block is None else str(block.as_string())
    by_both = {
        "gemmi": difference(ours, lambda: gemmi_signature(block)) if block else "fails",
        "pymatgen": difference(ours, lambda: pymatgen_signature(block_text)),
    }
    others = [f"{name}: {what}" for name, what in by_both.items() if what is not None]
    return "; ".join(others) or "equal in both"
