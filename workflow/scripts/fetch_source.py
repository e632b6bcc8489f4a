"""Fetch the file that sources read."""

import importlib
from pathlib import Path

from diffsym.job import job
from diffsym.settings import settings_of

with job(snakemake):
    settings = settings_of(snakemake.params.source)
    importlib.import_module(settings.fetched_by()).fetch(Path(snakemake.output[0]), settings)
