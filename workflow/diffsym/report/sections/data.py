"""Section on the data: entries, space groups, rejections and relabellings."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from diffsym.report import figures
from diffsym.report.results import Results
from diffsym.report.sections.blocks import (
    EXAMPLES,
    Block,
    Cell,
    FigureBlock,
    Section,
    TableBlock,
    group_cell,
    percent,
    text_or_empty,
)
from diffsym.report.typesetting import formula_html, thousands

REJECTING_STAGES = {"read": "read", "check": "checked", "symmetry": "symmetry found"}
"""Stages of the rejected table in order, and the state of an entry after each."""

SELECTED = "selected"
"""State of an entry that passed the filters of its source."""


def data(results: Results) -> Section:
    """Entries, space groups, rejections and relabellings."""
    symmetry = results.study.structures.symmetry
    structures = results.structures
    blocks: list[Block] = [
        _sources(results),
        FigureBlock(
            "stage-counts",
            figures.data.stage_counts(stage_counts(results)),
            "Entries left after each stage. Selected, if a source has filters: not left out by "
            "them. Read: the source's record can be interpreted. "
            "Checked: distances, occupancies, composition and density are physically possible. "
            "Symmetry found: spglib gives a space group. Unique: one representative of each set of "
            "structures with the same composition that match site by site.",
        ),
        FigureBlock(
            "space-groups",
            figures.data.space_group_histogram(
                structures["space_group"].to_numpy(), results.classes
            ),
            Markup(
                "Space groups of the {} unique structures, determined with spglib at a tolerance "
                "of {} Å. Strong colours: the {} groups that the experiments learn; pale: groups "
                "with too few structures."
            ).format(thousands(len(structures)), f"{symmetry.symprec:g}", len(results.classes)),
        ),
    ]
    if len(results.rejected):
        blocks.append(
            FigureBlock(
                "rejections",
                figures.data.rejections(results.rejected),
                Markup(
                    "Why {} entries were rejected. Hover for an example of the reason; all are "
                    "listed in <code>results/rejected.parquet</code>."
                ).format(thousands(len(results.rejected))),
            )
        )
    blocks += _left_out(results) + _relabelled(structures) + _tolerance_dependence(results)
    return Section(
        "data",
        "Data",
        "The data",
        "Crystal structures are read from their source, checked, and labelled with the space group "
        "found from their coordinates, not the declared one.",
        blocks,
    )


def _sources(results: Results) -> TableBlock:
    """What the sources are, in their own words."""
    return TableBlock(
        ["source", "what it is", "version", "licence", "citation"],
        [
            [name, record.description, record.version, record.licence, record.citation]
            for name, record in results.source_records.items()
        ],
        "Checksums of the files are under Provenance.",
        title="Where the structures come from",
    )


def stage_counts(results: Results) -> dict[str, dict[str, int]]:
    """Entries of each source left after each stage, {source: {stage: number}}."""
    rejected = results.rejected.groupby(["source", "stage"]).size()
    left_out = results.left_out.groupby("source").size()
    counts = {}
    for source, found in results.sources.items():
        left = found.entries
        counts[source] = {"entries": left}
        if len(left_out):
            left -= int(left_out.get(source, 0))
            counts[source][SELECTED] = left
        for stage, passed in REJECTING_STAGES.items():
            left -= int(rejected.get((source, stage), 0))
            counts[source][passed] = left
        counts[source]["unique"] = found.structures
    inside = results.structures[results.structures["space_group"].isin(results.classes)]
    for source, numbers in counts.items():
        numbers["in the classes"] = int((inside["source"] == source).sum())
    return counts


def _left_out(results: Results) -> list[Block]:
    """What the filters of the sources leave out."""
    if results.left_out.empty:
        return []
    grouped = (
        results.left_out.groupby(["source", "code"])
        .agg(count=("reason", "size"), entry=("entry_id", "first"), reason=("reason", "first"))
        .reset_index()
    )
    rows = [
        [
            row["source"],
            row["code"].replace("_", " "),
            thousands(row["count"]),
            row["entry"],
            row["reason"],
        ]
        for row in grouped.to_dict("records")
    ]
    return [
        TableBlock(
            ["source", "filter", "entries", "example", "its reason"],
            rows,
            Markup(
                "{} entries are left out on purpose, by the key <code>select</code> of their "
                "source; all are listed in <code>results/rejected.parquet</code> with the stage "
                "<code>select</code>."
            ).format(thousands(len(results.left_out))),
            numeric=[2],
            title="Left out by filters",
        )
    ]


def _relabelled(structures: pd.DataFrame) -> list[Block]:
    """Declared against determined space groups."""
    declared = structures[structures["declared_space_group"].notna()]
    changed = declared[declared["declared_space_group"] != declared["space_group"]]
    if changed.empty:
        return []
    pairs = (
        changed.groupby(["declared_space_group", "space_group"])
        .agg(
            count=("structure_id", "size"),
            name=("name", "first"),
            formula=("formula", "first"),
            structure_id=("structure_id", "first"),
            symbol=("declared_symbol", "first"),
        )
        .reset_index()
        .sort_values(
            ["count", "declared_space_group", "space_group"], ascending=[False, True, True]
        )
    )
    rows = [
        [
            group_cell(int(row["declared_space_group"])),
            group_cell(int(row["space_group"])),
            thousands(row["count"]),
            text_or_empty(row["name"]),
            formula_html(row["formula"]),
            text_or_empty(row["symbol"]),
            row["structure_id"],
        ]
        for row in pairs.head(EXAMPLES).to_dict("records")
    ]
    return [
        TableBlock(
            ["declared", "determined", "structures", "example", "formula", "declared as", "entry"],
            rows,
            Markup(
                "{} of {} structures with a declared space group ({}) have a different one "
                "according to their coordinates. The {} most frequent changes, each with one "
                "example."
            ).format(
                thousands(len(changed)),
                thousands(len(declared)),
                percent(len(changed) / len(declared)),
                len(rows),
            ),
            numeric=[2],
            title="Relabelled structures",
        )
    ]


def _tolerance_dependence(results: Results) -> list[Block]:
    """How the labels depend on the tolerance of the symmetry search."""
    symmetry = results.study.structures.symmetry
    tolerances = list(symmetry.tolerances)
    if len(tolerances) < 2:
        return []
    lists = results.structures["space_group_by_tolerance"]
    by_tolerance = np.array([[0 if pd.isna(n) else int(n) for n in row] for row in lists])
    unstable = (by_tolerance != by_tolerance[:, :1]).any(axis=1)
    examples = results.structures[unstable].head(8)
    rows = [
        [
            text_or_empty(row["name"]),
            formula_html(row["formula"]),
            *(_optional_group(number) for number in row["space_group_by_tolerance"]),
            row["structure_id"],
        ]
        for row in examples.to_dict("records")
    ]
    return [
        FigureBlock(
            "tolerance",
            figures.data.tolerance_dependence(by_tolerance, tolerances, symmetry.symprec),
            Markup(
                "The label of {} structures ({}) depends on the tolerance. A looser tolerance "
                "finds more symmetry; which one is correct depends on the coordinates' precision, "
                "so the accuracies below carry this label uncertainty."
            ).format(thousands(unstable.sum()), percent(unstable.mean())),
        ),
        TableBlock(
            ["name", "formula", *(f"{tolerance:g} Å" for tolerance in tolerances), "entry"],
            rows,
            "The first structures whose space group depends on the tolerance.",
            title="Examples",
            collapsed=True,
        ),
    ]


def _optional_group(number: float | None) -> Cell:
    return "none" if pd.isna(number) else group_cell(int(number))
