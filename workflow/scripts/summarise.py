"""Collect the headline numbers of all experiments."""

from diffsym.evaluation.scores import Metrics
from diffsym.evaluation.storage import read_scores, write_scores
from diffsym.evaluation.summary import summarise
from diffsym.job import job

with job(snakemake):
    experiments, series = snakemake.params.experiments, snakemake.params.series
    metrics = {
        name: read_scores(path, Metrics)
        for name, path in zip(experiments, snakemake.input.metrics, strict=True)
    }
    summary = summarise(experiments, metrics, series, snakemake.params.shown)
    write_scores(snakemake.output.summary, summary)
