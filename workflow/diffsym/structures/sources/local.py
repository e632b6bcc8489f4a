"""Structures that the user has: a folder of CIF and POSCAR files, or one Parquet file.

The Parquet file has a row per structure with the columns `material_id` (string), `lattice` (nine
numbers, row vectors in A), `atomic_numbers` and `frac_coords` (flat, three per atom).
"""

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pymatgen.core import Composition, DummySpecies, Structure
from pymatgen.io.cif import CifParser

from diffsym.errors import DiffsymError
from diffsym.files import sha256
from diffsym.settings.sources.local import Local
from diffsym.structures.entries import (
    OCCUPANCY_DECIMALS,
    Entry,
    EntryError,
    Mixture,
    Rejection,
    RejectionCode,
    index_mixtures,
)

PARQUET_COLUMNS = ("material_id", "lattice", "atomic_numbers", "frac_coords")
BATCH_ROWS = 2000

SYMBOL_KEYS = ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M")
NUMBER_KEYS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
NAME_KEYS = ("_chemical_name_mineral", "_chemical_name_common", "_chemical_name_systematic")
UNKNOWN_VALUES = ("", "?", ".")


class FolderSource:
    """CIF and POSCAR files below one folder, one structure each.

    A file's path below the folder is the identifier of its entry.
    """

    def __init__(self, name: str, folder: Path, settings: Local) -> None:
        self.name = name
        self.folder = folder
        self.licence = settings.licence
        self.citation = settings.citation
        self.limit = settings.limit

    def identifiers(self) -> list[str]:
        """Paths below the folder, sorted."""
        names = [
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if is_structure_file(path)
        ]
        if not names:
            raise DiffsymError(
                f"{self.folder}: the folder of the source '{self.name}' holds no structures; "
                "put .cif, .vasp or POSCAR files there, or correct the source's path"
            )
        return sorted(names)[: self.limit]

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Parse files one by one."""
        for identifier in identifiers:
            try:
                yield read_file(self.folder / identifier, identifier, self.citation)
            except EntryError as error:
                yield Rejection(identifier, "read", error.code, error.reason)

    def provenance(self) -> dict[str, Any]:
        """Licence, citation, and one checksum of all names and contents."""
        digest = hashlib.sha256()
        for identifier in self.identifiers():
            digest.update(f"{identifier}\0{sha256(self.folder / identifier)}\n".encode())
        return describe(self, {self.folder.name: digest.hexdigest()})


class ParquetSource:
    """A Parquet file with a row per structure."""

    def __init__(self, name: str, path: Path, settings: Local) -> None:
        self.name = name
        self.path = path
        self.licence = settings.licence
        self.citation = settings.citation
        self.limit = settings.limit
        self.file = open_parquet(path)

    def identifiers(self) -> list[str]:
        """The column `material_id`, in the order of the file."""
        column = self.file.read(columns=["material_id"])["material_id"]
        names = column.slice(0, self.limit).cast(pa.string()).to_pylist()
        if len(set(names)) < len(names) or None in names:
            raise DiffsymError(
                f"{self.path}: material_id is empty or repeated in some rows; "
                "give every row an identifier of its own"
            )
        if not names:
            raise DiffsymError(f"{self.path}: the file has no rows; export it again")
        return names

    def read(self, identifiers: Iterable[str]) -> Iterator[Entry | Rejection]:
        """Read rows in the order of the file, a batch at a time."""
        wanted = set(identifiers)
        batches = self.file.iter_batches(BATCH_ROWS, columns=list(PARQUET_COLUMNS))
        for batch in batches:
            if not wanted:
                return
            names = batch.column("material_id").cast(pa.string()).to_pylist()
            chosen = [index for index, name in enumerate(names) if name in wanted]
            wanted.difference_update(names)
            for row in batch.take(pa.array(chosen, type=pa.int64())).to_pylist():
                identifier = str(row["material_id"])
                try:
                    yield read_row(row, identifier, self.citation)
                except EntryError as error:
                    yield Rejection(identifier, "read", error.code, error.reason)

    def provenance(self) -> dict[str, Any]:
        """Licence, citation and checksum of the file."""
        return describe(self, {self.path.name: sha256(self.path)})


def open_source(name: str, settings: Local, path: Path) -> FolderSource | ParquetSource:
    """Open the folder or the Parquet file at `path`."""
    if path.is_dir():
        return FolderSource(name, path, settings)
    if not path.exists():
        raise DiffsymError(
            f"{path}: the path of the source '{name}' does not exist; correct sources.{name}.path"
        )
    return ParquetSource(name, path, settings)


def describe(source: FolderSource | ParquetSource, files: dict[str, str]) -> dict[str, Any]:
    """Provenance that both kinds of local source share."""
    return {
        "name": source.name,
        "kind": "local",
        "version": "local files",
        "licence": source.licence,
        "citation": source.citation,
        "files": files,
    }


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file and check that it has the columns of structures."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DiffsymError(
            f"{path}: neither a folder nor a readable Parquet file ({error}); correct the path"
        ) from None
    missing = [column for column in PARQUET_COLUMNS if column not in file.schema_arrow.names]
    if missing:
        raise DiffsymError(
            f"{path}: the columns {', '.join(missing)} are missing; a Parquet file of structures "
            f"has the columns {', '.join(PARQUET_COLUMNS)}"
        )
    return file


def is_structure_file(path: Path) -> bool:
    """Whether the name is that of a CIF or of a VASP structure."""
    suffixes = (".cif", ".vasp", ".poscar")
    is_named_so = path.suffix.lower() in suffixes or path.name.startswith(("POSCAR", "CONTCAR"))
    return is_named_so and path.is_file()


def read_row(row: dict[str, Any], identifier: str, citation: str) -> Entry:
    """Turn a row of the Parquet file into an entry."""
    try:
        lattice = np.array(row["lattice"], dtype=np.float64).reshape(3, 3)
        numbers = np.array(row["atomic_numbers"], dtype=np.intp)
        frac_coords = np.array(row["frac_coords"], dtype=np.float64).reshape(len(numbers), 3)
    except (TypeError, ValueError) as error:
        raise EntryError(
            RejectionCode.UNREADABLE,
            f"lattice, atomic_numbers and frac_coords do not fit together ({error})",
        ) from None
    mixtures, site_mixtures = index_mixtures([((int(number), 1.0),) for number in numbers])
    return Entry(
        entry_id=identifier,
        lattice=lattice,
        frac_coords=frac_coords,
        mixtures=mixtures,
        site_mixtures=site_mixtures,
        reference=citation,
    )


def read_file(path: Path, identifier: str, citation: str) -> Entry:
    """Turn a CIF or POSCAR file into an entry."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pymatgen's advice on doubtful files; we check them
            if path.suffix.lower() == ".cif":
                structure, data = parse_cif(path)
            else:
                structure, data = Structure.from_file(path), {}
    except EntryError:
        raise
    except Exception as error:  # noqa: BLE001  (parsers fail in countless ways on broken files)
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise EntryError(
            RejectionCode.UNREADABLE, f"pymatgen cannot read the file ({reason[0]})"
        ) from None
    mixtures, site_mixtures = index_mixtures([site_mixture(site.species) for site in structure])
    number = first_value(data, NUMBER_KEYS)
    return Entry(
        entry_id=identifier,
        lattice=np.array(structure.lattice.matrix),
        frac_coords=np.array(structure.frac_coords),
        mixtures=mixtures,
        site_mixtures=site_mixtures,
        name=first_value(data, NAME_KEYS),
        declared_symbol=first_value(data, SYMBOL_KEYS),
        declared_space_group=int(number) if number and number.isdecimal() else None,
        expected_composition=stated_composition(data),
        reference=citation,
    )


def parse_cif(path: Path) -> tuple[Structure, dict[str, Any]]:
    """The only structure of a CIF and the data of its block."""
    parser = CifParser(path)
    # Sums of occupancies are left to our own check. Blocks without a cell (data_global) are
    # skipped; if nothing else is there, pymatgen raises.
    structures = parser.parse_structures(primitive=False, check_occu=False, on_error="ignore")
    if len(structures) > 1:
        raise EntryError(
            RejectionCode.SEVERAL_STRUCTURES,
            f"the file holds {len(structures)} structures; write each to a file of its own",
        )
    block = next(data for data in parser.as_dict().values() if "_cell_length_a" in data)
    return structures[0], block


def site_mixture(species: Composition) -> Mixture:
    """Species of a site, isotopes and oxidation states left out."""
    amounts: dict[int, float] = {}
    for specie, occupancy in species.items():
        if isinstance(specie, DummySpecies):
            raise EntryError(RejectionCode.UNKNOWN_LABEL, f"'{specie.symbol}' is no element")
        amounts[specie.Z] = amounts.get(specie.Z, 0.0) + occupancy
    return tuple(
        (number, round(occupancy, OCCUPANCY_DECIMALS))
        for number, occupancy in sorted(amounts.items())
    )


def stated_composition(data: dict[str, Any]) -> dict[int, float]:
    """Amounts by atomic number of the CIF's formula, empty if there is none that can be read."""
    formula = first_value(data, ("_chemical_formula_sum",))
    try:
        amounts = Composition(formula or "")
    except ValueError:
        return {}
    return {element.Z: amount for element, amount in amounts.items()}


def first_value(data: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """First of several CIF items that has a value."""
    values = (str(data.get(key, "")).strip() for key in keys)
    return next((value for value in values if value not in UNKNOWN_VALUES), None)
