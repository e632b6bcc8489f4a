"""Space-group symbols: which settings of the tables a symbol or a number may stand for.

The settings are the 530 of the Hall table and 34 more with unusual centrings, as gemmi lists
them. Names come from gemmi and from spglib. A symbol is never completed by a convention: without a
suffix 'F d -3 m' stands for both origins, 'R -3 m' for both kinds of axes and 'P 21/c' for every
unique axis. The cell, or else the atoms, decide.
"""

import re
from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np
import spglib

from diffsym.structures.operations import SymmetryOperations
from diffsym.structures.symmetry import space_group_of_operations

DENOMINATOR = gemmi.Op.DEN
"""gemmi holds rotations and translations as multiples of 1/24."""

HALL_SETTINGS = 530

WORDS = (
    (r"origin\s*(?:choice)?\s*([12])", r"\1"),
    (r"cell\s*choice\s*([123])", r"\1"),
    (r"unique\s*axis\s*([abc])", r"\1"),
    (r"([abc])[\s-]*unique", r"\1"),
    (r"hex(?:agonal)?(?:\s*(?:axes|setting|cell))?", "h"),
    (r"rhomb(?:ohedral)?(?:\s*(?:axes|setting|cell))?", "r"),
)
"""Settings in words, and their codes."""

ICSD_SUFFIXES = {"hr": "h", "rs": "r", "s": "1", "z": "2", "h": "h", "r": "r"}
"""Origin at the centre (Z) or not (S), hexagonal (H, HR) or rhombohedral axes (R, RS)."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A space group in one setting.

    Attributes
    ----------
    name
        Hermann-Mauguin symbol with its setting, such as 'F d -3 m:2'.
    number
        Number of the space group.
    codes
        What a suffix may call the setting: '1', '2', 'h', 'r', 'b1', 'b', 'cab'.
    operations
        Of the group, in this setting.
    """

    name: str
    number: int
    codes: frozenset[str]
    operations: SymmetryOperations


def settings_named(symbol: str) -> tuple[Setting, ...]:
    """All settings that a Hermann-Mauguin symbol may stand for, none if it is not understood.

    Parameters
    ----------
    symbol
        Short, full or extended, in any case, with or without blanks and underscores; a suffix such
        as ':2', 'Z' or '(origin choice 2)' counts.
    """
    base, codes = split_suffix(symbol)
    axes = re.findall(r"(?<!\S)[2346][1-5](?!\S)", symbol.replace("_", ""))
    # 'P 31 2' is not P 3 1 2.
    found = tuple(setting for setting in named(base) if has_screw_axes(setting, axes))
    for code in codes:
        found = with_code(found, code)
    return found


def has_screw_axes(setting: Setting, axes: list[str]) -> bool:
    """Whether the full symbol of a setting has the axes that a symbol names as one word."""
    words = re.split(r"[\s/:]", setting.name)
    return all(axis in words for axis in axes)


def with_code(settings: tuple[Setting, ...], code: str) -> tuple[Setting, ...]:
    """Those settings that a code describes; all, if it tells none of them from the others."""
    code = code.lower()
    if code in {"1", "2"} and not any("1" in setting.codes for setting in settings):
        return settings
    return tuple(setting for setting in settings if code in setting.codes)


def settings_numbered(number: int) -> tuple[Setting, ...]:
    """All settings of a space group in the Hall table."""
    return tuple(setting for setting in all_settings()[:HALL_SETTINGS] if setting.number == number)


def setting_of_hall(symbol: str) -> Setting | None:
    """The setting that a Hall symbol describes; None if it cannot be read."""
    try:
        group = gemmi.symops_from_hall(symbol.replace("''", '"'))
    except (RuntimeError, ValueError):
        return None
    listed = gemmi.find_spacegroup_by_ops(group)
    operations = from_gemmi(group)
    if listed is not None:
        return Setting(listed.xhm(), listed.number, frozenset(), operations)
    found = space_group_of_operations(operations)
    return None if found is None else Setting(symbol, found, frozenset(), operations)


def split_suffix(symbol: str) -> tuple[str, list[str]]:
    """A symbol without blanks, in lower case, and the codes of its setting."""
    text = re.sub(r"\(([1-6])\)", r"\1", symbol.strip().strip("*'\"").lower())
    text, *codes = (part.strip() for part in text.split(":"))
    for words, code in WORDS:
        match = re.search(rf"[\s(\[,;]*\b{words}\b[\s)\]]*", text)
        if match:
            codes.append(match.expand(code))
            text = text[: match.start()] + text[match.end() :]
    base = squeeze(text)
    if base not in names():
        for suffix, code in ICSD_SUFFIXES.items():
            if base.endswith(suffix) and base.removesuffix(suffix) in names():
                return base.removesuffix(suffix), [*codes, code]
    return base, codes


def squeeze(name: str) -> str:
    """Lower case, without blanks and underscores."""
    return re.sub(r"[\s_]", "", name.lower())


def named(base: str) -> tuple[Setting, ...]:
    """Settings of a symbol without suffix; gemmi knows a few spellings beyond the tables."""
    indices = names().get(base)
    if indices is None:
        group = gemmi.find_spacegroup_by_name(base)
        indices = () if group is None else names().get(squeeze(group.hm), ())
    return tuple(all_settings()[index] for index in indices)


@cache
def all_settings() -> tuple[Setting, ...]:
    """The settings of gemmi's table; the first 530 are those of the Hall table, in its order."""
    return tuple(
        Setting(group.xhm(), group.number, codes_of(group), from_gemmi(group.operations()))
        for group in gemmi.spacegroup_table()
    )


def codes_of(group: gemmi.SpaceGroup) -> frozenset[str]:
    """Codes of a setting: origin or axes, unique axis and cell choice, order of the axes."""
    choice, extension = group.qualifier.lower(), group.ext.strip("\0 ").lower()
    codes = {extension, choice, extension + choice}
    if not choice and 16 <= group.number <= 74:
        codes |= {"abc", extension + "abc"}
    if re.fullmatch(r"-?[abc]\d?", choice):
        codes |= {choice.rstrip("123"), choice.lstrip("-abc")}
    return frozenset(codes - {""})


@cache
def names() -> dict[str, tuple[int, ...]]:
    """Squeezed symbol -> indices of the settings that it may stand for."""
    found: dict[str, list[int]] = {}
    for index, group in enumerate(gemmi.spacegroup_table()):
        spellings = {group.hm}
        if index < HALL_SETTINGS:
            kind = spglib.get_spacegroup_type(index + 1)
            assert kind is not None
            spellings.add(kind.international_full)
            # The short symbols of monoclinic groups are those of the standard setting.
            if not 3 <= group.number <= 15:
                spellings |= {kind.international_short, kind.international}
        if 3 <= group.number <= 15:
            spellings.add(" ".join(part for part in group.hm.split() if part != "1"))
        if group.number >= 195:
            # Before 1983 the bar of m-3 was not written.
            spellings |= {spelling.replace(" -3", " 3") for spelling in spellings}
        for spelling in {squeeze(spelling) for spelling in spellings}:
            found.setdefault(spelling, []).append(index)
    return {spelling: tuple(indices) for spelling, indices in found.items()}


def from_gemmi(group: gemmi.GroupOps) -> SymmetryOperations:
    """Operations as arrays."""
    operations = list(group)
    rotations = np.array([operation.rot for operation in operations]) / DENOMINATOR
    translations = np.array([operation.tran for operation in operations]) / DENOMINATOR
    return SymmetryOperations(rotations, translations)


def operation_table(operations: SymmetryOperations) -> frozenset[tuple[int, ...]]:
    """Operations as integers: the rotation, and the translation in 1/72 of the cell, modulo 1."""
    rotations = np.rint(operations.rotations).astype(int).reshape(-1, 9)
    translations = np.rint(operations.translations * 72).astype(int) % 72
    return frozenset(map(tuple, np.hstack([rotations, translations]).tolist()))
