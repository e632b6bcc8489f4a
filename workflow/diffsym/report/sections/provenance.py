"""Section on provenance: how these results were made, and how long it took."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from diffsym.files import read_json
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import Block, Section, TableBlock, TextBlock
from diffsym.report.typesetting import thousands


def provenance(results: Results) -> Section:
    """How these results were made."""
    blocks: list[Block] = [
        TableBlock(
            ["", ""],
            list(_flattened(read_json(path))),
            "",
            title=heading,
            collapsed=True,
        )
        for heading, path in results.provenance.items()
    ]
    blocks.append(
        TableBlock(
            [
                "experiment",
                "seed",
                "members",
                "training",
                "computed by",
                "training structures",
                "test",
            ],
            [
                [
                    experiment.name,
                    str(experiment.settings.seed),
                    str(experiment.settings.members),
                    experiment.settings.training or "none",
                    _computed_by(experiment),
                    thousands(experiment.scores.counts.train),
                    thousands(experiment.scores.counts.test),
                ]
                for experiment in results.experiments
            ],
            "The seed of the first member; the others count up from it.",
            numeric=[1, 2, 5, 6],
            title="Seeds",
            collapsed=True,
        )
    )
    blocks += [
        _benchmark_table(results.benchmarks),
        TextBlock("Resolved configuration", results.configuration),
    ]
    return Section(
        "provenance",
        "Provenance",
        "Provenance",
        "Everything needed to reproduce this page.",
        blocks,
    )


def _computed_by(experiment: Experiment) -> str:
    """Backends and devices on which the members of a network were trained."""
    return ", ".join(
        sorted({f"{history.backend}, {history.device}" for history in experiment.histories})
    )


def _flattened(content: Any, prefix: str = "") -> Iterable[tuple[str, str]]:
    """Leaves of nested JSON as (dotted key, value)."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flattened(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, str(content)


def _benchmark_table(benchmarks: Mapping[str, Sequence[Any]]) -> TableBlock:
    """Wall time and memory of each rule."""
    rows = []
    for rule, paths in benchmarks.items():
        if not paths:
            continue
        jobs = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in paths])
        rows.append(
            [
                rule,
                thousands(len(jobs)),
                f"{jobs['s'].sum():,.1f}",
                f"{jobs['s'].max():,.1f}",
                thousands(jobs["max_rss"].max()) if jobs["max_rss"].notna().any() else "",
            ]
        )
    return TableBlock(
        ["rule", "jobs", "sum / s", "longest / s", "peak memory / MiB"],
        rows,
        "Wall times measured by Snakemake. Jobs run in parallel, so the workflow took less than "
        "the sum; memory is not sampled for jobs shorter than a second.",
        numeric=[1, 2, 3, 4],
        title="Wall times",
        collapsed=True,
    )
