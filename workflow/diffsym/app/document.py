"""A page with the answers to files: tables, and a picture of each pattern."""

from collections.abc import Sequence
from html import escape

from diffsym.app.answers import FileAnswer, some
from diffsym.app.picture import Overlay, picture
from diffsym.identification.known import KnownStructures
from diffsym.identification.phases import lines_at
from diffsym.identification.preparation import prepared_stages
from diffsym.identification.search import NothingMeasuredError, prepare

OVERLAYS = 5
"""Structures whose lines are drawn."""

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; margin: 1.5rem auto; max-width: 62rem;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; overflow-wrap: anywhere; }
.tables { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: start; }
table { border-collapse: collapse; } th, td { padding: .2rem .6rem .2rem 0; text-align: left; }
th { border-bottom: 1px solid #999; font-weight: 600; } .number { text-align: right; }
.sure { color: #00664b; font-weight: 600; } .unsure { color: #9c3a00; font-weight: 600; }
svg { width: 100%; height: auto; margin-top: .8rem; } svg text { font-size: 11px; fill: #1a1a1a; }
svg .title { font-size: 12px; font-weight: 600; } polyline { fill: none; stroke-width: 1; }
.measured, .compared { stroke: #222; } .background { stroke: #D55E00; stroke-width: 1.5; }
.scroll { overflow-x: auto; }
"""


def page_of(answers: Sequence[FileAnswer], known: KnownStructures) -> str:
    """A page of HTML that needs nothing else.

    Parameters
    ----------
    answers
        A section each, in their order.
    known
        Structures of the answers, whose lines are drawn.
    """
    sections = "\n".join(_section(one, known) for one in answers)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Space groups of measured patterns</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<h1>Space groups of measured patterns</h1>\n{sections}\n</body>\n</html>\n"
    )


def _section(found: FileAnswer, known: KnownStructures) -> str:
    title = f"<h2>{escape(found.name)}</h2>"
    read, answer = found.read, found.answer
    if read is None or answer is None:
        return f'{title}\n<p class="unsure">{escape(found.error)}</p>'
    verdict = "certain" if answer.certain else "not certain enough"
    lengths = " and ".join(f"{length:g}" for length in read.wavelengths)
    facts = [
        f'<span class="{"sure" if answer.certain else "unsure"}">{verdict}</span>: '
        f"{escape(answer.reason)}.",
        f"Wavelength {lengths} Å.",
        *(f"{escape(repair)}." for repair in answer.repairs),
    ]
    if answer.ranked:
        facts.append(f"Crystal system {answer.crystal_system}. 90 % set: {some(answer.set_90)}.")
    return "\n".join([title, f"<p>{' '.join(facts)}</p>", _tables(found), _picture(found, known)])


def _tables(found: FileAnswer) -> str:
    answer = found.answer
    if answer is None or not answer.ranked:
        return ""
    groups = _table(
        ("space group", "", "probability"),
        [(str(one.space_group), one.symbol, f"{one.probability:.1%}") for one in answer.ranked],
    )
    structures = _table(
        ("score", "space group", "shift, °", "structure", "formula", "name"),
        [
            (
                f"{one.score:.2f}",
                str(one.space_group),
                f"{one.zero_shift:.2f}",
                one.structure_id,
                one.formula,
                one.name or "",
            )
            for one in answer.nearest
        ],
    )
    return f'<div class="tables scroll">\n{groups}\n{structures}\n</div>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>\n<tr>{titles}</tr>\n{lines}\n</table>"


def _picture(found: FileAnswer, known: KnownStructures) -> str:
    """The pattern and the lines of the nearest structures."""
    read, answer = found.read, found.answer
    if read is None or answer is None:
        return ""
    two_theta, intensity = read.pattern.two_theta, read.pattern.intensity
    stages = prepared_stages(two_theta, intensity, read.radiation)
    try:
        pattern = prepare(two_theta, intensity, read.radiation)
    except NothingMeasuredError:
        return picture(stages, [])
    rows = {name: row for row, name in enumerate(known.structure_ids)}
    overlays = [
        Overlay(
            label=f"{number}: {one.space_group}",
            space_group=one.space_group,
            two_theta=lines_at(pattern, known.lines, rows[one.structure_id]) + one.zero_shift,
        )
        for number, one in enumerate(answer.nearest[:OVERLAYS], start=1)
    ]
    return picture(stages, overlays)
