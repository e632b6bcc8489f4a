"""Compute the lines of every structure of one shard of a source, for the search."""

from diffsym.descriptors.reflections import compute
from diffsym.identification.known import SEARCHED
from diffsym.job import job
from diffsym.scattering import one_compiles
from diffsym.tables import REFLECTIONS, STRUCTURES, read_table, write_table

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES)
    with one_compiles("reflections"):
        compute(structures.slice(0, 1), SEARCHED)
    write_table(compute(structures, SEARCHED), snakemake.output[0], REFLECTIONS)
