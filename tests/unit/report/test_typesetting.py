"""Symbols as International Tables print them, and nothing but markup of our own."""

import re

import pytest

from diffsym.report.typesetting import formula_html, symbol_html, symbol_plotly, thousands
from diffsym.structures.space_groups import symbol


@pytest.mark.parametrize(
    ("number", "plain", "html", "plotly"),
    [
        (
            194,
            "P6_3/mmc",
            "<i>P</i>6<sub>3</sub>/<i>m</i><i>m</i><i>c</i>",
            "<i>P</i>6<sub>3</sub>/<i>m</i><i>m</i><i>c</i>",
        ),
        (
            225,
            "Fm-3m",
            '<i>F</i><i>m</i><span class="bar">3</span><i>m</i>',
            "<i>F</i><i>m</i>3\u0305<i>m</i>",
        ),
        (14, "P2_1/c", "<i>P</i>2<sub>1</sub>/<i>c</i>", "<i>P</i>2<sub>1</sub>/<i>c</i>"),
        (2, "P-1", '<i>P</i><span class="bar">1</span>', "<i>P</i>1\u0305"),
        (
            19,
            "P2_12_12_1",
            "<i>P</i>2<sub>1</sub>2<sub>1</sub>2<sub>1</sub>",
            "<i>P</i>2<sub>1</sub>2<sub>1</sub>2<sub>1</sub>",
        ),
    ],
)
def test_symbols(number, plain, html, plotly):
    assert symbol(number) == plain
    assert symbol_html(number) == f'<span class="sg">{html}</span>'
    assert symbol_plotly(number) == plotly


def test_every_symbol_is_short_and_different():
    symbols = [symbol(number) for number in range(1, 231)]
    assert len(set(symbols)) == 230
    for number, text in enumerate(symbols, start=1):
        letters_and_digits = re.sub(r"<[^>]+>", "", symbol_html(number))
        assert letters_and_digits == text.replace("_", "").replace("-", "")


def test_formula_subscripts_and_escapes():
    assert formula_html("Ca5(PO4)3F") == ("Ca<sub>5</sub>(PO<sub>4</sub>)<sub>3</sub>F")
    assert formula_html("Fe0.95S") == "Fe<sub>0.95</sub>S"
    assert "<script" not in formula_html("<script>x2</script>")


def test_counts_have_narrow_spaces():
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert thousands(999) == "999"
