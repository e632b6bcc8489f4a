"""Blocks on the answers of the search to measured patterns."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from diffsym.evaluation.answered import answered_scores
from diffsym.evaluation.scores import Bootstrap
from diffsym.report.sections.blocks import (
    Block,
    Cell,
    TableBlock,
    group_cell,
    percent,
    percent_interval,
)

SHOWN = 40
"""Patterns of a set whose answers are shown."""


def answered_blocks(answered: Mapping[str, pa.Table]) -> list[Block]:
    """Accuracy of the search on sets of known groups, and the answers to the first patterns."""
    blocks: list[Block] = []
    if rows := [row for name, table in answered.items() for row in _scores(name, table)]:
        blocks.append(
            TableBlock(
                ["patterns", "known", "first answer", "first six", "90 % set", "certain, right"],
                rows,
                "Search among all structures of the study, without a network (docs/predict.md): "
                "share of patterns whose group is the first answer, one of the first six, or in "
                "the set that is meant to hold nine of ten; 95 % bootstrap intervals over "
                "patterns. Last: answers that count as certain, and how many of these are right.",
                numeric=range(1, 6),
            )
        )
    return blocks + [_answers(name, table) for name, table in answered.items()]


def _scores(name: str, table: pa.Table) -> list[list[Cell]]:
    """The row of a set, if a group is known."""
    scores = answered_scores(table, Bootstrap())
    if scores is None:
        return []
    return [
        [
            name,
            f"{scores.labelled} of {table.num_rows}",
            *map(percent_interval, (*scores.within, scores.covered)),
            f"{scores.certain}, {scores.certain_right}",
        ]
    ]


def _answers(name: str, table: pa.Table) -> TableBlock:
    """The first answers to the first patterns."""
    more = max(table.num_rows - SHOWN, 0)
    return TableBlock(
        ["pattern", "known", "answer", "first six, with probabilities", "nearest structure"],
        [_answer(row) for row in table.slice(0, SHOWN).to_pylist()],
        "Likeliest space groups by a search among all structures of the study, and the structure "
        "that resembles the pattern most, with its score"
        + (f"; {more} more patterns are in results/answered/{name}.parquet." if more else "."),
        title=f"Answers of the search: {name}",
        collapsed=True,
    )


def _answer(row: Mapping[str, Any]) -> list[Cell]:
    groups: Sequence[Markup] = [
        Markup("{} {}").format(group_cell(group), percent(probability))
        for group, probability in zip(row["ranked"], row["probabilities"], strict=True)
    ]
    nearest = (
        f"{row['formulas'][0]}, {row['nearest'][0]}, {row['scores'][0]:.2f}"
        if row["nearest"]
        else ""
    )
    return [
        row["pattern_id"],
        "" if row["space_group"] is None else group_cell(row["space_group"]),
        "certain" if row["certain"] else f"not certain: {row['reason']}",
        Markup(", ").join(groups),
        nearest,
    ]
