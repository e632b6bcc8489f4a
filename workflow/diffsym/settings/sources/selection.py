"""Which entries of a source are wanted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import MinLen

from diffsym.errors import nearest
from diffsym.settings.base import Count, Section

_PERIODS = """
H He
Li Be B C N O F Ne
Na Mg Al Si P S Cl Ar
K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe
Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn
Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf
"""
SYMBOLS = tuple(_PERIODS.split())
"""The elements that have form factors, in the order of their atomic numbers."""

Elements = Annotated[tuple[str, ...], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class Selection(Section):
    """Filters of a source; an entry becomes a structure only if it passes them all.

    What they leave out is counted, and is in `results/rejected.parquet` with the stage `select`.
    """

    elements: Elements | None = None
    """Symbols: only structures of these elements, not necessarily all of them; null: of any."""
    excluded_elements: Elements | None = None
    """Symbols: no structure with any of these elements; null: none is excluded."""
    exclude_carbon_with_hydrogen: bool = False
    """Whether structures with both carbon and hydrogen are left out."""
    ordered: bool = False
    """Whether structures with mixed or partly occupied sites are left out."""
    max_sites: Count | None = None
    """Largest number of sites in the primitive cell, a mixed one counted once; null: no limit."""
    years: tuple[int, int] | None = None
    """First and last year of publication; entries of an unknown year are left out; null: any."""

    def __post_init__(self) -> None:
        _check_symbols("elements", self.elements or ())
        _check_symbols("excluded_elements", self.excluded_elements or ())
        both = set(self.elements or ()) & set(self.excluded_elements or ())
        if both:
            raise ValueError(
                f"excluded_elements: {', '.join(sorted(both))} is in elements, too; "
                "name it in one of them"
            )
        if self.years is not None and self.years[0] > self.years[1]:
            raise ValueError("years: the first year is after the last one; swap them")


def _check_symbols(key: str, symbols: Iterable[str]) -> None:
    """Refuse what is no symbol of an element."""
    for symbol in symbols:
        if symbol not in SYMBOLS:
            hint = nearest(symbol.capitalize(), SYMBOLS)
            raise ValueError(f"{key}: '{symbol}' is no element with a form factor{hint}")
