"""Train one member of an ensemble of networks."""

import importlib
import shutil
from pathlib import Path

import numpy as np

from diffsym.datasets.opening import open_described
from diffsym.files import read_json, write_json
from diffsym.job import job
from diffsym.keras_backend import configure, keras, used_device
from diffsym.models.complexity import complexity
from diffsym.models.crystal_systems import label_by_system, spread
from diffsym.models.predictions import Answers, predictions_table
from diffsym.models.snapshots import pack_snapshots
from diffsym.models.training import predict, save_model, train_member
from diffsym.settings import settings_of
from diffsym.tables import predictions_schema, write_table

with job(snakemake):
    training = dict(snakemake.params.training)
    configure(
        threads=snakemake.threads,
        devices=training.pop("devices"),
        deterministic=training.pop("deterministic"),
        precision=training.pop("precision"),
    )
    settings = dict(snakemake.params.model)
    network = importlib.import_module(f"diffsym.models.{settings.pop('kind')}")
    classes = read_json(snakemake.input.classes)["classes"]
    by_system = snakemake.params.target == "crystal_system"
    ln_volume = None
    rendered = snakemake.params.patterns
    parts = open_described(
        dict(snakemake.input.items()),
        classes,
        patterns=None if rendered is None else settings_of(rendered),
        seed=snakemake.params.seed,
        validation_fold=snakemake.params.validation_fold,
    )
    ln_volumes = parts["train"].ln_volumes
    if ln_volumes is not None:
        ln_volume = (
            float(np.mean(ln_volumes, dtype=float)),
            float(np.std(ln_volumes, dtype=float)),
        )
        settings["ln_volume"] = ln_volume
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
        snapshots=snakemake.params.snapshots,
        **training,
    )
    counts = np.bincount(parts["train"].labels, minlength=len(classes))
    predictions = predictions_table(
        lambda part: (
            Answers(spread(predict(model, part).probabilities, classes, counts))
            if by_system
            else predict(model, part)
        ),
        parts,
        member=int(snakemake.wildcards.member),
        ln_volume=ln_volume,
    )
    save_model(model, snakemake.output.model)
    # Another writer, left over from a lost node, packs the same files and then removes the folder.
    if not Path(snakemake.output.snapshots).exists():
        pack_snapshots(snakemake.params.snapshots, snakemake.output.snapshots)
    write_json(
        snakemake.output.history,
        history
        | {"backend": keras.backend.backend(), "device": used_device()}
        | {"training_counts": counts.tolist()}
        | complexity(model)._asdict(),
    )
    write_table(predictions, snakemake.output.predictions, predictions_schema(classes, ln_volume))
    Path(snakemake.params.checkpoint).unlink(missing_ok=True)
    shutil.rmtree(snakemake.params.snapshots, ignore_errors=True)
