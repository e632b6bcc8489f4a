"""The filters of a source: which of its entries are wanted."""

from diffsym.settings.sources.selection import SYMBOLS, Selection
from diffsym.structures.entries import (
    HYDROGEN,
    OCCUPANCY_DECIMALS,
    Entry,
    EntryError,
    RejectionCode,
)

STAGE = "select"
"""Stage of the rejected table that the filters are."""

CARBON = 6


def check_selected(entry: Entry, selection: Selection) -> None:
    """Raise `EntryError` with the code of the first filter that leaves an entry out.

    The number of sites is no matter of the entry, see `check_sites`.

    Parameters
    ----------
    entry
        An entry as its source gives it.
    selection
        The filters.
    """
    check_elements(elements_of(entry), selection)
    if selection.ordered and not is_ordered(entry):
        raise EntryError(RejectionCode.DISORDERED, "a site is mixed or partly occupied")
    if selection.years is not None:
        check_year(entry.year, selection.years)


def elements_of(entry: Entry) -> set[int]:
    """Atomic numbers of all elements on its sites and in its stated formula.

    Hydrogen is often in the formula only.
    """
    return entry.amounts().keys() | entry.expected_composition.keys()


def check_elements(found: set[int], selection: Selection) -> None:
    """Only wanted elements, no excluded one, and not carbon with hydrogen if these are excluded."""
    symbols = [symbol_of(number) for number in sorted(found)]
    unwanted = [s for s in symbols if s in (selection.excluded_elements or ())]
    if selection.elements is not None:
        unwanted += [s for s in symbols if s not in selection.elements]
    if unwanted:
        raise EntryError(RejectionCode.ELEMENTS, f"it contains {', '.join(unwanted)}")
    if selection.exclude_carbon_with_hydrogen and {CARBON, HYDROGEN} <= found:
        raise EntryError(RejectionCode.CARBON_WITH_HYDROGEN, "it contains carbon and hydrogen")


def symbol_of(number: int) -> str:
    """Symbol of an atomic number, which may be that of no element with a form factor."""
    return SYMBOLS[number - 1] if 1 <= number <= len(SYMBOLS) else f"Z = {number}"


def is_ordered(entry: Entry) -> bool:
    """Whether each site holds one whole atom."""
    return all(
        len(mixture) == 1 and round(mixture[0][1], OCCUPANCY_DECIMALS) >= 1
        for mixture in entry.mixtures
    )


def check_year(year: int | None, years: tuple[int, int]) -> None:
    """A known year within the first and the last."""
    first, last = years
    if year is None:
        raise EntryError(RejectionCode.YEAR, "its year of publication is not known")
    if not first <= year <= last:
        raise EntryError(RejectionCode.YEAR, f"it was published in {year}")


def check_sites(count: int, max_sites: int) -> None:
    """Not more sites in the primitive cell than wanted."""
    if count > max_sites:
        raise EntryError(RejectionCode.SITES, f"its primitive cell has {count} sites")
