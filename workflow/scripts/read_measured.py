"""Read and check a set of measured patterns."""

from diffsym.experimental.patterns import read_patterns
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.tables import MEASURED, REJECTED, write_table

with job(snakemake):
    patterns, rejected = read_patterns(
        snakemake.wildcards.measured, snakemake.input[0], settings_of(snakemake.params.settings)
    )
    write_table(patterns, snakemake.output.patterns, MEASURED)
    write_table(rejected, snakemake.output.rejected, REJECTED)
