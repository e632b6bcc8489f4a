"""Space-group symbols as printed in International Tables.

Strings from databases are never typeset: they are escaped and shown as they are.
"""

import re
from functools import cache

import spglib
from markupsafe import Markup, escape

TOKEN = re.compile(r"-(?P<bar>\d)|(?P<axis>\d)_(?P<screw>\d)|(?P<letter>[A-Za-z])|(?P<other>.)")


@cache
def _symbols() -> dict[int, str]:
    """Short Hermann-Mauguin symbol of each space group in its first Hall setting."""
    symbols: dict[int, str] = {}
    for hall_number in range(1, 531):
        group = spglib.get_spacegroup_type(hall_number)
        assert group is not None
        symbols.setdefault(group.number, group.international_short)
    return symbols


def symbol(space_group: int) -> str:
    """Short Hermann-Mauguin symbol as plain text: "P6_3/mmc", "Fm-3m"."""
    return _symbols()[space_group]


def _typeset(plain: str, bar: Markup) -> Markup:
    """Italic letters, subscript screw axes, and rotoinversions by the template `bar`."""
    parts = []
    for token in TOKEN.finditer(plain):
        if token["bar"]:
            parts.append(bar.format(token["bar"]))
        elif token["axis"]:
            parts.append(Markup("{axis}<sub>{screw}</sub>").format(**token.groupdict()))
        elif token["letter"]:
            parts.append(Markup("<i>{}</i>").format(token["letter"]))
        else:
            parts.append(escape(token["other"]))
    return Markup("").join(parts)


def symbol_html(space_group: int) -> Markup:
    """Symbol as HTML: overbars by the style sheet's class `bar`, screw axes as subscripts."""
    typeset = _typeset(symbol(space_group), Markup('<span class="bar">{}</span>'))
    return Markup('<span class="sg">{}</span>').format(typeset)


def symbol_plotly(space_group: int) -> str:
    """Symbol for Plotly's labels, which know <i> and <sub> but no style sheet.

    The overbar is the combining overline, U+0305.
    """
    return str(_typeset(symbol(space_group), Markup("{}\u0305")))


def label_plotly(space_group: int) -> str:
    """Symbol and number for Plotly's labels, "Fm-3m (225)"."""
    return f"{symbol_plotly(space_group)} ({space_group})"


def roman(number: int) -> str:
    """A number from 1 to 399 in Roman numerals, as articles number ensemble members."""
    numerals = {100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}
    text = ""
    for value, letters in numerals.items():
        count, number = divmod(number, value)
        text += count * letters
    return text


def formula_html(formula: str) -> Markup:
    """Chemical formula with subscript amounts; everything else is escaped."""
    pieces = re.split(r"(?<=[A-Za-z)])(\d+(?:\.\d+)?)", formula)
    return Markup("").join(
        Markup("<sub>{}</sub>").format(piece) if position % 2 else escape(piece)
        for position, piece in enumerate(pieces)
    )
