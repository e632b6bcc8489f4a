"""Structures, and the CIFs that several writers make of them."""

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure
from pymatgen.io.cif import CifWriter
from scipy.spatial import cKDTree

from diffsym.settings.symmetry import Symmetry
from diffsym.structures.entries import Entry
from diffsym.structures.operations import wrap

CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
SITE = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
SYMPREC = Symmetry().symprec

Row = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A structure to write.

    Attributes
    ----------
    entry
        All atoms of the cell.
    group
        Its declared operations.
    row
        Its row of the structures table, with the label.
    """

    entry: Entry
    group: gemmi.GroupOps
    row: Row


def parameters(lattice: NDArray[np.float64]) -> tuple[float, ...]:
    """Lengths and angles of a cell."""
    return tuple(float(value) for value in Lattice(lattice).parameters)


def first_of_orbits(entry: Entry, group: gemmi.GroupOps) -> list[int]:
    """Indices of the sites from which the operations make all others."""
    tree = cKDTree(wrap(entry.frac_coords), boxsize=1.0)
    remaining = np.ones(len(entry.frac_coords), dtype=bool)
    first = []
    for index, point in enumerate(entry.frac_coords):
        if remaining[index]:
            first.append(index)
            images = [operation.apply_to_xyz(point.tolist()) for operation in group]
            remaining[tree.query(wrap(np.array(images)))[1]] = False
    return first


def listed_atoms(entry: Entry, sites: Iterable[int]) -> list[tuple[str, str, list[float], float]]:
    """Label, symbol, place and occupancy of the atoms on some sites."""
    atoms: list[tuple[str, str, list[float], float]] = []
    for site in sites:
        for number, occupancy in entry.mixtures[entry.site_mixtures[site]]:
            symbol = Element.from_Z(number).symbol
            place = entry.frac_coords[site].tolist()
            atoms.append((f"{symbol}{len(atoms) + 1}", symbol, place, occupancy))
    return atoms


def our_cif(entry: Entry, group: gemmi.GroupOps, symmetry: Sequence[str]) -> str:
    """One position of each orbit, the formula of the cell, and statements of the symmetry."""
    amounts = entry.amounts().items()
    formula = " ".join(f"{Element.from_Z(number).symbol}{amount:.4g}" for number, amount in amounts)
    cell = zip(CELL, parameters(entry.lattice), strict=True)
    return "\n".join(
        [
            "data_structure",
            *(f"_cell_{name} {value:.7g}" for name, value in cell),
            f"_chemical_formula_sum '{formula}'",
            "_cell_formula_units_Z 1",
            *symmetry,
            "loop_",
            *(f"_atom_site_{name}" for name in SITE),
            *(
                f"{label} {symbol} {x:.6f} {y:.6f} {z:.6f} {occupancy:.4g}"
                for label, symbol, (x, y, z), occupancy in listed_atoms(
                    entry, first_of_orbits(entry, group)
                )
            ),
            "",
        ]
    )


def list_operations(group: gemmi.GroupOps) -> list[str]:
    """A loop of operations."""
    triplets = (f"'{operation.triplet()}'" for operation in group)
    return ["loop_", "_space_group_symop_operation_xyz", *triplets]


def by_us(written: Written) -> str:
    """The operations as the database lists them."""
    return our_cif(written.entry, written.group, list_operations(written.group))


def by_gemmi(written: Written) -> str | None:
    """The symbol with its setting; None if the tables do not have the setting."""
    setting = gemmi.find_spacegroup_by_ops(written.group)
    if setting is None:
        return None
    small = gemmi.SmallStructure()
    small.name = "structure"
    small.cell = gemmi.UnitCell(*parameters(written.entry.lattice))
    small.spacegroup_hm = setting.xhm()
    entry = written.entry
    for label, symbol, place, occupancy in listed_atoms(
        entry, first_of_orbits(entry, written.group)
    ):
        site = gemmi.SmallStructure.Site()
        site.label, site.type_symbol, site.occ = label, symbol, occupancy
        site.fract = gemmi.Fractional(*place)
        small.add_site(site)
    return str(small.make_cif_block().as_string())


def pymatgen_structure(entry: Entry) -> Structure:
    """An entry as pymatgen's object."""
    contents = [
        {Element.from_Z(number): occupancy for number, occupancy in mixture}
        for mixture in entry.mixtures
    ]
    species = [contents[mixture] for mixture in entry.site_mixtures]
    return Structure(entry.lattice, species, entry.frac_coords)


def is_overfull(entry: Entry) -> bool:
    """Whether errors of refinement fill a site beyond 1, which pymatgen does not allow."""
    return any(sum(share for _, share in mixture) > 1 for mixture in entry.mixtures)


def by_pymatgen(written: Written) -> str | None:
    """All atoms of the cell in P 1; None if a site is overfull."""
    if is_overfull(written.entry):
        return None
    return str(CifWriter(pymatgen_structure(written.entry)))


def by_pymatgen_with_symmetry(written: Written) -> str | None:
    """The symmetry that pymatgen finds, in the standard cell; None if a site is overfull.

    It may be higher than that of the structure: angles may differ by 5 degrees.
    """
    if is_overfull(written.entry):
        return None
    return str(CifWriter(pymatgen_structure(written.entry), symprec=SYMPREC))


def by_ase(written: Written) -> str | None:
    """All atoms of the cell in P 1; None if they are disordered."""
    entry = written.entry
    if any(len(mixture) > 1 or mixture[0][1] < 1 for mixture in entry.mixtures):
        return None
    from ase import Atoms  # noqa: PLC0415  (only where it is installed)
    from ase.io.cif import write_cif  # noqa: PLC0415

    numbers = [entry.mixtures[mixture][0][0] for mixture in entry.site_mixtures]
    atoms = Atoms(numbers, cell=entry.lattice, scaled_positions=entry.frac_coords, pbc=True)
    file = BytesIO()
    write_cif(file, atoms)
    return file.getvalue().decode()


def writers() -> dict[str, Callable[[Written], str | None]]:
    """All writers by name."""
    found: dict[str, Callable[[Written], str | None]] = {
        "ours, operations": by_us,
        "gemmi, symbol": by_gemmi,
        "pymatgen, P 1": by_pymatgen,
        "pymatgen, symmetry": by_pymatgen_with_symmetry,
    }
    return found | ({"ASE, P 1": by_ase} if importlib.util.find_spec("ase") else {})
