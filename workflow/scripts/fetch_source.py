"""Fetch the file that sources read."""

import importlib
from pathlib import Path

from diffsym.job import job

with job(snakemake):
    importlib.import_module(snakemake.params.module).fetch(Path(snakemake.output[0]))
