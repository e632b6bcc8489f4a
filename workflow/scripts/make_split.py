"""Assign structures to training, validation and test."""

import importlib

from diffsym.datasets.splits import count_roles, make_split
from diffsym.files import write_json
from diffsym.job import job
from diffsym.tables import FILTER, SPLIT, STRUCTURES, read_table, write_table

COLUMNS = ("structure_id", "space_group", "formula", "structure_type")

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES, COLUMNS)
    settings = dict(snakemake.params.settings)
    report = {}
    if settings["kind"] == "ozaki2025":
        disjoint_sets = importlib.import_module("diffsym.datasets.disjoint_sets")
        for key in ("kind", "descriptor", "classes", "filter"):
            settings.pop(key)
        split, groups = disjoint_sets.make_disjoint_split(
            structures,
            read_table(snakemake.input.filter, FILTER),
            read_table(snakemake.input.descriptor),
            **settings,
        )
        report = disjoint_sets.describe_draw(groups, settings["entries_per_group"])
    else:
        split = make_split(structures, **settings)
    write_table(split, snakemake.output.split, SPLIT)
    roles = count_roles(split).reset_index().to_dict("records")
    write_json(snakemake.output.report, {"roles": roles} | report)
