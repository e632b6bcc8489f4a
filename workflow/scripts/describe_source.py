"""Record the version, licence, citation and file checksums of a source."""

from diffsym.files import write_json
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.structures.sources import open_source

with job(snakemake):
    source = open_source(
        snakemake.wildcards.source, settings_of(snakemake.params.source), snakemake.input[0]
    )
    write_json(snakemake.output[0], source.provenance())
