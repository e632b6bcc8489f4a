"""Collect the headline numbers of all experiments."""

from diffsym.evaluation.summary import summarise
from diffsym.files import read_json, write_json
from diffsym.job import job

with job(snakemake):
    experiments = snakemake.params.experiments
    metrics = dict(zip(experiments, map(read_json, snakemake.input.metrics), strict=True))
    summary = summarise(experiments, metrics, snakemake.params.series)
    write_json(snakemake.output.summary, summary)
