"""Measure how much of a test set is already in the training set."""

from diffsym.datasets.feeding import open_partitions
from diffsym.datasets.leakage import measure_leakage
from diffsym.files import write_json
from diffsym.job import job
from diffsym.tables import STRUCTURES, read_table

COLUMNS = ("structure_id", "space_group", "formula", "structure_type")

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES, COLUMNS)
    # A split is drawn over all space groups, so its leakage is measured over all of them.
    classes = sorted(set(structures["space_group"].to_pylist()))
    parts = open_partitions(snakemake.input.descriptor, snakemake.input.split, classes)
    leakage = measure_leakage(
        parts["train"], parts["test"], structures, threshold=snakemake.params.threshold
    )
    write_json(snakemake.output.leakage, leakage)
