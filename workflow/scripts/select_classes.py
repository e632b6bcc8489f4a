"""Select the space groups of a class set."""

from dataclasses import asdict

from diffsym.datasets.classes import select_classes
from diffsym.files import write_json
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.tables import STRUCTURES, read_table

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES, ["space_group"])
    classes = select_classes(
        structures["space_group"].to_numpy(),
        settings_of(snakemake.params.settings),
        published=next(iter(snakemake.input.published), None),
    )
    write_json(snakemake.output.classes, asdict(classes))
