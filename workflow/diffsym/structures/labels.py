"""What the labels of atoms stand for, and the formulae that decide between readings."""

import re

from pymatgen.core import Element

from diffsym.structures.entries import HYDROGEN, EntryError, Mixture, RejectionCode

FORMULA_PART = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")
"""Element and amount in a formula."""

WATER = re.compile(r"Wat|[HD]\d?O")
"""Labels of water and hydronium, whose hydrogen atoms were not located: the oxygen is meant."""


def parse_formula(formula: str) -> dict[int, float]:
    """Amounts by atomic number of a formula such as '(K.84 Na.16) Ca4 Si8 O28 F H16'.

    The database's brackets only group the elements of mixed sites. Deuterium counts as hydrogen.
    """
    amounts: dict[int, float] = {}
    for symbol, amount in FORMULA_PART.findall(formula):
        number = Element(symbol).Z
        amounts[number] = amounts.get(number, 0.0) + float(amount or 1)
    return amounts


def element_of(label: str, elements: set[int]) -> int:
    """Atomic number that an atom label stands for.

    Labels carry site names behind the symbol (FeM1, SiT, Ob, CaX, O-H1, Fe3+M). Where two
    readings are possible, such as Co and C with 'o', the formula decides; a symbol of two letters
    that the formula contains wins. Water is read as its oxygen.

    Parameters
    ----------
    label
        Label of the site.
    elements
        Atomic numbers in the entry's formula.
    """
    if WATER.match(label):
        return 8
    symbols = [label[:length] for length in (2, 1) if Element.is_valid_symbol(label[:length])]
    for symbol in symbols:
        if Element(symbol).Z in elements:
            return Element(symbol).Z
    # Traces of less than half a thousandth are missing in the formula.
    if symbols and label.rstrip("0123456789") == symbols[0]:
        return Element(symbols[0]).Z
    raise EntryError(
        RejectionCode.UNKNOWN_LABEL, f"the label '{label}' fits no element of the formula"
    )


def drop_unlocated_hydrogen(mixture: Mixture) -> Mixture:
    """Remove hydrogen that was not located and so put onto the atom that it belongs to.

    The occupancies of such a site (an ammonium ion, say) add up to more than 1.
    """
    if sum(occupancy for _, occupancy in mixture) <= 1:
        return mixture
    heavy = tuple((number, occupancy) for number, occupancy in mixture if number != HYDROGEN)
    return heavy or mixture
