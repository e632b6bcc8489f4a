"""Fetch the default database through the Python package registry."""

from pathlib import Path

from diffsym.job import job
from diffsym.structures.sources.amcsd import fetch

with job(snakemake):
    fetch(Path(snakemake.output[0]))
