"""Read, check and standardise one shard of one source."""

from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import open_source
from diffsym.tables import REJECTED, STRUCTURES, write_table

with job(snakemake):
    source = settings_of(snakemake.params.source)
    structures, rejected = process_shard(
        open_source(snakemake.wildcards.source, source, snakemake.input[0]),
        int(snakemake.wildcards.shard),
        snakemake.params.shards,
        settings_of(snakemake.params.symmetry),
        settings_of(snakemake.params.checks),
        source.select,
    )
    write_table(structures, snakemake.output.structures, STRUCTURES)
    write_table(rejected, snakemake.output.rejected, REJECTED)
