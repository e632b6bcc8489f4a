"""Render test structures as an instrument would measure them."""

from diffsym.experimental.simulated import simulate_patterns
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.tables import MEASURED, write_table

with job(snakemake):
    patterns = simulate_patterns(
        snakemake.input.structures,
        snakemake.input.reflections,
        snakemake.input.split,
        settings_of(snakemake.params.settings),
    )
    write_table(patterns, snakemake.output.patterns, MEASURED)
