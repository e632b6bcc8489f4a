"""Concatenate the shards of a descriptor in the order of the structures table."""

import pyarrow as pa

from diffsym.job import job
from diffsym.tables import REJECTED, open_table, read_table, write_batches, write_table

with job(snakemake):
    schema = open_table(snakemake.input.descriptor[0]).schema_arrow
    write_batches(
        (read_table(path, schema) for path in snakemake.input.descriptor),
        snakemake.output.descriptor,
        schema,
    )
    write_table(
        pa.concat_tables(read_table(path, REJECTED) for path in snakemake.input.rejected),
        snakemake.output.rejected,
        REJECTED,
    )
