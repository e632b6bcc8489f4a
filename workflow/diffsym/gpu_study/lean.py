"""Structures in a tenth of the bytes, for the way to another machine.

The standard conventional cell of a structure follows from its space group, the free lengths of its
lattice, and one scatterer of each orbit. So the lean form of a structure holds

- the Hall number, and with it the operations, the space group and the centring;
- the entries of the conventional lattice that the crystal system leaves free, single precision;
- of one scatterer of each orbit the atomic number and the three coordinates in the conventional
  cell, in whole steps of 1 / 65520 = 1 / (2^4 3^2 5 7 13);
- occupancies where some are not 1.

Halves, thirds, quarters, sixths and eighths are exact. When a structure is restored, each scatterer
is first moved onto the site that it is closest to, so symmetry holds to the last bit: no line
splits, and no kernel has to work without symmetry. A coordinate is wrong by at most a step, that is
by 1.5e-5 of the length of the conventional cell.

Nothing here needs pymatgen.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import spglib
from numpy.typing import NDArray

from diffsym.descriptors.cells import cells_of, conventional_lattices
from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.scattering.types import Floats, Integers
from diffsym.structures.operations import wrap
from diffsym.structures.space_groups import crystal_system
from diffsym.structures.standardise import PRIMITIVE_BASES
from diffsym.tables import STRUCTURES, fixed_size_rows

DENOMINATOR = 65520
"""Steps of a coordinate a cell."""

# Half a step of error in each coordinate moves a scatterer from its image under an operation that
# ought to fix it by at most 3/2 steps along a conventional axis, and 9/2 along a primitive one.
# Restored scatterers that are further off than this belong to another structure.
_SAME = 5 / DENOMINATOR
# The same for lattice vectors, in parts of the longest one: some times the rounding of a float.
_SAME_VECTORS = 1e-6
# Rows that are worked on together.
_ROWS_AT_A_TIME = 4096

LEAN = pa.schema(
    [
        pa.field("structure_id", pa.string(), nullable=False),
        pa.field("hall_number", pa.uint16(), nullable=False),
        pa.field("lattice", pa.list_(pa.float32()), nullable=False),
        pa.field("sites", pa.list_(pa.binary(7)), nullable=False),
        pa.field("occupancies", pa.list_(pa.float64())),
    ],
    metadata={"description": "a structure a row, one scatterer of each orbit"},
)

FULL = pa.schema(
    [
        STRUCTURES.field(name)
        for name in (
            "structure_id",
            "lattice",
            "atomic_numbers",
            "frac_coords",
            "occupancies",
            "orbits",
            "conventional_lattice",
            "conventional_atomic_numbers",
            "conventional_frac_coords",
            "conventional_occupancies",
            "space_group",
            "hall_number",
            "crystal_system",
            "primitive_volume",
        )
    ]
)

_FREE_ENTRIES: dict[str, tuple[tuple[int, int], ...]] = {
    "triclinic": ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)),
    "monoclinic": ((0, 0), (1, 1), (2, 0), (2, 2)),
    "orthorhombic": ((0, 0), (1, 1), (2, 2)),
    "tetragonal": ((0, 0), (2, 2)),
    "trigonal": ((0, 0), (2, 2)),
    "hexagonal": ((0, 0), (2, 2)),
    "cubic": ((0, 0),),
}
"""Row and column of the entries of spglib's standard lattice that others do not follow from."""


@dataclass(frozen=True)
class Setting:
    """A space group in its standard setting.

    Attributes
    ----------
    number
        Of the space group.
    system
        Its crystal system.
    rotations : (k, 3, 3)
        Operations on columns of conventional coordinates, one of each point-group operation, the
        identity first.
    translations : (k, 3)
        Theirs.
    centrings : (c, 3)
        Translations within the conventional cell.
    basis : (3, 3)
        Primitive basis vectors, rows, in terms of the conventional ones.
    quotients : (k, k)
        Which operation takes the image under the row's to that under the column's, seen from the
        first: the inverse of the row's after the column's.
    """

    number: int
    system: str
    rotations: Floats
    translations: Floats
    centrings: Floats
    basis: Floats
    quotients: Integers


class _Orbits(NamedTuple):
    """Scatterers that follow from m representatives in a setting with k operations.

    Attributes
    ----------
    images : (m, k, 3)
        Fractional coordinates in the primitive cell.
    distinct : (m, k)
        Whether no earlier image of the same representative is the same.
    """

    images: Floats
    distinct: NDArray[np.bool_]


@cache
def setting_of(hall_number: int) -> Setting:
    """Operations and centring of a Hall number (1 ... 530)."""
    kind = spglib.get_spacegroup_type(hall_number)
    operations = spglib.get_symmetry_from_database(hall_number)
    if kind is None or operations is None:
        raise DiffsymError(f"there is no Hall number {hall_number}; make the lean file anew")
    rotations, translations = operations["rotations"], operations["translations"]
    pure = (rotations == np.eye(3, dtype=int)).all(axis=(1, 2))
    _, first = np.unique(rotations.reshape(-1, 9), axis=0, return_index=True)
    first = np.sort(first)
    kept = rotations[first]
    return Setting(
        number=int(kind.number),
        system=crystal_system(int(kind.number)),
        rotations=kept.astype(np.float64),
        translations=translations[first],
        centrings=translations[pure],
        basis=PRIMITIVE_BASES[kind.international_short[0]].T,
        quotients=_quotients(kept),
    )


def _quotients(rotations: NDArray[np.integer]) -> Integers:
    """Index of the inverse of each rotation (row) times each other (column)."""
    weights = 3 ** np.arange(9)
    codes = rotations.reshape(-1, 9) @ weights
    order = np.argsort(codes)
    inverses = np.rint(np.linalg.inv(rotations)).astype(np.int64)
    products = np.matmul(inverses[:, np.newaxis], rotations)
    return order[np.searchsorted(codes[order], products.reshape(*products.shape[:2], 9) @ weights)]


def lean_structures(structures: pa.Table) -> pa.Table:
    """The lean form of rows of the structures table.

    Raises
    ------
    DiffsymError
        A structure is not what its lean form would be restored to.
    """
    parts = [_lean_part(part) for part in _parts(structures)]
    return pa.concat_tables([LEAN.empty_table(), *parts])


def full_structures(lean: pa.Table) -> pa.Table:
    """The columns of the structures table that descriptors are computed from.

    Parameters
    ----------
    lean
        Rows as `lean_structures` gives them.

    Returns
    -------
    pa.Table
        Rows in the same order. Scatterers stand orbit by orbit, and the conventional cell holds
        those of the primitive one and their images, so their order is not that of the original.
    """
    parts = [_full_part(part) for part in _parts(lean)]
    return pa.concat_tables([FULL.empty_table(), *parts])


def write_lean(lean: pa.Table, path: str | Path) -> None:
    """Write lean structures as a small Parquet file, whole or not at all."""
    with atomic_path(path) as temporary:
        pq.write_table(
            lean.cast(LEAN),
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=["hall_number", "occupancies.list.element"],
            column_encoding={
                "structure_id": "DELTA_BYTE_ARRAY",
                "lattice.list.element": "BYTE_STREAM_SPLIT",
                "sites.list.element": "BYTE_STREAM_SPLIT",
            },
            row_group_size=max(lean.num_rows, 1),
            data_page_size=2**24,
            write_statistics=False,
        )


def read_lean(path: str | Path) -> pa.Table:
    """Read a file of `write_lean`."""
    try:
        lean = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DiffsymError(
            f"{path}: not a readable Parquet file ({error}); make the lean file anew"
        ) from None
    if not lean.schema.equals(LEAN):
        raise DiffsymError(f"{path}: these are no lean structures; make the lean file anew")
    return lean


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    """A table in parts of not too many rows."""
    for start in range(0, table.num_rows, _ROWS_AT_A_TIME):
        yield table.slice(start, _ROWS_AT_A_TIME).combine_chunks()


def _lean_part(structures: pa.Table) -> pa.Table:
    """The lean form of some structures, checked."""
    cells = cells_of(structures)
    halls = structures["hall_number"].to_numpy()
    owners = np.repeat(np.arange(len(halls)), np.diff(cells.offsets))
    representatives = cells.offsets[owners] + pc.list_flatten(structures["orbits"]).to_numpy()
    firsts, sites = np.unique(representatives, return_inverse=True)
    steps = np.empty((len(firsts), 3), dtype=np.int64)
    for hall_number, here in _groups(halls[owners[firsts]]):
        steps[here] = _first_steps(cells.frac_coords[firsts[here]], setting_of(hall_number))
    lattices = _free_entries(conventional_lattices(structures), halls)
    wrong = _lattices_differ(structures, lattices, halls)
    wrong[owners[_scatterers_differ(cells.frac_coords, sites, steps, halls[owners])]] = True
    if wrong.any():
        raise DiffsymError(
            f"{structures['structure_id'][int(wrong.argmax())]}: its cells do not follow from its "
            "Hall number and one scatterer of each orbit, so it has no lean form; leave it out"
        )
    order = np.lexsort((*steps.T[::-1], cells.atomic_numbers[firsts], owners[firsts]))
    firsts, steps = firsts[order], steps[order]
    counts = np.bincount(owners[firsts], minlength=len(halls))
    return pa.table(
        [
            structures["structure_id"],
            structures["hall_number"],
            lattices,
            _lists(counts, _packed(cells.atomic_numbers[firsts].astype(np.uint8), steps)),
            _partial(cells.occupancies[firsts], counts),
        ],
        schema=LEAN,
    )


def _lattices_differ(
    structures: pa.Table, entries: pa.ListArray, halls: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Whether a lattice of a structure is not the one that its free entries are restored to."""
    conventional = _restored_lattices(entries, halls)
    differ = _far(conventional, conventional_lattices(structures))
    return differ | _far(_primitive_lattices(conventional, halls), cells_of(structures).lattices)


def _far(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Which lattices differ by more than rounding, (n,)."""
    return np.abs(one - other).max(axis=(1, 2)) > _SAME_VECTORS * np.abs(other).max(axis=(1, 2))


def _scatterers_differ(
    frac_coords: Floats, sites: Integers, steps: Integers, halls: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Which scatterers are not among the restored ones, or among too few or too many.

    Parameters
    ----------
    frac_coords : (n, 3)
        Coordinates of all scatterers in their primitive cells.
    sites : (n,)
        The lean site that each one follows from.
    steps : (m, 3)
        Coordinates of the lean sites.
    halls : (n,)
        Hall number of the structure of each scatterer.
    """
    differ = np.empty(len(sites), dtype=bool)
    sizes = np.bincount(sites)[sites]
    for hall_number, here in _groups(halls):
        orbits = _orbits(steps[sites[here]] / DENOMINATOR, setting_of(hall_number))
        gaps = orbits.images - frac_coords[here, np.newaxis]
        nearest = np.abs(gaps - np.rint(gaps)).max(axis=2).min(axis=1)
        differ[here] = (nearest > _SAME) | (orbits.distinct.sum(axis=1) != sizes[here])
    return differ


def _packed(numbers: NDArray[np.uint8], steps: Integers) -> pa.FixedSizeBinaryArray:
    """Atomic numbers and coordinates as seven bytes, the higher one of a coordinate first."""
    rows = np.hstack([numbers[:, np.newaxis], steps.astype(">u2").view(np.uint8)])
    buffer = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(7), len(rows), [None, buffer])


def _groups(labels: NDArray[np.integer]) -> Iterator[tuple[int, Integers]]:
    """Each label and where it stands."""
    order = np.argsort(labels, kind="stable")
    names, starts = np.unique(labels[order], return_index=True)
    for name, here in zip(names, np.split(order, starts[1:]), strict=True):
        yield int(name), here


def _first_steps(points: Floats, setting: Setting) -> Integers:
    """The first image of each point in the order of x, y and z, in steps.

    One image in a corner of the cell instead of any saves the bits that tell them apart.

    Parameters
    ----------
    points : (m, 3)
        Coordinates in the primitive cell.
    setting
        Their space group.
    """
    images = _conventional_images(points @ setting.basis, setting)
    images = (images[:, :, np.newaxis] + setting.centrings).reshape(len(points), -1, 3)
    steps = np.rint(images * DENOMINATOR).astype(np.int64) % DENOMINATOR
    ranks = steps @ np.array([DENOMINATOR**2, DENOMINATOR, 1])
    return steps[np.arange(len(points)), ranks.argmin(axis=1)]


def _free_entries(lattices: Floats, halls: NDArray[np.integer]) -> pa.ListArray:
    """Entries of the lattices that the crystal system leaves free."""
    free = np.zeros(lattices.shape, dtype=bool)
    for hall_number, here in _groups(halls):
        rows, columns = zip(*_FREE_ENTRIES[setting_of(hall_number).system], strict=True)
        free[here[:, np.newaxis], rows, columns] = True
    return _lists(free.sum(axis=(1, 2)), pa.array(lattices[free].astype(np.float32)))


def _partial(occupancies: Floats, counts: Integers) -> pa.ListArray:
    """Occupancies of the structures in which some are not 1, null for the others."""
    owners = np.repeat(np.arange(len(counts)), counts)
    partial = np.zeros(len(counts), dtype=bool)
    partial[owners[occupancies != 1]] = True
    lists = _lists(counts * partial, pa.array(occupancies[partial[owners]]))
    return pa.ListArray.from_arrays(lists.offsets, lists.values, mask=pa.array(~partial))


def _lists(counts: Integers, values: pa.Array) -> pa.ListArray:
    """So many values a row as an Arrow column."""
    return pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32()), values
    )


def _full_part(lean: pa.Table) -> pa.Table:
    """Some structures, restored."""
    halls = lean["hall_number"].to_numpy()
    counts = pc.list_value_length(lean["sites"]).to_numpy()
    owners = np.repeat(np.arange(len(halls)), counts)
    numbers, points = _unpacked(lean["sites"])
    occupancies = _occupancies(lean["occupancies"], counts)
    conventional = _restored_lattices(lean["lattice"], halls)
    lattices = _primitive_lattices(conventional, halls)
    settings = [setting_of(int(hall_number)) for hall_number in halls]
    primitive_scatterers, conventional_scatterers = _scatterers(points, halls[owners])
    columns = {
        "structure_id": lean["structure_id"],
        "lattice": fixed_size_rows(lattices.reshape(-1, 9)),
        "orbits": _orbit_lists(primitive_scatterers.sites, owners, len(halls)),
        "conventional_lattice": fixed_size_rows(conventional.reshape(-1, 9)),
        "space_group": pa.array([setting.number for setting in settings], pa.uint8()),
        "hall_number": lean["hall_number"],
        "crystal_system": pa.array([setting.system for setting in settings]),
        "primitive_volume": np.abs(np.linalg.det(lattices)),
    }
    for prefix, cell in (("", primitive_scatterers), ("conventional_", conventional_scatterers)):
        sizes = np.bincount(owners[cell.sites], minlength=len(halls))
        columns |= {
            f"{prefix}atomic_numbers": _lists(sizes, pa.array(numbers[cell.sites])),
            f"{prefix}frac_coords": _lists(3 * sizes, pa.array(cell.frac_coords.ravel())),
            f"{prefix}occupancies": _lists(sizes, pa.array(occupancies[cell.sites])),
        }
    return pa.table(columns).select(FULL.names).cast(FULL)


def _primitive_lattices(conventional: Floats, halls: NDArray[np.integer]) -> Floats:
    """Primitive cells of conventional ones."""
    lattices = np.empty_like(conventional)
    for hall_number, here in _groups(halls):
        lattices[here] = setting_of(hall_number).basis @ conventional[here]
    return lattices


def _orbit_lists(sites: Integers, owners: Integers, n: int) -> pa.ListArray:
    """Index of the first scatterer of each one's site within its cell.

    Parameters
    ----------
    sites
        Site of each scatterer, never falling.
    owners
        Structure of each site.
    n
        Number of structures.
    """
    firsts = np.searchsorted(sites, sites) - np.searchsorted(owners[sites], owners[sites])
    sizes = np.bincount(owners[sites], minlength=n)
    return _lists(sizes, pa.array(firsts.astype(np.uint16)))


class _Scatterers(NamedTuple):
    """Restored scatterers, those of each site behind one another.

    Attributes
    ----------
    sites : (n,)
        The lean site from which each one follows, never falling.
    frac_coords : (n, 3)
        Fractional coordinates.
    """

    sites: Integers
    frac_coords: Floats


def _scatterers(points: Floats, halls: NDArray[np.integer]) -> tuple[_Scatterers, _Scatterers]:
    """Scatterers of the primitive and of the conventional cells of lean sites."""
    primitive, conventional = [], []
    for hall_number, here in _groups(halls):
        setting = setting_of(hall_number)
        images, distinct = _orbits(points[here], setting)
        sites = here[np.nonzero(distinct)[0]]
        frac_coords = images[distinct]
        primitive.append(_Scatterers(sites, frac_coords))
        copies = (frac_coords @ setting.basis)[:, np.newaxis] + setting.centrings
        conventional.append(
            _Scatterers(np.repeat(sites, len(setting.centrings)), wrap(copies.reshape(-1, 3)))
        )
    return _joined(primitive), _joined(conventional)


def _joined(groups: list[_Scatterers]) -> _Scatterers:
    """Scatterers of all groups, in the order of their sites."""
    sites = np.concatenate([group.sites for group in groups])
    order = np.argsort(sites, kind="stable")
    return _Scatterers(sites[order], np.concatenate([group.frac_coords for group in groups])[order])


def _unpacked(column: pa.ChunkedArray) -> tuple[NDArray[np.uint8], Floats]:
    """Atomic numbers and conventional coordinates of lean sites."""
    flat = pc.list_flatten(column).combine_chunks()
    data = np.frombuffer(flat.buffers()[1], np.uint8)[
        7 * flat.offset : 7 * (flat.offset + len(flat))
    ]
    rows = data.reshape(-1, 7)
    steps = np.ascontiguousarray(rows[:, 1:]).view(">u2")
    return rows[:, 0].copy(), steps / DENOMINATOR


def _occupancies(column: pa.ChunkedArray, counts: Integers) -> Floats:
    """Occupancies of lean sites, 1 where nothing is said."""
    partial = np.repeat(column.is_valid().to_numpy(), counts)
    occupancies = np.ones(len(partial))
    occupancies[partial] = pc.list_flatten(column).to_numpy()
    return occupancies


def _restored_lattices(
    column: pa.ChunkedArray | pa.ListArray, halls: NDArray[np.integer]
) -> Floats:
    """Conventional lattices of their free entries."""
    entries = pc.list_flatten(column).to_numpy().astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(pc.list_value_length(column).to_numpy())])
    lattices = np.zeros((len(halls), 3, 3))
    for hall_number, here in _groups(halls):
        system = setting_of(hall_number).system
        for index, (row, axis) in enumerate(_FREE_ENTRIES[system]):
            lattices[here, row, axis] = entries[starts[here] + index]
        lengths = lattices[here, 0, 0]
        if system in {"cubic", "tetragonal"}:
            lattices[here, 1, 1] = lengths
        if system == "cubic":
            lattices[here, 2, 2] = lengths
        if system in {"trigonal", "hexagonal"}:
            lattices[here, 1, 0] = -lengths / 2
            lattices[here, 1, 1] = lengths * math.sqrt(0.75)
    return lattices


def _orbits(points: Floats, setting: Setting) -> _Orbits:
    """All images of scatterers, each of which is first moved onto its site.

    Parameters
    ----------
    points : (m, 3)
        Conventional coordinates of one scatterer of each orbit.
    setting
        Their space group.
    """
    to_primitive = np.linalg.inv(setting.basis)
    gaps = (_conventional_images(points, setting) - points[:, np.newaxis]) @ to_primitive
    gaps -= np.rint(gaps)
    fixed = np.abs(gaps).max(axis=2) < _SAME
    # The mean of a scatterer's images under the operations that fix its site lies on the site.
    shifts = (gaps * fixed[..., np.newaxis]).sum(axis=1) / fixed.sum(axis=1, keepdims=True)
    settled = points + shifts @ setting.basis
    images = _conventional_images(settled, setting) @ to_primitive
    distinct = np.ones(fixed.shape, dtype=bool)
    for index in range(1, len(setting.rotations)):
        distinct[:, index] = ~fixed[:, setting.quotients[:index, index]].any(axis=1)
    return _Orbits(wrap(images), distinct)


def _conventional_images(points: Floats, setting: Setting) -> Floats:
    """Each point under each operation, (m, k, 3)."""
    return np.einsum("kij,mj->mki", setting.rotations, points) + setting.translations
