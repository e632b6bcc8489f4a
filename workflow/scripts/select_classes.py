"""Select the space groups of a class set."""

from diffsym.datasets.classes import read_named_list, select_classes
from diffsym.files import write_json
from diffsym.job import job
from diffsym.tables import STRUCTURES, read_table

with job(snakemake):
    settings = snakemake.params.settings
    structures = read_table(snakemake.input.structures, STRUCTURES, ["space_group"])
    wanted = settings["space_groups"]
    if settings["named"] is not None:
        wanted = read_named_list(snakemake.input.named[0])
    selection = select_classes(
        structures["space_group"].to_pylist(),
        min_entries=settings["min_entries"],
        wanted=wanted,
    )
    write_json(snakemake.output.classes, {"rule": settings, **selection})
