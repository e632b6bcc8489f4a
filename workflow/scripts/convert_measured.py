"""Convert measured patterns to a descriptor."""

import importlib

from diffsym.job import job
from diffsym.settings import rebuilt, settings_of
from diffsym.settings.measured.base import PeakSearch
from diffsym.tables import MEASURED, REJECTED, read_table, write_table

with job(snakemake):
    settings = settings_of(snakemake.params.settings)
    search = rebuilt(PeakSearch, snakemake.params.search)
    measured = read_table(snakemake.input.patterns, MEASURED)
    described = importlib.import_module(settings.conversion).convert(measured, settings, search)
    descriptor, rejected = described.tables(
        measured["pattern_id"], f"descriptor {snakemake.wildcards.descriptor}"
    )
    write_table(descriptor, snakemake.output.descriptor, descriptor.schema)
    write_table(rejected, snakemake.output.rejected, REJECTED)
