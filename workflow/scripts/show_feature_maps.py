"""Extract feature maps of a network's first blocks for structures that it recognises."""

import numpy as np

from diffsym.files import atomic_path, read_json
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.feature_maps import first_block_maps, recognised_examples
from diffsym.models.networks import load_model
from diffsym.tables import descriptor_values, read_rows, read_table

EXAMPLES = 4
CHANNELS = 8

with job(snakemake):
    configure(threads=snakemake.threads)
    classes = read_json(snakemake.input.classes)["classes"]
    predictions = read_table(snakemake.input.predictions)
    examples = recognised_examples(predictions, classes, most=EXAMPLES)
    images = descriptor_values(read_rows(snakemake.input.descriptor, list(examples)))
    maps = first_block_maps(load_model(snakemake.input.model), images, channels=CHANNELS)
    with atomic_path(snakemake.output.maps) as temporary:
        np.savez_compressed(
            temporary,
            structure_ids=list(examples),
            space_groups=list(examples.values()),
            **maps,
        )
