"""Select the space groups of a class set."""

from dataclasses import asdict

from diffsym.datasets.classes import select_classes
from diffsym.files import write_json
from diffsym.job import job
from diffsym.tables import STRUCTURES, read_table

with job(snakemake):
    settings = dict(snakemake.params.settings)
    if settings["named"] is not None:
        settings["named"] = snakemake.input.named[0]
    structures = read_table(snakemake.input.structures, STRUCTURES, ["space_group"])
    classes = select_classes(structures["space_group"].to_numpy(), **settings)
    write_json(snakemake.output.classes, asdict(classes))
