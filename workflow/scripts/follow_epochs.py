"""Evaluate a network on the test set and on measured patterns over its epochs."""

from diffsym.datasets.opening import open_described
from diffsym.experimental.labelled import measured_partition
from diffsym.files import read_json, write_json
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.course import accuracy_over_epochs
from diffsym.models.crystal_systems import label_by_system
from diffsym.models.networks import load_model
from diffsym.settings import settings_of

with job(snakemake):
    configure(threads=snakemake.threads)
    classes = read_json(snakemake.input.classes)["classes"]
    measured = {
        name: measured_partition(converted, patterns, classes)[0]
        for name, converted, patterns in zip(
            snakemake.params.measured,
            snakemake.input.get("measured", []),
            snakemake.input.get("patterns", []),
            strict=True,
        )
    }
    rendered = snakemake.params.rendered
    parts = open_described(
        dict(snakemake.input.items()),
        classes,
        rendered=None if rendered is None else settings_of(rendered),
    )
    followed = {"test": parts["test"], **measured}
    if snakemake.params.target == "crystal_system":
        followed = {name: label_by_system(part) for name, part in followed.items()}
    epochs = accuracy_over_epochs(
        load_model(snakemake.input.model), snakemake.input.snapshots, followed
    )
    write_json(snakemake.output.epochs, epochs)
