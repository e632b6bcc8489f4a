"""Fit a logistic regression with its regularisation chosen by cross-validation."""

from diffsym.datasets.feeding import open_partitions
from diffsym.files import read_json, write_json
from diffsym.job import job
from diffsym.models.logistic import fit_member, save_model
from diffsym.models.predictions import Answers, predictions_table
from diffsym.settings import settings_of
from diffsym.tables import predictions_schema, write_table

with job(snakemake):
    classes = read_json(snakemake.input.classes)["classes"]
    parts = open_partitions(
        snakemake.input.descriptor,
        snakemake.input.split,
        classes,
        training_filter=snakemake.input.get("filter"),
    )
    model, history = fit_member(parts["train"], settings_of(snakemake.params.model))
    predictions = predictions_table(
        lambda part: Answers(model.predict(part)),
        parts,
        member=int(snakemake.wildcards.member),
    )
    save_model(model, snakemake.output.model)
    write_json(snakemake.output.history, history)
    write_table(predictions, snakemake.output.predictions, predictions_schema(classes))
