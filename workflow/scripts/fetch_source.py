"""Fetch the file that sources read."""

from pathlib import Path

from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.structures.fetching import fetch

with job(snakemake):
    fetch(settings_of(snakemake.params.source), Path(snakemake.output[0]))
