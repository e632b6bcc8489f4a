"""POSCAR and CONTCAR files of VASP, versions 4 to 6.

https://www.vasp.at/wiki/index.php/POSCAR. The elements are never guessed: a file of VASP 4 without
names is refused, except where every position has a symbol behind it.
"""

import re
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.io.vasp import Poscar

from diffsym.structures.entries import Entry, EntryError, RejectionCode, index_mixtures
from diffsym.structures.operations import wrap
from diffsym.structures.readers.blocks import decode
from diffsym.structures.readers.species import atomic_number

SAME_PLACE = 1e-4
"""Fractional coordinates up to which two readers agree."""


def read_poscar(content: bytes, identifier: str, citation: str) -> Entry:
    """Read the structure of a POSCAR file.

    Selective dynamics are passed over, and so is what follows the positions: velocities and the
    state of a molecular-dynamics run.

    Raises
    ------
    EntryError
        If a line cannot be read, the elements are not named, or pymatgen reads something else.
    """
    lines = decode(content).splitlines()
    if len(lines) < 8:
        raise unreadable(f"the file ends after {len(lines)} lines")
    scale = floats(lines[1].split(), "line 2, the scale")
    vectors = np.array(
        [
            floats(line.split()[:3], f"line {n}, a lattice vector", 3)
            for n, line in enumerate(lines[2:5], 3)
        ]
    )
    lattice, factors = scaled(vectors, scale)
    names, counts, start = read_counts(lines)
    selective = lines[start].strip()[:1].lower() == "s"
    start += selective
    if start >= len(lines):
        raise unreadable("the positions are missing")
    mode = lines[start].strip()[:1].lower()
    rows = [line for line in lines[start + 1 :][: sum(counts)] if line.strip()]
    if len(rows) < sum(counts):
        raise unreadable(
            f"{sum(counts)} atoms are announced, but only {len(rows)} positions follow"
        )
    points = np.array(
        [
            floats(re.split(r"[#!]", row)[0].split()[:3], f"the position '{row.strip()}'", 3)
            for row in rows
        ]
    )
    if mode in ("c", "k"):
        frac_coords = (points * factors) @ np.linalg.inv(lattice)
    elif mode == "d":
        frac_coords = points
    else:
        raise unreadable(
            f"line {start + 1} is '{lines[start].strip()}' instead of Direct or Cartesian"
        )
    numbers = [
        number
        for number, count in zip(
            elements(names, counts, rows, 6 if selective else 3), counts, strict=True
        )
        for _ in range(count)
    ]
    # pymatgen misreads Cartesian coordinates beside a negative scale, and knows no three scales.
    if names and len(scale) == 1 and not (scale[0] < 0 and mode != "d"):
        compare(decode(content), lattice, frac_coords, numbers)
    mixtures, site_mixtures = index_mixtures([((number, 1.0),) for number in numbers])
    return Entry(identifier, lattice, frac_coords, mixtures, site_mixtures, reference=citation)


def scaled(
    vectors: NDArray[np.float64], scale: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | float]:
    """The lattice (rows in A), and the factors of Cartesian coordinates.

    One scale multiplies all; a negative one is minus the volume in A^3. Three scales multiply the
    Cartesian components.
    """
    volume = abs(float(np.linalg.det(vectors)))
    if len(scale) == 1 and scale[0] and volume > 0:
        factor = scale[0] if scale[0] > 0 else float((-scale[0] / volume) ** (1 / 3))
        return vectors * factor, factor
    if len(scale) == 3 and min(scale) > 0 and volume > 0:
        return vectors * np.array(scale), np.array(scale)
    raise EntryError(
        RejectionCode.CELL,
        f"no cell follows from the scale '{' '.join(f'{value:g}' for value in scale)}' and the "
        "three vectors; give one number, or three positive ones",
    )


def read_counts(lines: Sequence[str]) -> tuple[list[str], list[int], int]:
    """Names (none in VASP 4) and numbers of the atoms, and the index of the line behind them.

    VASP writes long lists on several lines.
    """
    position = 5
    names: list[str] = []
    while position < len(lines) and not is_counts(lines[position]):
        words = uncommented(lines[position])
        if not words or position > 5 + 20:
            raise unreadable(f"line {position + 1} is no list of elements or numbers of atoms")
        names.extend(words)
        position += 1
    counts: list[int] = []
    while (
        position < len(lines)
        and is_counts(lines[position])
        and (not counts or len(counts) < len(names))
    ):
        counts.extend(int(word) for word in uncommented(lines[position]))
        position += 1
    if not counts or sum(counts) < 1 or position >= len(lines):
        raise unreadable("the numbers of atoms are missing")
    if names and len(names) != len(counts):
        raise unreadable(f"{len(names)} elements are named for {len(counts)} numbers of atoms")
    return names, counts, position


def is_counts(line: str) -> bool:
    """Whether a line holds whole numbers only."""
    words = uncommented(line)
    return bool(words) and all(word.isdecimal() for word in words)


def uncommented(line: str) -> list[str]:
    """Words of a line in front of a comment."""
    return re.split(r"[#!]", line)[0].split()


def elements(
    names: Sequence[str], counts: Sequence[int], rows: Sequence[str], columns: int
) -> list[int]:
    """Atomic number of each kind of atom.

    A name may carry the kind of its potential and a checksum: 'Na_pv/f474ac0d'. Without names,
    the symbols behind the `columns` of the positions count if every atom of a kind has the same.
    """
    behind = symbols_behind(counts, rows, columns)
    if not (names or behind):
        raise EntryError(
            RejectionCode.NO_ELEMENTS,
            "the file names no elements (VASP 4); write them in a line above the numbers of atoms",
        )
    names = names or behind
    numbers = []
    for name in names:
        symbol = re.split(r"[_/]", name)[0]
        number = atomic_number(symbol, isotopes=symbol == "D")
        if number is None or symbol != symbol.capitalize():
            raise EntryError(
                RejectionCode.UNKNOWN_LABEL,
                f"'{name}' in line 6 is no element; name the elements there",
            )
        numbers.append(number)
    if behind and numbers != [atomic_number(name, isotopes=name == "D") for name in behind]:
        raise EntryError(
            RejectionCode.CONTRADICTION,
            "the elements behind the positions are not those of line 6; correct one of them",
        )
    return numbers


def symbols_behind(counts: Sequence[int], rows: Sequence[str], columns: int) -> list[str]:
    """The one symbol behind the positions (and flags) of each kind of atom; empty if one lacks.

    Files of VASP 4 may have them, and pymatgen writes them.
    """
    behind = [" ".join(row.split()[columns:]).strip("#! ") for row in rows]
    found = [re.fullmatch(r"([A-Z][a-z]?)\d*", text) for text in behind]
    symbols = [match[1] if match else "" for match in found]
    names: list[str] = []
    start = 0
    for count in counts:
        names.extend(set(symbols[start : start + count]))
        start += count
    if len(names) != len(counts):
        return []
    known = [atomic_number(name, isotopes=name == "D") for name in names]
    return names if all(known) else []


def floats(words: Sequence[str], what: str, count: int | None = None) -> list[float]:
    """Finite numbers; Fortran writes exponents with d, too."""
    try:
        values = [float(word.lower().replace("d", "e")) for word in words]
    except ValueError:
        values = []
    wanted = count is None or len(values) == count
    if not values or not wanted or not np.isfinite(values).all():
        raise unreadable(
            f"{what} is '{' '.join(words)}', which is not {count or 'one or three'} numbers"
        )
    return values


def unreadable(what: str) -> EntryError:
    """The refusal of a file that breaks the format."""
    return EntryError(RejectionCode.UNREADABLE, f"{what}; complete the file")


def compare(
    text: str, lattice: NDArray[np.float64], frac_coords: NDArray[np.float64], numbers: list[int]
) -> None:
    """Compare our reading with pymatgen's.

    Raises
    ------
    EntryError
        If they differ.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = Poscar.from_str(text, read_velocities=False).structure
    except Exception:  # noqa: BLE001  (it fails on valid files, too)
        return
    same = [site.specie.Z for site in theirs] == numbers and np.allclose(
        theirs.lattice.matrix, lattice, atol=1e-6
    )
    if same:
        vectors = wrap(np.array(theirs.frac_coords)) - wrap(frac_coords)
        same = bool((np.abs(vectors - np.rint(vectors)) < SAME_PLACE).all())
    if not same:
        raise EntryError(
            RejectionCode.READERS_DISAGREE,
            "pymatgen reads other elements, positions or another cell; write the file again",
        )
