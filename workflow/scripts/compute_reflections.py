"""Compute the reflections of every structure of one shard."""

from diffsym.descriptors.reflections import compute
from diffsym.job import job
from diffsym.scattering import one_compiles
from diffsym.settings import settings_of
from diffsym.tables import REFLECTIONS, STRUCTURES, read_table, write_table

with job(snakemake):
    structures = read_table(
        snakemake.input.structures, STRUCTURES, row_group=int(snakemake.wildcards.shard)
    )
    settings = settings_of(snakemake.params.settings)
    with one_compiles("reflections"):
        compute(structures.slice(0, 1), settings)
    write_table(compute(structures, settings), snakemake.output[0], REFLECTIONS)
