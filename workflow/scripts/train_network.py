"""Train one member of an ensemble of networks."""

import importlib
from pathlib import Path

from diffsym.datasets.feeding import open_partitions
from diffsym.files import read_json, write_json
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.crystal_systems import label_by_system, spread
from diffsym.models.predictions import predictions_table
from diffsym.models.training import predict, save_model, train_member
from diffsym.tables import predictions_schema, write_table

with job(snakemake):
    training = dict(snakemake.params.training)
    configure(
        threads=snakemake.threads,
        deterministic=training.pop("deterministic"),
        precision=training.pop("precision"),
    )
    settings = dict(snakemake.params.model)
    network = importlib.import_module(f"diffsym.models.{settings.pop('kind')}")
    classes = read_json(snakemake.input.classes)["classes"]
    tables = snakemake.input.descriptor, snakemake.input.split, classes
    training_filter = snakemake.input.get("filter")
    if snakemake.params.patterns:
        augmented = importlib.import_module("diffsym.datasets.augmented")
        opened = augmented.open_augmented_partitions(
            *tables,
            seed=snakemake.params.seed,
            training_filter=training_filter,
            **snakemake.params.patterns,
        )
    else:
        opened = open_partitions(*tables, training_filter=training_filter)
    by_system = snakemake.params.target == "crystal_system"
    with opened as parts:
        train, validation = (
            label_by_system(parts[role]) if by_system else parts[role]
            for role in ("train", "validation")
        )
        model = network.build(
            train.size,
            len(train.classes),
            seed=snakemake.params.seed,
            **settings,
        )
        history = train_member(
            model,
            train,
            validation,
            seed=snakemake.params.seed,
            checkpoint=snakemake.params.checkpoint,
            **training,
        )
        predictions = predictions_table(
            lambda partition: (
                spread(predict(model, partition), parts["train"])
                if by_system
                else predict(model, partition)
            ),
            parts,
            member=int(snakemake.wildcards.member),
        )
    save_model(model, snakemake.output.model)
    write_json(snakemake.output.history, history)
    write_table(predictions, snakemake.output.predictions, predictions_schema(classes))
    Path(snakemake.params.checkpoint).unlink(missing_ok=True)
