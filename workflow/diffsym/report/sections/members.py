"""Tables of predictions for single patterns, by each ensemble member and by their mean."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from diffsym.evaluation.members import Answer, MemberVolumes
from diffsym.report.sections.blocks import Cell, TableBlock, group_cell, minus


def member_answers_table(
    answers: Mapping[str, Sequence[Sequence[Answer]]], *, title: str = ""
) -> TableBlock:
    """Most probable space groups of patterns from each member and from their mean.

    Parameters
    ----------
    answers
        Result of `diffsym.evaluation.members.answers_by_member` by pattern name.
    title
        Title of the table.
    """
    rows: list[list[Cell]] = [
        [
            name if rank == 1 else "",
            str(rank),
            *(
                Markup("{} ({:.0f}\u202f%)").format(
                    group_cell(answer.space_group), 100 * answer.probability
                )
                for answer in row
            ),
        ]
        for name, ranked in answers.items()
        for rank, row in enumerate(ranked, start=1)
    ]
    return TableBlock(
        ["pattern", "", *_member_columns(len(rows[0]) - 3)],
        rows,
        "Space groups and their probabilities from each ensemble member and from the mean "
        "probability. 0 % means less than 0.5 %. After Tables 4 and 5 of Ozaki et al. (2025).",
        title=title,
    )


def member_volumes_table(volumes: Mapping[str, MemberVolumes], *, title: str = "") -> TableBlock:
    """Predicted primitive volumes of patterns from each member and from their mean.

    Parameters
    ----------
    volumes
        Result of `diffsym.evaluation.members.volumes_by_member` by pattern name.
    title
        Title of the table.
    """
    rows: list[list[Cell]] = []
    for name, entry in volumes.items():
        true = entry.true
        rows.append(
            [
                name,
                *(f"{volume:.1f}" for volume in [*entry.members, entry.ensemble]),
                "" if true is None else f"{true:.1f}",
                "" if true is None else minus(f"{100 * (entry.ensemble / true - 1):+.1f}"),
            ]
        )
    return TableBlock(
        ["pattern", *_member_columns(len(rows[0]) - 4), "true", "mean: error / %"],
        rows,
        "Volumes of the primitive cell in Å³; the mean is geometric. After Table 6 of "
        "Ozaki et al. (2025).",
        numeric=range(1, len(rows[0])),
        title=title,
    )


def _member_columns(members: int) -> list[str]:
    """Column headings of the members and of their mean."""
    return [*(f"member {number}" for number in range(1, members + 1)), "mean"]
