"""Answers of members and their mean by hand, and their tables."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym import tables
from diffsym.errors import DiffsymError
from diffsym.evaluation.members import (
    Answer,
    MemberVolumes,
    answers_by_member,
    volumes_by_member,
)
from diffsym.report.sections.members import member_answers_table, member_volumes_table

CLASSES = [166, 194, 225]
PROBABILITIES = np.array([[0.5, 0.375, 0.125], [0.0, 0.75, 0.25]])


def make_member(number, true_volume):
    return pa.table(
        {
            "structure_id": ["rruff:quartz", "rruff:gold"],
            "role": ["measured"] * 2,
            "member": pa.array([number] * 2, pa.int16()),
            "space_group": pa.array([None, 225], pa.uint8()),
            "probabilities": tables.fixed_size_rows(
                np.stack([PROBABILITIES[number], [0, 0, 1]]).astype(np.float32)
            ),
            "volume": [80.0 if number else 45.0, 17.0],
            "true_volume": pa.array([true_volume, None], pa.float64()),
        },
        schema=tables.predictions_schema(CLASSES, (4.0, 1.0)),
    )


@pytest.fixture
def members():
    return [make_member(0, 75.0), make_member(1, 75.0)]


def test_answers_by_hand(members):
    first, second = answers_by_member(members, "rruff:quartz", top=2)
    assert first == [
        Answer(166, 0.5),
        Answer(194, 0.75),
        Answer(194, 0.5625),
    ]
    assert [answer.space_group for answer in second] == [194, 225, 166]


def test_volumes_by_hand(members):
    assert volumes_by_member(members, "rruff:quartz") == MemberVolumes(
        [45.0, 80.0], pytest.approx(60.0), 75.0
    )
    assert volumes_by_member(members, "rruff:gold").true is None


def test_unknown_pattern_is_named(members):
    with pytest.raises(DiffsymError, match="0 rows for rruff:opal"):
        answers_by_member(members, "rruff:opal")


def test_tables_of_patterns(members):
    names = ("rruff:quartz", "rruff:gold")
    answers = member_answers_table(
        {name: answers_by_member(members, name, top=2) for name in names}
    )
    assert answers.columns == ["pattern", "", "member 1", "member 2", "mean"]
    assert [row[:2] for row in answers.rows] == [
        ["rruff:quartz", "1"],
        ["", "2"],
        ["rruff:gold", "1"],
        ["", "2"],
    ]
    assert "194" in answers.rows[0][4]
    assert "(56\u202f%)" in answers.rows[0][4]
    sizes = member_volumes_table({name: volumes_by_member(members, name) for name in names})
    assert sizes.columns == ["pattern", "member 1", "member 2", "mean", "true", "mean: error / %"]
    assert sizes.rows[0] == ["rruff:quartz", "45.0", "80.0", "60.0", "75.0", "\u221220.0"]
    assert sizes.rows[1][-2:] == ["", ""]
