"""Which atoms a site of a CIF holds: from its type symbol, or else from its label.

A type symbol is believed. A label is read only where one reading is possible, given the elements
of the formula or of the list of atom types: 'CA' may be calcium or a carbon atom, 'T1' is no
tritium. What stays open is refused.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from pymatgen.core import Composition, Element

from diffsym.structures.entries import HYDROGEN, EntryError, RejectionCode
from diffsym.structures.labels import element_of

NITROGEN, NEODYMIUM = 7, 60
DEUTERIUM, TRITIUM = "D", "T"

WATER = r"wat(er)?\d*|[hd][23]o\d*[+]?|o-?[hd]2?(?![a-z]).*|o[hdw](?![a-z]).*"
AMMONIUM = r"n[hd][2-4]?(?![a-z0-9]).*|n[hd][2-4]"
GROUPS = ((re.compile(WATER, re.IGNORECASE), "O"), (re.compile(AMMONIUM, re.IGNORECASE), "N"))
"""Water, hydroxyl and ammonium, whose hydrogen was not located: the heavy atom is meant."""

VACANCY = re.compile(r"va|vac|vacancy|vcy|dum|dummy|\u25a1", re.IGNORECASE)
"""Type symbols of sites that hold nothing."""

ISOTOPE = re.compile(r"(\d{1,3})([A-Z][a-z]?|[A-Z]{2})(?=$|[^a-z])(.*)")
CHARGE = r"(?:[+-]\d*\.?\d*|\d*\.?\d*[+-]|\(.*\)|\d*)"
TYPE = re.compile(rf"([A-Za-z]{{1,2}}){CHARGE}[',.]?")
VALENCE = re.compile(r"([A-Z][a-z]?)(?:va?l?|iso)", re.IGNORECASE)
"""Scattering factors of valence states: Cval, Siva."""

AMOUNT = r"(?:\d*\.?\d+(?:\(\d+\))?)"
PART = re.compile(rf"({AMOUNT})?\s*([A-Z][a-z]?)(?:\d*[+-](?=[^.\d]|$))?\s*({AMOUNT})?")

LIGHT = frozenset({1, 3, 6, 7, 8})
"""Elements of which no tetrahedral framework is made: T beside them is tritium."""

TWO_READINGS = {"CO", "NO", "HO", "PO", "CN"}
"""In capitals: an element, or a group of two atoms."""


@dataclass(frozen=True)
class Species:
    """What a site holds.

    Attributes
    ----------
    parts
        Atomic number and share of each element; empty for a vacancy. Shares add up to 1 for a
        single element and to the site's occupancy for a mixture that is written out.
    sure
        Whether the file says so itself; a label that no formula supports is no such statement.
    deuterium
        Whether the hydrogen of the site is deuterium.
    """

    parts: tuple[tuple[int, float], ...]
    sure: bool
    deuterium: bool = False


def read_species(type_symbol: str, label: str, elements: frozenset[int]) -> Species:
    """Read a site's species.

    Parameters
    ----------
    type_symbol
        `_atom_site_type_symbol`, empty if it is unknown.
    label
        `_atom_site_label`, empty if it is unknown.
    elements
        Atomic numbers that the formula or the list of atom types names; empty if there is neither.

    Raises
    ------
    EntryError
        If the element stays open, or a mixture comes without its occupancies.
    """
    if type_symbol:
        return species_of_type(type_symbol, elements)
    return species_of_label(label, elements)


@lru_cache(maxsize=4096)
def species_of_type(symbol: str, elements: frozenset[int]) -> Species:
    """Read a type symbol: an element, with isotope and charge, a group, a vacancy or a mixture."""
    text = symbol.strip("'\" ")
    if VACANCY.fullmatch(text) and not (text[:1] in "Vv" and 23 in elements and len(text) == 2):
        return Species((), sure=True)
    isotope = ISOTOPE.fullmatch(text)
    if isotope:
        number = atomic_number(isotope[2])
        if number and number <= int(isotope[1]) <= 3 * number:
            return Species(((number, 1.0),), True, isotope[2] == "H" and isotope[1] == "2")
    bare = text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text
    group = group_atom(bare, elements)
    if group:
        return Species(((group, 1.0),), sure=True)
    valence = VALENCE.fullmatch(text)
    match = valence or TYPE.fullmatch(text)
    if match:
        letters = match[1]
        if letters.upper() in (DEUTERIUM, TRITIUM):
            if letters.upper() == TRITIUM and not (HYDROGEN in elements and elements <= LIGHT):
                raise unknown(symbol, "may be tritium or a tetrahedral site")
            return Species(((HYDROGEN, 1.0),), True, letters.upper() == DEUTERIUM)
        number = atomic_number(letters)
        if number and is_decided(letters, text, number, elements):
            return Species(((number, 1.0),), sure=True)
    parts = mixture_parts(bare)
    if parts:
        return Species(parts, sure=True)
    raise unknown(symbol, "is no element")


def is_decided(letters: str, text: str, number: int, elements: frozenset[int]) -> bool:
    """Whether two letters are sure to be one element; capitals such as CO may be two."""
    if letters not in TWO_READINGS or text.endswith("+") or "+" in text:
        return True
    halves = {atomic_number(letter) for letter in letters}
    if number in elements and not halves <= elements:
        return True
    raise unknown(text, f"may be {letters.capitalize()} or {' and '.join(letters)}")


def species_of_label(label: str, elements: frozenset[int]) -> Species:
    """Read a label where one reading is possible.

    With the elements of the formula, `diffsym.structures.labels.element_of` decides, as it does
    for the AMCSD; without, the symbol has to be plain.
    """
    text = label.strip("'\" ()[]")
    if re.match(r"[HD][Oo]\d*$", text) and not text.startswith("Ho"):
        raise unknown(label, "may be a hydroxyl group or the hydrogen atom of an oxygen")
    group = group_atom(text, elements)
    if group and (not elements or group in elements):
        return Species(((group, 1.0),), sure=True)
    if re.match(r"[Tt]\d*$", text) or VACANCY.fullmatch(text.rstrip("0123456789")):
        raise unknown(label, "names no element")
    readings = label_readings(text)
    if text[:1] == DEUTERIUM and (not readings or HYDROGEN in elements):
        readings = [*readings, DEUTERIUM]
    possible = [s for s in readings if not elements or atomic_number(s, isotopes=True) in elements]
    if not possible and readings and text.rstrip("0123456789") == readings[0]:
        possible = readings[:1]  # a trace that the formula leaves out
    proper = [s for s in possible if text.startswith(s) and len(s) == 2]
    chosen = proper or possible
    if len(chosen) != 1:
        raise unknown(label, f"may be {' or '.join(chosen)}" if chosen else "names no element")
    if text.startswith(chosen[0]) and chosen[0] != DEUTERIUM and elements:
        number = element_of(text, set(elements))
        if number != atomic_number(chosen[0]):
            raise unknown(label, "fits two elements")
    number = atomic_number(chosen[0], isotopes=True) or 0
    return Species(((number, 1.0),), bool(elements), chosen[0] == DEUTERIUM)


def label_readings(text: str) -> list[str]:
    """Symbols that a label may begin with, the longer first.

    What follows is a site's name: a digit, a sign, capitals, or one small letter (Ob, FeM1, O1a).
    Another symbol (AlSi) is a mixture.
    """
    readings = []
    for length in (2, 1):
        symbol = text[:length].capitalize()
        if len(symbol) < length or not Element.is_valid_symbol(symbol) or symbol in ("D", "T"):
            continue
        rest = text[length:]
        follows = re.match(r"([A-Z][a-z])", rest)
        if follows and Element.is_valid_symbol(follows[1]) and text[:length] == symbol:
            raise EntryError(
                RejectionCode.MIXTURE,
                f"the label '{text}' names several elements without their occupancies; list each "
                "with its own _atom_site_type_symbol and _atom_site_occupancy",
            )
        if not re.match(r"[a-z]{2}", rest):
            readings.append(symbol)
    return readings


def group_atom(text: str, elements: frozenset[int]) -> int | None:
    """Atomic number of the heavy atom of water, hydroxyl or ammonium.

    'ND' in capitals is neodymium if the formula has it, or if the charge is positive.
    """
    if text.startswith("ND"):
        neodymium, nitrogen = NEODYMIUM in elements, NITROGEN in elements
        if neodymium != nitrogen:
            return NITROGEN if nitrogen else None
        if text.endswith("+") and text != "ND4+":
            return None
        if text not in {"ND4", "ND4+"}:
            raise unknown(text, "may be Nd or N and D")
    if Element.is_valid_symbol(text[:2]) and text[:2] not in ("OH", "OD", "NH", "ND"):
        return None
    symbol = next((symbol for pattern, symbol in GROUPS if pattern.fullmatch(text)), None)
    return None if symbol is None else int(Element(symbol).Z)


def mixture_parts(text: str) -> tuple[tuple[int, float], ...]:
    """Elements and shares of a mixture such as '0.8Nb + 0.2Zr' or 'Fe0.5Ni0.5'.

    Raises
    ------
    EntryError
        If several elements are named without their shares.
    """
    pieces = [piece for piece in re.split(r"\s*[+,/;]\s*|\s+", text) if piece]
    found: list[tuple[str, str]] = []
    for piece in pieces:
        matches = list(PART.finditer(piece))
        if "".join(match[0] for match in matches) != piece or not matches:
            return ()
        found.extend((match[2], match[1] or match[3] or "") for match in matches)
    numbers = [atomic_number(symbol, isotopes=True) for symbol, _ in found]
    if len(found) < 2 or not all(numbers):
        return ()
    shares = [float(amount.partition("(")[0]) if amount else None for _, amount in found]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares) or not 0 < sum(known) <= 1.02:
        raise EntryError(
            RejectionCode.MIXTURE,
            f"the type symbol '{text}' names several elements without their occupancies; list "
            "each in a row of its own with _atom_site_occupancy",
        )
    return tuple((number or 0, share) for number, share in zip(numbers, known, strict=True))


def unknown(text: str, why: str) -> EntryError:
    """The refusal of a symbol or label."""
    return EntryError(
        RejectionCode.UNKNOWN_LABEL,
        f"'{text}' {why}; give the element as _atom_site_type_symbol",
    )


def atomic_number(symbol: str, *, isotopes: bool = False) -> int | None:
    """Atomic number of a symbol in any case; D and T only as isotopes of hydrogen."""
    name = symbol.capitalize()
    if name in (DEUTERIUM, TRITIUM):
        return HYDROGEN if isotopes else None
    return int(Element(name).Z) if Element.is_valid_symbol(name) else None


def stated_formula(text: str | None, present: frozenset[int]) -> tuple[dict[int, float], bool]:
    """Amounts by atomic number of a formula, and whether it names deuterium.

    Parameters
    ----------
    text
        `_chemical_formula_sum`: symbols in any case, with amounts, separated by blanks.
    present
        Atomic numbers that the sites hold for sure; they decide whether 'CO' is cobalt.

    Returns
    -------
    tuple
        Empty amounts if the text is no formula.
    """
    amounts: dict[int, float] = {}
    deuterium = False
    if not text:
        return amounts, deuterium
    words = [word for word in text.strip("'\"").split() if not re.fullmatch(r"\d*[+-]", word)]
    for word in words:
        match = re.fullmatch(r"([A-Za-z]{1,2})(\d*\.?\d*)(?:\(\d+\))?", word)
        symbols = [match[1]] if match else []
        if match and match[1].isupper() and len(match[1]) == 2:
            halves = [atomic_number(letter, isotopes=True) for letter in match[1]]
            whole = atomic_number(match[1])
            if whole is None or (whole not in present and set(halves) <= present):
                symbols = list(match[1])
        numbers = [atomic_number(symbol, isotopes=True) for symbol in symbols]
        if not match or not all(numbers):
            return compact_formula(text) if len(words) == 1 or "(" in text else ({}, False)
        deuterium = deuterium or any(symbol.upper() == DEUTERIUM for symbol in symbols)
        for index, number in enumerate(numbers):
            last = index == len(numbers) - 1
            amount = float(match[2]) if last and match[2] not in ("", ".") else 1.0
            amounts[number or 0] = amounts.get(number or 0, 0.0) + amount
    return amounts, deuterium


def compact_formula(text: str) -> tuple[dict[int, float], bool]:
    """A formula without blanks or with brackets, read by pymatgen."""
    try:
        composition = Composition(text.strip("'\""))
    except ValueError:
        return {}, False
    amounts: dict[int, float] = {}
    for species, amount in composition.items():
        if not isinstance(species, Element):
            return {}, False
        amounts[species.Z] = amounts.get(species.Z, 0.0) + amount
    return amounts, any(species.symbol == DEUTERIUM for species in composition)
