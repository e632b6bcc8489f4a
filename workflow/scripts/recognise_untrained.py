"""Recognise space groups that the networks of an experiment were not trained for."""

import pyarrow as pa

from diffsym.datasets.opening import open_described
from diffsym.evaluation.scores import Bootstrap
from diffsym.evaluation.storage import write_scores
from diffsym.evaluation.untrained import recognise, untrained_groups
from diffsym.files import read_json
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.networks import load_model
from diffsym.models.recognition import features_of, images_of
from diffsym.tables import SPLIT, read_table

with job(snakemake):
    configure(threads=snakemake.threads)
    groups = untrained_groups(
        read_json(snakemake.input.untrained)["classes"],
        read_json(snakemake.input.classes)["classes"],
    )
    parts = open_described(dict(snakemake.input.items()), groups, rendered=None)
    # No network has seen any of these groups, whatever a structure's role.
    partitions = list(parts.values())
    recognition = recognise(
        (features_of(load_model(path), partitions) for path in snakemake.input.models),
        images_of(partitions),
        pa.concat_arrays([partition.structure_ids for partition in partitions]),
        read_table(snakemake.input.split, SPLIT),
        Bootstrap(resamples=snakemake.params.bootstrap_samples, seed=snakemake.params.seed),
    )
    write_scores(snakemake.output.recognition, recognition)
