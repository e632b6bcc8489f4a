"""Read and check a set of measured patterns."""

import importlib
from pathlib import Path

from diffsym.files import write_json
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.tables import MEASURED, REJECTED, write_table

with job(snakemake):
    settings = settings_of(snakemake.params.settings)
    reader = importlib.import_module(settings.module)
    found = reader.read_set(snakemake.wildcards.measured, Path(snakemake.input[0]), settings)
    write_table(found.patterns, snakemake.output.patterns, MEASURED)
    write_table(found.rejected, snakemake.output.rejected, REJECTED)
    write_json(snakemake.output.record, found.record)
