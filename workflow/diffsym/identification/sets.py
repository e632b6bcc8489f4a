"""Answers to whole sets of measured patterns."""

import pyarrow as pa

from diffsym.identification.answer import Answer, Evidence, answer_pattern
from diffsym.scattering.types import Radiation
from diffsym.tables import ANSWERED

TOP = 6
"""Space groups and structures that are kept of each answer."""


def answered(measured: pa.Table, evidence: Evidence) -> pa.Table:
    """Answer all patterns of a set.

    Parameters
    ----------
    measured
        The documented measured table.
    evidence
        What they are answered with.

    Returns
    -------
    pa.Table
        The documented table of answers.
    """
    rows = []
    for pattern in measured.to_pylist():
        answer = answer_pattern(
            pattern["two_theta"],
            pattern["intensity"],
            Radiation(pattern["wavelengths"], pattern["weights"]),
            evidence,
            top=TOP,
        )
        rows.append(_row(pattern["pattern_id"], pattern["space_group"], answer))
    return pa.Table.from_pylist(rows, schema=ANSWERED)


def _row(pattern_id: str, space_group: int | None, answer: Answer) -> dict[str, object]:
    return {
        "pattern_id": pattern_id,
        "space_group": space_group,
        "ranked": [one.space_group for one in answer.ranked],
        "probabilities": [one.probability for one in answer.ranked],
        "certain": answer.certain,
        "certainty": answer.certainty,
        "reason": answer.reason,
        "set_90": list(answer.set_90),
        "nearest": [one.structure_id for one in answer.nearest],
        "formulas": [one.formula for one in answer.nearest],
        "nearest_groups": [one.space_group for one in answer.nearest],
        "scores": [one.score for one in answer.nearest],
        "repairs": list(answer.repairs),
    }
