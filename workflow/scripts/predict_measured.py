"""Classify measured patterns with one ensemble member."""

from diffsym.experimental.labelled import measured_partition
from diffsym.files import read_json
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.networks import load_model, predict, predicts_volumes, volume_scale
from diffsym.models.predictions import Answers, answers_table
from diffsym.structures.space_groups import spread_over_groups
from diffsym.tables import write_table

with job(snakemake):
    configure(threads=snakemake.threads)
    classes = read_json(snakemake.input.classes)["classes"]
    partition, space_groups = measured_partition(
        snakemake.input.measured, snakemake.input.patterns, classes
    )
    model = load_model(snakemake.input.model)
    answers = predict(model, partition)
    if snakemake.params.target == "crystal_system":
        counts = read_json(snakemake.input.history)["training_counts"]
        answers = Answers(spread_over_groups(answers.probabilities, classes, counts))
    predictions = answers_table(
        answers,
        structure_ids=partition.structure_ids,
        space_groups=space_groups,
        classes=classes,
        role="measured",
        member=int(snakemake.wildcards.member),
        ln_volume=volume_scale(model) if predicts_volumes(model) else None,
        true_ln_volumes=partition.ln_volumes,
    )
    write_table(predictions, snakemake.output.predictions, predictions.schema)
