"""Decide which structures train, validate and test."""

from diffsym.datasets.splits import make_split
from diffsym.job import job
from diffsym.tables import SPLIT, STRUCTURES, read_table, write_table

COLUMNS = ("structure_id", "space_group", "formula", "structure_type")

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES, COLUMNS)
    split = make_split(structures, **snakemake.params.settings)
    write_table(split, snakemake.output.split, SPLIT)
