"""Record the version, licence, citation and file checksums of a source."""

from diffsym.files import write_json
from diffsym.job import job
from diffsym.structures.sources import open_source

with job(snakemake):
    settings = dict(snakemake.params.source) | {"path": snakemake.input[0]}
    write_json(
        snakemake.output[0], open_source(snakemake.wildcards.source, **settings).provenance()
    )
