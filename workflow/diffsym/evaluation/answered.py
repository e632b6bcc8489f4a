"""How often answers to measured patterns are right, where their space groups are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.evaluation.bootstrap import bootstrap_means, with_interval
from diffsym.evaluation.scores import Bootstrap, Interval
from diffsym.structures.space_groups import mirror_image

WITHIN = (1, 6)
"""Of so many first answers the right one is one."""


@dataclass(frozen=True)
class AnsweredScores:
    """Scores of a set of patterns.

    Attributes
    ----------
    labelled
        Patterns whose group is known.
    within
        Share of these whose group is among the first of `WITHIN`.
    covered
        Share of these whose group is in the 90 % set.
    certain
        Those with a certain answer.
    certain_right
        How many of these name the right group or its mirror image.
    """

    labelled: int
    within: tuple[Interval, ...]
    covered: Interval
    certain: int
    certain_right: int


def _answers(row: Mapping[str, Any]) -> list[list[int]]:
    """Groups of each answer that may hold the right one."""
    return [*(row["ranked"][:n] for n in WITHIN), row["set_90"]]


def answered_scores(answers: pa.Table, bootstrap: Bootstrap) -> AnsweredScores | None:
    """Score a set; None if no group is known.

    Parameters
    ----------
    answers
        The documented table of answers.
    bootstrap
        How intervals are computed, over patterns.
    """
    rows = answers.filter(pc.is_valid(answers["space_group"])).to_pylist()
    if not rows:
        return None
    right = np.array(
        [[row["space_group"] in answer for answer in _answers(row)] for row in rows],
        float,
    )
    samples = bootstrap_means(right, [row["pattern_id"] for row in rows], bootstrap)
    *within, covered = [
        with_interval(value, column, bootstrap.confidence)
        for value, column in zip(right.mean(axis=0), samples.T, strict=True)
    ]
    certain = [row for row in rows if row["certain"]]
    return AnsweredScores(
        labelled=len(rows),
        within=tuple(within),
        covered=covered,
        certain=len(certain),
        certain_right=sum(
            row["space_group"] in {row["ranked"][0], mirror_image(row["ranked"][0])}
            for row in certain
        ),
    )
