"""Make the report, and record what it was made from."""

import importlib
from pathlib import Path

import yaml

from diffsym.descriptors import descriptor_of
from diffsym.files import read_json, sha256, write_json, write_text
from diffsym.job import job
from diffsym.provenance import git_revision, software_versions
from diffsym.report.inputs import DescriptorInputs, ExperimentInputs, ReportInputs
from diffsym.report.page import render


def descriptor_inputs(path: str, settings: dict) -> DescriptorInputs:
    """A descriptor's table and axis."""
    section = descriptor_of(settings)
    axis = importlib.import_module(section.module).axis(section)
    return DescriptorInputs(section.kind, Path(path), axis, settings)


def optional_path(path: str | None) -> Path | None:
    """The path of a file that not every experiment has."""
    return None if path is None else Path(path)


with job(snakemake):
    study = snakemake.params.study
    write_text(
        snakemake.output.configuration,
        yaml.safe_dump(study, sort_keys=False, allow_unicode=True),
    )
    write_json(
        snakemake.output.software,
        {
            "git_revision": git_revision(Path(snakemake.scriptdir)),
            **software_versions(),
        },
    )
    write_json(
        snakemake.output.data,
        {
            "sources": {
                name: read_json(path)
                for name, path in zip(
                    snakemake.params.sources, snakemake.input.sources, strict=True
                )
            },
            "tables": {
                path: sha256(path)
                for path in [
                    snakemake.input.structures,
                    snakemake.input.rejected,
                    *snakemake.input.descriptors,
                    *snakemake.input.splits,
                ]
            },
        },
    )
    experiments = [
        ExperimentInputs(
            name=name,
            metrics=Path(metrics),
            histories=[Path(path) for path in snakemake.params.histories.get(name, [])],
            courses=[Path(path) for path in snakemake.params.courses.get(name, [])],
            sweep=snakemake.params.sweep_of.get(name),
            series=snakemake.params.series_of.get(name),
            model_settings=study["models"][study["experiments"][name]["model"]],
            **study["experiments"][name]
            | {
                "measured": {
                    patterns: [Path(path) for path in paths]
                    for patterns, paths in snakemake.params.measured[name].items()
                },
                "untrained": optional_path(snakemake.params.untrained.get(name)),
                "feature_maps": optional_path(snakemake.params.feature_maps.get(name)),
            },
        )
        for name, metrics in zip(snakemake.params.experiments, snakemake.input.metrics, strict=True)
    ]
    inputs = ReportInputs(
        title=study["report"]["title"],
        structures=Path(snakemake.input.structures),
        rejected=Path(snakemake.input.rejected),
        statistics=Path(snakemake.input.statistics),
        tolerances=study["structures"]["symmetry"]["tolerances"],
        symprec=study["structures"]["symmetry"]["symprec"],
        experiments=experiments,
        descriptors={
            name: descriptor_inputs(path, study["descriptors"][name])
            for name, path in zip(
                snakemake.params.descriptors, snakemake.input.descriptors, strict=True
            )
        },
        leakage={
            tuple(pair): Path(path)
            for pair, path in zip(snakemake.params.leakage, snakemake.input.leakage, strict=True)
        },
        resolved_configuration=Path(snakemake.output.configuration),
        provenance={
            "Software": Path(snakemake.output.software),
            "Data": Path(snakemake.output.data),
        },
        benchmarks={
            rule: [Path(path) for path in paths if Path(path).exists()]
            for rule, paths in snakemake.params.benchmarks.items()
        },
    )
    write_text(snakemake.output.report, render(inputs))
