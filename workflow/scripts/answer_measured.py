"""Answer measured patterns by a search among all structures of the study."""

from diffsym.identification.answer import Evidence
from diffsym.identification.known import known_structures
from diffsym.identification.sets import answered
from diffsym.job import job
from diffsym.tables import ANSWERED, MEASURED, read_table, write_table

with job(snakemake):
    known = known_structures(snakemake.input.structures, snakemake.input.lines)
    measured = read_table(snakemake.input.patterns, MEASURED)
    answers = answered(measured, Evidence("the structures of the study", known))
    write_table(answers, snakemake.output[0], ANSWERED)
