"""The American Mineralogist Crystal Structure Database, as a trimmed snapshot in a Python wheel.

The wheel `larixite` carries an SQLite file with 9275 measured structures (May 2021). Its own note
says what it lacks. Only that member is read; the package is never installed.
"""

import base64
import binascii
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice
from pymatgen.core.operations import SymmOp

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, sha256
from diffsym.settings.sources.amcsd import Amcsd
from diffsym.structures.entries import (
    Entry,
    EntryError,
    Rejection,
    RejectionCode,
    index_mixtures,
)
from diffsym.structures.labels import (
    FORMULA_PART,
    drop_unlocated_hydrogen,
    element_of,
    parse_formula,
)
from diffsym.structures.operations import (
    LOOSE_METRIC,
    SymmetryOperations,
    fits_metric,
    form_group,
)
from diffsym.structures.rounding import IMAGE_TOLERANCE, restore_sixths
from diffsym.structures.sources.expansion import expand_asymmetric_unit, multiplicity
from diffsym.structures.symmetry import space_group_of_operations

WHEEL = Amcsd.download
PACKAGE, VERSION = WHEEL.split("-")[:2]
REQUIREMENT = f"{PACKAGE}=={VERSION}"
SHA256 = "7ec900ea26e28787a022b495a7c5942fbb0f0d7b7d59c0b810da8735803aaf55"
MEMBER = "larixite/amcsd_cif1.db"
LICENCE = "AMCSD: free to use with citation; the wheel that carries it: MIT"
CITATION = (
    "Downs, R. T. & Hall-Wallace, M. (2003). The American Mineralogist crystal structure "
    "database. American Mineralogist 88, 247-250."
)
DESCRIPTION = (
    "American Mineralogist Crystal Structure Database, a trimmed snapshot: {count} of more than "
    "20 000 structures. Many large structures and near duplicates were removed; albite, natrolite, "
    "muscovite, microcline, epidote and tremolite are among those that are missing."
)

SCALE = 4e6
"""Numbers are stored as 32-bit integers, scaled by this."""

NOT_DETERMINED = (2.0, 3.0)
"""Values out of the range of coordinates that stand for '?' and '.' of the CIF."""

CELL = ("a", "b", "c", "alpha", "beta", "gamma")
MISSING = "<missing>"


# --- fetching -----------------------------------------------------------------------------------

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
BY_HAND = (
    "check the network and pip's settings, or on a connected machine run 'pip download --no-deps "
    f"{REQUIREMENT}' and put {WHEEL} there"
)


def check_access(_: Amcsd | None = None) -> None:
    """Say why fetching would fail: the package index does not offer the wheel."""
    command = [
        *(*PIP, "install", "--dry-run", "--ignore-installed", "--no-deps"),
        *("--only-binary=:all:", "--retries", "0", "--timeout", "10", REQUIREMENT),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DiffsymError(
            f"the Python package index does not offer {REQUIREMENT} ({_last_line(result.stderr)}); "
            f"{BY_HAND}"
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["pip gave no reason"])[-1]


def fetch(destination: str | Path, _: Amcsd | None = None) -> None:
    """Put the pinned wheel at `destination`, from the package index unless it lies there already.

    A file that a person placed there by hand is checked in the same way and accepted. Settings
    change nothing: there is one snapshot.

    Raises
    ------
    DiffsymError
        If the download fails or a file has the wrong checksum.
    """
    destination = Path(destination)
    if destination.exists():
        check_wheel(destination)
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(*PIP, "download", "--no-deps", "--only-binary=:all:", "--dest", folder),
            REQUIREMENT,
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        downloaded = Path(folder) / WHEEL
        if result.returncode or not downloaded.exists():
            raise DiffsymError(
                f"{destination}: downloading {REQUIREMENT} from the Python package index failed "
                f"({_last_line(result.stderr)}); {BY_HAND}"
            )
        check_wheel(downloaded)
        with atomic_path(destination) as temporary:
            shutil.copyfile(downloaded, temporary)


def check_wheel(path: Path) -> None:
    """Compare the checksum of a wheel with the pinned one."""
    found = sha256(path)
    if found != SHA256:
        raise DiffsymError(
            f"{path}: expected SHA-256 {SHA256}, found {found}; the file is damaged or of another "
            f"version: delete it and rerun, or place {WHEEL} there"
        )


# --- decoding -----------------------------------------------------------------------------------


def decode_numbers(text: str, count: int) -> NDArray[np.float64]:
    """Decode a packed column.

    Parameters
    ----------
    text
        Base64 of little-endian 32-bit integers scaled by `SCALE`; '0' stands for zeros.
    count
        Number of values expected.

    Returns
    -------
    ndarray
        (count,) values; NaN where the source has '?' or '.'.
    """
    if text == "0":
        return np.zeros(count)
    try:
        packed = base64.b64decode(text, validate=True)
        values = np.frombuffer(packed, dtype="<i4") / SCALE
    except (binascii.Error, ValueError) as error:
        raise EntryError(
            RejectionCode.UNREADABLE, f"a packed column cannot be decoded ({error})"
        ) from None
    if len(values) != count:
        raise EntryError(
            RejectionCode.UNREADABLE, f"a column has {len(values)} values for {count} atoms"
        )
    values[np.isin(values, NOT_DETERMINED)] = np.nan
    return values


def parse_operations(text: str) -> SymmetryOperations:
    """Read a JSON list of operations such as '1/2-x,y,-z'."""
    operations = [SymmOp.from_xyz_str(operation) for operation in json.loads(text)]
    return SymmetryOperations(
        np.array([operation.rotation_matrix for operation in operations]),
        np.array([operation.translation_vector for operation in operations]),
    )


# --- reading ------------------------------------------------------------------------------------

QUERY = """
SELECT cif.*, minerals.name AS mineral, hm_notation, journalname, volume, year, page_first,
       (SELECT group_concat(authors.name, ', ')
          FROM publication_authors JOIN authors ON authors.id = author_id
         WHERE publication_authors.publication_id = cif.publication_id) AS authors
  FROM cif
  JOIN minerals ON minerals.id = mineral_id
  JOIN spacegroups ON spacegroups.id = spacegroup_id
  JOIN publications ON publications.id = cif.publication_id
 WHERE cif.id = ?
"""


class AmcsdSource:
    """The database inside one wheel file."""

    licence = LICENCE

    def __init__(self, name: str, path: Path, limit: int | None) -> None:
        self.name = name
        self.path = path
        self.limit = limit

    @cached_property
    def database(self) -> sqlite3.Connection:
        """The database, in memory."""
        with zipfile.ZipFile(self.path) as wheel:
            content = wheel.read(MEMBER)
        database = sqlite3.connect(":memory:")
        database.deserialize(content)
        database.row_factory = sqlite3.Row
        # Without an index the authors of each entry are looked for among those of all.
        database.execute("CREATE INDEX authors_of ON publication_authors (publication_id)")
        return database

    @cached_property
    def operations(self) -> dict[int, SymmetryOperations]:
        """Symmetry operations of each row of the table of space groups."""
        rows = self.database.execute("SELECT id, symmetry_xyz FROM spacegroups")
        return {row["id"]: parse_operations(row["symmetry_xyz"]) for row in rows}

    def identifiers(self) -> list[str]:
        """Identifiers in ascending order."""
        rows = self.database.execute("SELECT id FROM cif ORDER BY id")
        return [str(row["id"]) for row in rows][: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Decode entries one by one."""
        for identifier in identifiers:
            row = self.database.execute(QUERY, (int(identifier),)).fetchone()
            try:
                yield decode_entry(row, self.operations[row["spacegroup_id"]])
            except EntryError as error:
                yield Rejection(identifier, "read", error.code, error.reason)

    def provenance(self) -> dict[str, Any]:
        """What the snapshot is, its version and own note, licence, citation and checksum."""
        (note,) = self.database.execute("SELECT notes FROM version").fetchone()
        (count,) = self.database.execute("SELECT count(*) FROM cif").fetchone()
        return {
            "name": self.name,
            "kind": "amcsd",
            "description": DESCRIPTION.format(count=count),
            "version": f"snapshot of 2021-05-16 in {PACKAGE} {VERSION}",
            "note": note,
            "licence": LICENCE,
            "citation": CITATION,
            "files": {self.path.name: sha256(self.path)},
        }


def open_source(name: str, settings: Amcsd, path: Path) -> AmcsdSource:
    """Open the wheel at `path`."""
    if not path.is_file():
        raise DiffsymError(f"{path}: the wheel of the source '{name}' is missing; fetch it first")
    # A file placed by hand, or torn by a broken disk, has not passed through `fetch`.
    check_wheel(path)
    return AmcsdSource(name, path, settings.limit)


def decode_entry(row: sqlite3.Row, operations: SymmetryOperations) -> Entry:
    """Turn a row of the database into an entry with all atoms of the cell."""
    labels = json.loads(row["atoms_sites"])
    points = np.column_stack([decode_numbers(row[f"atoms_{axis}"], len(labels)) for axis in "xyz"])
    if np.isnan(points).any():
        without = [labels[index] for index in np.flatnonzero(np.isnan(points).any(axis=1))]
        raise EntryError(
            RejectionCode.NOT_FINITE, f"no coordinates are given for {', '.join(without)}"
        )
    formula = parse_formula(row["formula"])
    numbers = [element_of(label, set(formula)) for label in labels]
    occupancies = decode_occupancies(row["atoms_occupancy"], len(labels))
    species = list(zip(numbers, occupancies, strict=True))
    lattice = Lattice.from_parameters(*(parse_number(row, column) for column in CELL)).matrix
    check_operations(operations, lattice)
    frac_coords, mixtures = expand_asymmetric_unit(
        restore_sixths(points), species, operations, lattice, tolerance=IMAGE_TOLERANCE
    )
    distinct, site_mixtures = index_mixtures([drop_unlocated_hydrogen(m) for m in mixtures])
    unmerged: dict[int, float] = {}
    for point, (number, occupancy) in zip(points, species, strict=True):
        atoms = occupancy * multiplicity(point, operations, lattice)
        unmerged[number] = unmerged.get(number, 0.0) + atoms
    return Entry(
        entry_id=str(row["id"]),
        lattice=lattice,
        frac_coords=frac_coords,
        mixtures=distinct,
        site_mixtures=site_mixtures,
        name=None if row["mineral"] == MISSING else row["mineral"],
        declared_symbol=row["hm_notation"].split(" %var")[0],
        declared_space_group=space_group_of_operations(operations),
        expected_composition=formula,
        expected_density=density_without_deuterium(row),
        amounts_unmerged=unmerged,
        reference=format_reference(row),
        year=row["year"],
    )


def check_operations(operations: SymmetryOperations, lattice: NDArray[np.float64]) -> None:
    """EntryError if operations form no group, or the cell (rows in A) lacks their symmetry."""
    if not form_group(operations):
        raise EntryError(RejectionCode.OPERATIONS, "the symmetry operations form no group")
    if not fits_metric(operations, lattice, LOOSE_METRIC):
        raise EntryError(
            RejectionCode.CELL, "the cell does not have the symmetry of the operations"
        )


def density_without_deuterium(row: sqlite3.Row) -> float:
    """The stated density, as if the deuterium of the formula were hydrogen."""
    masses = [
        (Element(symbol), float(amount or 1))
        for symbol, amount in FORMULA_PART.findall(row["formula"])
    ]
    stated = sum(element.atomic_mass * amount for element, amount in masses)
    hydrogenous = sum(Element.from_Z(element.Z).atomic_mass * amount for element, amount in masses)
    return parse_number(row, "crystal_density") * float(hydrogenous / stated)


def decode_occupancies(text: str, count: int) -> list[float]:
    """Occupancies of the asymmetric unit; 1 where the source says nothing."""
    if text == "0":
        return [1.0] * count
    values = decode_numbers(text, count)
    return np.where(np.isnan(values), 1.0, values).tolist()


def parse_number(row: sqlite3.Row, column: str) -> float:
    """Read a number that the database holds as text."""
    try:
        return float(row[column])
    except ValueError:
        raise EntryError(
            RejectionCode.UNREADABLE, f"'{row[column]}' is no number for {column}"
        ) from None


def format_reference(row: sqlite3.Row) -> str:
    """Cite the publication of an entry."""
    return (
        f"{row['authors'] or 'Anonymous'} ({row['year']}). "
        f"{row['journalname']} {row['volume']}, {row['page_first']}"
    )
