"""Compute the descriptor of every structure of one shard."""

import importlib

import numpy as np

from diffsym.job import job
from diffsym.tables import (
    REFLECTIONS,
    REJECTED,
    STRUCTURES,
    descriptor_table,
    read_table,
    rejected_table,
    write_table,
)

with job(snakemake):
    settings = dict(snakemake.params.settings)
    kind = importlib.import_module(f"diffsym.descriptors.{settings.pop('kind')}")
    structures = read_table(
        snakemake.input.structures, STRUCTURES, row_group=int(snakemake.wildcards.shard)
    )
    reflections = snakemake.input.get("reflections")
    source = read_table(reflections, REFLECTIONS) if reflections else structures
    values, failures = kind.compute(source, **settings)
    failed = [row for row, _ in failures]
    kept = np.setdiff1d(np.arange(structures.num_rows), failed)
    descriptor = descriptor_table(structures["structure_id"].take(kept), values[kept])
    write_table(descriptor, snakemake.output.descriptor, descriptor.schema)
    rejected = rejected_table(
        ((structures["structure_id"][row].as_py(), "descriptor", why) for row, why in failures),
        stage=f"descriptor {snakemake.wildcards.descriptor}",
    )
    write_table(rejected, snakemake.output.rejected, REJECTED)
