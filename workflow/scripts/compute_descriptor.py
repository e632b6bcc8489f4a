"""Compute the descriptor of every structure of one shard."""

import importlib

import pyarrow as pa

from diffsym.descriptors.shards import compute_shard
from diffsym.job import job
from diffsym.tables import (
    REJECTED,
    STRUCTURES,
    descriptor_schema,
    read_table,
    write_table,
)

with job(snakemake):
    settings = dict(snakemake.params.settings)
    kind = importlib.import_module(f"diffsym.descriptors.{settings.pop('kind')}")
    structures = read_table(
        snakemake.input.structures, STRUCTURES, row_group=int(snakemake.wildcards.shard)
    )
