"""Convert measured patterns to a descriptor."""

import importlib

import numpy as np

from diffsym.job import job
from diffsym.tables import (
    MEASURED,
    REJECTED,
    descriptor_table,
    read_table,
    rejected_table,
    write_table,
)

with job(snakemake):
    settings = dict(snakemake.params.settings)
    kind = importlib.import_module(f"diffsym.experimental.{settings.pop('kind')}")
    measured = read_table(snakemake.input.patterns, MEASURED)
    values, failures = kind.convert(measured, search=snakemake.params.search, **settings)
    names = measured["pattern_id"]
    kept = np.setdiff1d(np.arange(len(names)), [row for row, _ in failures])
    descriptor = descriptor_table(names.take(kept), values[kept])
    write_table(descriptor, snakemake.output.descriptor, descriptor.schema)
    rejected = rejected_table(
        ((names[row].as_py(), "descriptor", reason) for row, reason in failures),
        stage=f"descriptor {snakemake.wildcards.descriptor}",
    )
    write_table(rejected, snakemake.output.rejected, REJECTED)
