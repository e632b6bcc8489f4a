"""Remove duplicates among the structures of all shards and sources, and collect statistics."""

import pyarrow as pa

from diffsym.files import write_json
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.sharding import in_shard_order
from diffsym.structures.duplicates import remove_duplicates
from diffsym.structures.statistics import statistics
from diffsym.tables import DUPLICATES, REJECTED, STRUCTURES, read_table, write_table

with job(snakemake):
    candidates = pa.concat_tables(
        read_table(path, STRUCTURES) for path in snakemake.input.structures
    )
    rejected = pa.concat_tables(
        read_table(path, REJECTED) for path in snakemake.input.rejected
    ).sort_by("structure_id")
    structures, duplicates = remove_duplicates(
        candidates, settings_of(snakemake.params.duplicates), processes=snakemake.threads
    )
    structures, row_groups = in_shard_order(structures, snakemake.params.shards)
    write_table(structures, snakemake.output.structures, STRUCTURES, row_groups=row_groups)
    write_table(rejected, snakemake.output.rejected, REJECTED)
    write_table(duplicates, snakemake.output.duplicates, DUPLICATES)
    write_json(
        snakemake.output.statistics,
        statistics(structures, rejected, duplicates, tolerances=snakemake.params.tolerances),
    )
