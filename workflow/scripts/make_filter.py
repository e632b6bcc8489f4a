"""Mark the structures of a class set that are not outliers."""

from diffsym.datasets.classes import read_classes
from diffsym.datasets.filters import filter_outliers
from diffsym.files import write_json
from diffsym.job import job
from diffsym.settings import settings_of, values_of
from diffsym.tables import FILTER, STRUCTURES, read_table, write_table

COLUMNS = ("structure_id", "space_group", "primitive_volume", "number_density")

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES, COLUMNS)
    classes = read_classes(snakemake.input.classes)
    settings = settings_of(snakemake.params.settings)
    table, statistics = filter_outliers(structures, classes, settings)
    write_table(table, snakemake.output.table, FILTER)
    write_json(snakemake.output.statistics, values_of(settings) | statistics)
