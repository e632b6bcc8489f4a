"""Assign structures to training, validation and test."""

import importlib

from diffsym.files import write_json
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.tables import SPLIT, STRUCTURES, read_table, write_table

COLUMNS = ("structure_id", "space_group", "formula", "structure_type")

with job(snakemake):
    settings = settings_of(snakemake.params.settings)
    paths = dict(snakemake.input.items())
    structures = read_table(paths.pop("structures"), STRUCTURES, COLUMNS)
    others = {name: read_table(path) for name, path in paths.items()}
    split, report = importlib.import_module(settings.module).make_split(
        structures, settings, others
    )
    write_table(split, snakemake.output.split, SPLIT)
    write_json(snakemake.output.report, report)
