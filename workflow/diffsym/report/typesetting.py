"""Space-group symbols as printed in International Tables, formulae and counts.

Other strings from databases are never typeset: they are escaped and shown as they are.
"""

import re

from markupsafe import Markup, escape
from pymatgen.util.string import htmlify

from diffsym.structures.space_groups import symbol

NARROW_SPACE = "\u202f"
"""Separates thousands, and a number from its percent sign; no line breaks there."""

TOKEN = re.compile(r"-(?P<bar>\d)|(?P<axis>\d)_(?P<screw>\d)|(?P<letter>[A-Za-z])|(?P<other>.)")


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


def formula_html(formula: str) -> Markup:
    """Chemical formula with subscript amounts; everything else is escaped."""
    return Markup(htmlify(str(escape(formula))))  # noqa: S704 - escaped, then given subscripts


def thousands(count: float) -> str:
    """An integer with narrow spaces between thousands, "9 275", like Plotly's axes."""
    return f"{count:,.0f}".replace(",", NARROW_SPACE)
