"""Evaluate an experiment on its validation and test sets."""

from diffsym.evaluation.metrics import evaluate_experiment
from diffsym.evaluation.scores import Bootstrap
from diffsym.evaluation.storage import write_scores
from diffsym.job import job
from diffsym.tables import FILTER, SPLIT, read_table

with job(snakemake):
    training_filter = snakemake.input.filter
    metrics = evaluate_experiment(
        [read_table(path) for path in snakemake.input.predictions],
        read_table(snakemake.input.split, SPLIT),
        measured={
            name: [read_table(path) for path in paths]
            for name, paths in snakemake.params.measured.items()
        },
        training_filter=read_table(training_filter, FILTER) if training_filter else None,
        cross_validation=snakemake.params.cross_validation,
        bootstrap=Bootstrap(
            resamples=snakemake.params.bootstrap_samples, seed=snakemake.params.seed
        ),
    )
    write_scores(snakemake.output.metrics, metrics)
