"""Compute the descriptor of every structure of one shard."""

import importlib

from diffsym.job import job
from diffsym.scattering import one_compiles
from diffsym.settings import settings_of
from diffsym.tables import REFLECTIONS, REJECTED, STRUCTURES, read_table, write_table

with job(snakemake):
    settings = settings_of(snakemake.params.settings)
    structures = read_table(
        snakemake.input.structures, STRUCTURES, row_group=int(snakemake.wildcards.shard)
    )
    reflections = snakemake.input.get("reflections")
    source = read_table(reflections, REFLECTIONS) if reflections else structures
    compute = importlib.import_module(settings.module).compute
    with one_compiles(settings.module):
        compute(source.slice(0, 1), settings)
    described = compute(source, settings)
    descriptor, rejected = described.tables(
        structures["structure_id"], f"descriptor {snakemake.wildcards.descriptor}"
    )
    write_table(descriptor, snakemake.output.descriptor, descriptor.schema)
    write_table(rejected, snakemake.output.rejected, REJECTED)
