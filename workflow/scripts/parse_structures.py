"""Read, check and standardise one shard of one source."""

from diffsym.job import job
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import open_source
from diffsym.tables import REJECTED, STRUCTURES, write_table

with job(snakemake):
    settings = dict(snakemake.params.source)
    settings["path"] = snakemake.input[0]
    structures, rejected = process_shard(
        open_source(snakemake.wildcards.source, **settings),
        int(snakemake.wildcards.shard),
        snakemake.params.shards,
        **snakemake.params.symmetry,
        **snakemake.params.checks,
    )
    write_table(structures, snakemake.output.structures, STRUCTURES)
    write_table(rejected, snakemake.output.rejected, REJECTED)
