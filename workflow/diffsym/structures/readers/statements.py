"""What a CIF says about its symmetry, in the order of trust, and what that leaves possible."""

import re
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np
from numpy.typing import NDArray
from pymatgen.core.operations import SymmOp

from diffsym.structures.entries import EntryError, RejectionCode
from diffsym.structures.operations import (
    LOOSE_METRIC,
    SymmetryOperations,
    fits_metric,
    form_group,
)
from diffsym.structures.readers.blocks import Block
from diffsym.structures.readers.symbols import (
    DENOMINATOR,
    Setting,
    operation_table,
    setting_of_hall,
    settings_named,
    settings_numbered,
    with_code,
)
from diffsym.structures.symmetry import space_group_of_operations

OPERATION_TAGS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_xyz",
)
HALL_TAGS = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
SYMBOL_TAGS = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m",
    "_space_group_name_h-m_ref",
)
NUMBER_TAGS = ("_space_group_it_number", "_symmetry_int_tables_number")
CODE_TAG = "_space_group_it_coordinate_system_code"

MAGNETIC_TAGS = ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_xyz")
CENTRING_TAGS = ("_space_group_symop_magn_centering_xyz", "_space_group_symop_magn_centring_xyz")

MODULATION = ("_cell_modulation_dimension", "_space_group_symop_ssg", "_space_group_ssg")
COMPOSITE = ("_cell_subsystem",)

MOST_OPERATIONS = 768
"""No group has more than 192 in a cell of the tables; cells four times as large are accepted."""

TERM = r"(?:\d?[xyz]|(?:\d+\.?\d*|\.\d+)(?:/\d+)?)"
COMPONENT = rf" *(?:[+-] *)?{TERM} *(?:[+-] *{TERM} *)*"
TRIPLET = re.compile(f"{COMPONENT},{COMPONENT},{COMPONENT}")
"""Sums of coordinates and numbers; pymatgen would read much more, such as 'x1/2' for 'x+1/2'."""


@dataclass(frozen=True)
class Candidate:
    """A reading of the symmetry.

    Attributes
    ----------
    origin
        What says so, for a sentence: 'the operations', "the symbol 'P n m a'".
    name
        The setting, or the group.
    number
        Of the space group; None if the operations form no known one.
    operations
        To apply to the listed atoms.
    triplets
        The operations as the file lists them; empty if it does not.
    """

    origin: str
    name: str
    number: int | None
    operations: SymmetryOperations
    triplets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Symmetry:
    """What a block leaves possible.

    Attributes
    ----------
    candidates
        At least one reading, the most trusted first.
    contradiction
        In words, where statements exclude each other; None if the candidates are just the settings
        that a symbol leaves open.
    firm
        Whether two statements agree on the first candidate.
    """

    candidates: tuple[Candidate, ...]
    contradiction: str | None
    firm: bool


def read_symmetry(block: Block, lattice: NDArray[np.float64]) -> Symmetry:
    """Collect what the block states and compare the statements.

    Raises
    ------
    EntryError
        If nothing states the symmetry, or it cannot be read, or does not fit the cell.
    """
    operations = listed_operations(block)
    if operations is None and block.has_tag(*MODULATION):
        raise EntryError(
            RejectionCode.MODULATED,
            "the structure is modulated and the operations of the average structure are missing; "
            f"give them as {OPERATION_TAGS[0]}",
        )
    number = stated_number(block)
    hall = stated_hall(block)
    symbol, named = stated_settings(block, number)
    if operations is not None:
        return from_operations(operations, hall, symbol, named, number, lattice)
    if hall is not None:
        return from_hall(hall, symbol, named, number, lattice)
    if named:
        return from_symbol(symbol, named, number, lattice)
    if symbol:
        # The number alone would ignore the setting that the symbol means.
        raise EntryError(
            RejectionCode.NO_SYMMETRY,
            f"the symbol '{symbol}' is not understood and no operations are given; "
            f"list the operations as {OPERATION_TAGS[0]}",
        )
    if number is not None:
        numbered = fitting(settings_numbered(number), lattice, f"the number {number}")
        return Symmetry(as_candidates(f"the number {number}", numbered), None, False)
    raise EntryError(
        RejectionCode.NO_SYMMETRY,
        f"nothing states the symmetry; list the operations as {OPERATION_TAGS[0]} "
        "('x,y,z' alone for P 1)",
    )


def from_operations(
    operations: Candidate,
    hall: Candidate | None,
    symbol: str,
    named: tuple[Setting, ...],
    number: int | None,
    lattice: NDArray[np.float64],
) -> Symmetry:
    """Operations are believed unless every other statement names another group."""
    if not fits_metric(operations.operations, lattice, LOOSE_METRIC):
        raise EntryError(
            RejectionCode.CELL,
            f"the cell does not have the symmetry of the operations ({operations.name}); correct "
            "one of them",
        )
    stated: list[tuple[str, set[int | None]]] = []
    if hall is not None:
        stated.append((hall.origin, {hall.number}))
    if named:
        stated.append((f"the symbol '{symbol}'", {setting.number for setting in named}))
    if number is not None:
        stated.append((f"the number {number}", {number}))
    agree = [origin for origin, numbers in stated if operations.number in numbers]
    if agree or not stated or operations.number is None:
        return Symmetry((operations,), None, bool(agree))
    others = [hall] if hall else []
    settings = named or (settings_numbered(number) if number is not None else ())
    origin = f"the symbol '{symbol}'" if named else f"the number {number}"
    others.extend(as_candidates(origin, tuple(s for s in settings if fits(s, lattice))))
    sentence = f"{describe(operations)}, but {stated[0][0]} says otherwise"
    return Symmetry((operations, *others), sentence, False)


def from_hall(
    hall: Candidate,
    symbol: str,
    named: tuple[Setting, ...],
    number: int | None,
    lattice: NDArray[np.float64],
) -> Symmetry:
    """A Hall symbol determines the setting; other statements have to agree."""
    if not fits_metric(hall.operations, lattice):
        raise EntryError(
            RejectionCode.CELL,
            f"the cell does not have the symmetry of {hall.origin}; correct one of them",
        )
    same_setting = [setting for setting in named if same_operations(setting, hall)]
    if named and not same_setting:
        others = as_candidates(
            f"the symbol '{symbol}'", tuple(s for s in named if fits(s, lattice))
        )
        sentence = f"{describe(hall)}, but the symbol is '{symbol}'"
        return Symmetry((hall, *others), sentence, False)
    if number is not None and number != hall.number:
        numbered = tuple(s for s in settings_numbered(number) if fits(s, lattice))
        sentence = f"{describe(hall)}, but the number is {number}"
        others = as_candidates(f"the number {number}", numbered)
        return Symmetry((hall, *others), sentence, False)
    return Symmetry((hall,), None, bool(same_setting) or number is not None)


def from_symbol(
    symbol: str, named: tuple[Setting, ...], number: int | None, lattice: NDArray[np.float64]
) -> Symmetry:
    """A symbol alone: the settings that it leaves open and the cell allows."""
    origin = f"the symbol '{symbol}'"
    numbers = {setting.number for setting in named}
    candidates = as_candidates(origin, fitting(named, lattice, origin))
    if number is None or number in numbers:
        return Symmetry(candidates, None, number is not None)
    numbered = tuple(s for s in settings_numbered(number) if fits(s, lattice))
    sentence = f"the symbol is '{symbol}' ({min(numbers)}), but the number is {number}"
    candidates += as_candidates(f"the number {number}", numbered)
    return Symmetry(candidates, sentence, False)


def describe(candidate: Candidate) -> str:
    """Say what a candidate is, such as 'the operations are those of P 1 (1)'."""
    number = "no known group" if candidate.number is None else f"{candidate.number}"
    verb = "are those of" if candidate.origin == "the operations" else "means"
    return f"{candidate.origin} {verb} {candidate.name} ({number})"


def fits(setting: Setting, lattice: NDArray[np.float64]) -> bool:
    """Whether the cell has the symmetry of a setting."""
    return fits_metric(setting.operations, lattice)


def fitting(
    settings: tuple[Setting, ...], lattice: NDArray[np.float64], origin: str
) -> tuple[Setting, ...]:
    """The settings whose symmetry the cell has."""
    found = tuple(setting for setting in settings if fits(setting, lattice))
    if not found:
        raise EntryError(
            RejectionCode.CELL,
            f"the cell does not have the symmetry of {origin}; correct one of them",
        )
    return found


def as_candidates(origin: str, settings: tuple[Setting, ...]) -> tuple[Candidate, ...]:
    """Settings as readings of one statement."""
    return tuple(
        Candidate(origin, setting.name, setting.number, setting.operations) for setting in settings
    )


def same_operations(one: Setting | Candidate, other: Setting | Candidate) -> bool:
    """Whether two settings have the same operations, up to lattice translations."""
    return operation_table(one.operations) == operation_table(other.operations)


# --- single statements --------------------------------------------------------------------------


def stated_number(block: Block) -> int | None:
    """Number of the space group, 1 ... 230."""
    text = block.first(*NUMBER_TAGS)
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 230:
        raise EntryError(
            RejectionCode.CONTRADICTION,
            f"{NUMBER_TAGS[0]} is '{text}', but space groups have the numbers 1 to 230; correct it",
        )
    return int(text)


def stated_hall(block: Block) -> Candidate | None:
    """The setting of the Hall symbol; one that cannot be read counts only if it is alone."""
    text = block.first(*HALL_TAGS)
    setting = setting_of_hall(text) if text else None
    if setting is None:
        return None
    return Candidate(f"the Hall symbol '{text}'", setting.name, setting.number, setting.operations)


def stated_settings(block: Block, number: int | None) -> tuple[str, tuple[Setting, ...]]:
    """The Hermann-Mauguin symbol and the settings it may stand for.

    Several symbols of a block (short and full, say) narrow each other down; where they have no
    setting in common, each may be right. A code of the coordinate system narrows down the settings
    of the symbol, or else of the number.
    """
    symbols = dict.fromkeys(text for tag in SYMBOL_TAGS if (text := block.first(tag)))
    found: tuple[Setting, ...] = ()
    for text in symbols:
        settings = settings_named(text)
        both = tuple(setting for setting in found if setting in settings)
        found = both or (*found, *settings)
    code = block.first(CODE_TAG)
    if code:
        found = with_code(found or settings_numbered(number or 0), code)
    return next(iter(symbols), ""), found


def listed_operations(block: Block) -> Candidate | None:
    """The operations that a block lists; those of its magnetic group if it has no others.

    Every operation of a magnetic group, with or without time reversal, maps the atoms onto
    themselves.
    """
    lists = [values for tag in OPERATION_TAGS if any(values := block.column(tag))]
    readings = [read_operations(tuple(value for value in values if value)) for values in lists]
    magnetic = magnetic_operations(block)
    if not readings:
        return magnetic
    first = readings[0]
    others = [*readings[1:], *([magnetic] if magnetic else [])]
    keys = operation_table(first.operations)
    for other in others:
        # A magnetic group may be smaller, but not larger, than that of the atoms.
        smaller = operation_table(other.operations)
        if smaller != keys and not (other is magnetic and smaller < keys):
            raise EntryError(
                RejectionCode.CONTRADICTION,
                "two lists of operations contradict each other; delete the wrong one",
            )
    return first


def magnetic_operations(block: Block) -> Candidate | None:
    """Operations of a magnetic group without their time reversal, times its centrings."""
    triplets = next((v for tag in MAGNETIC_TAGS if any(v := block.column(tag))), [])
    if not triplets:
        return None
    centrings = next((v for tag in CENTRING_TAGS if any(v := block.column(tag))), ["x,y,z"])
    spatial, shifts = (
        tuple(",".join(value.split(",")[:3]) for value in values if value)
        for values in (triplets, centrings)
    )
    return read_operations(spatial, shifts)


@lru_cache(maxsize=1024)
def read_operations(
    triplets: tuple[str, ...], centrings: tuple[str, ...] = ("x,y,z",)
) -> Candidate:
    """Read operations such as '1/2-x,y,-z' and find the group that they form.

    Raises
    ------
    EntryError
        If one cannot be read, or they form no group.
    """
    if len(triplets) * len(centrings) > MOST_OPERATIONS:
        raise EntryError(
            RejectionCode.OPERATIONS,
            f"{len(triplets) * len(centrings)} operations are more than any group has; list each "
            "once",
        )
    parsed = [parse_operation(triplet) for triplet in triplets]
    shifts = [parse_operation(centring)[1] for centring in centrings]
    rotations = np.array([rotation for rotation, _ in parsed for _ in shifts])
    translations = np.array([vector + shift for _, vector in parsed for shift in shifts]) % 1.0
    _, first = np.unique(
        np.hstack([rotations.reshape(-1, 9), np.rint(translations * 72) % 72]),
        axis=0,
        return_index=True,
    )
    chosen = np.sort(first)
    operations = SymmetryOperations(rotations[chosen], translations[chosen])
    if not form_group(operations):
        raise EntryError(
            RejectionCode.OPERATIONS,
            f"the {len(chosen)} operations form no group, some are missing or wrong; list all of "
            "them",
        )
    number = space_group_of_operations(operations)
    name = short_name(operations) or f"group {number}"
    listed = tuple(map(plain_triplet, triplets)) if len(centrings) == 1 else ()
    return Candidate("the operations", name, number, operations, listed)


def short_name(operations: SymmetryOperations) -> str | None:
    """Symbol of the setting that operations form, if gemmi's table has it."""
    integers = [
        (np.rint(rotation * DENOMINATOR).astype(int), np.rint(vector * DENOMINATOR).astype(int))
        for rotation, vector in zip(operations.rotations, operations.translations, strict=True)
    ]
    group = gemmi.GroupOps([make_op(rotation, vector) for rotation, vector in integers])
    found = gemmi.find_spacegroup_by_ops(group)
    return None if found is None else str(found.xhm())


def make_op(rotation: NDArray[np.int64], vector: NDArray[np.int64]) -> gemmi.Op:
    """An operation as gemmi's object."""
    operation = gemmi.Op("x,y,z")
    operation.rot, operation.tran = rotation.tolist(), vector.tolist()
    return operation


def parse_operation(triplet: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation (3, 3) and translation (3,) of one operation.

    gemmi reads fractions of 24ths, pymatgen the others.

    Raises
    ------
    EntryError
        If neither can, or the rotation is none.
    """
    text = plain_triplet(triplet)
    parsed = parse_triplet(text) if TRIPLET.fullmatch(text) else None
    if parsed is not None:
        rotation, vector = parsed
        if abs(round(np.linalg.det(rotation), 6)) == 1 and np.isfinite(vector).all():
            return rotation, vector
    raise EntryError(
        RejectionCode.OPERATIONS,
        f"the operation '{triplet}' cannot be read; write it like '-x,y+1/2,-z'",
    )


def parse_triplet(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Rotation and translation, by gemmi or else by pymatgen; None if neither reads them."""
    try:
        operation = gemmi.parse_triplet(text)
    except (RuntimeError, ValueError):
        try:
            symmop = SymmOp.from_xyz_str(text)
        except (ValueError, ZeroDivisionError):
            return None
        return symmop.rotation_matrix, symmop.translation_vector
    return np.array(operation.rot) / DENOMINATOR, np.array(operation.tran) / DENOMINATOR


def plain_triplet(triplet: str) -> str:
    """An operation in small letters, without the number that may stand in front of it."""
    text = triplet.lower().strip().strip(";")
    return re.sub(r"^\(?\d+\)?[\s.:]+(?=[-+xyz0-9.])|^\d+\s*,(?=(?:[^,]*,){2}[^,]*$)", "", text)
