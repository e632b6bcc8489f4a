"""Compute the reflections of every structure of one shard."""

from diffsym.descriptors.reflections import compute
from diffsym.job import job
from diffsym.tables import REFLECTIONS, STRUCTURES, read_table, write_table

with job(snakemake):
    structures = read_table(
        snakemake.input.structures, STRUCTURES, row_group=int(snakemake.wildcards.shard)
    )
    write_table(compute(structures, **snakemake.params.settings), snakemake.output[0], REFLECTIONS)
