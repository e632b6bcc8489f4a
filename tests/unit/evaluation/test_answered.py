"""Scores of answers to measured patterns."""

import pyarrow as pa
import pytest

from diffsym.evaluation.answered import answered_scores
from diffsym.evaluation.scores import Bootstrap
from diffsym.tables import ANSWERED


def table_of(*rows):
    """Answers: label, ranked groups, the set, and whether it is certain."""
    return pa.Table.from_pylist(
        [
            {
                "pattern_id": f"lab:{number}",
                "space_group": label,
                "ranked": ranked,
                "probabilities": [1 / len(ranked)] * len(ranked),
                "certain": certain,
                "certainty": 0.5,
                "reason": "",
                "set_90": inside,
                "nearest": [],
                "formulas": [],
                "nearest_groups": [],
                "scores": [],
                "repairs": [],
            }
            for number, (label, ranked, inside, certain) in enumerate(rows)
        ],
        ANSWERED,
    )


def test_what_is_counted():
    scores = answered_scores(
        table_of(
            (225, [225, 216], [225], True),
            (216, [225, 216], [225], False),
            (62, [14, 2], [14, 62], True),
            # A mirror image has the same pattern.
            (152, [154, 152], [154], True),
            (None, [1], [1], True),
        ),
        Bootstrap(),
    )
    assert scores.labelled == 4
    assert [one.value for one in scores.within] == [0.25, 0.75]
    assert scores.covered.value == 0.5
    assert scores.within[0].low <= 0.25 <= scores.within[0].high
    assert (scores.certain, scores.certain_right) == (3, 2)


def test_without_labels_nothing_is_scored():
    assert answered_scores(table_of((None, [1], [1], True)), Bootstrap()) is None


@pytest.mark.parametrize("right", [0, 1])
def test_equal_patterns_leave_no_doubt(right):
    rows = [(225, [225 if right else 1], [1], False)] * 5
    [first, _] = answered_scores(table_of(*rows), Bootstrap()).within
    assert (first.low, first.value, first.high) == (right, right, right)
