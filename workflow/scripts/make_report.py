"""Make the report, and record what it was made from."""

from pathlib import Path

from diffsym.files import write_text
from diffsym.job import job
from diffsym.report.page import render
from diffsym.report.provenance import record_provenance
from diffsym.report.results import Results
from diffsym.study.configuration import CONFIGURATION
from diffsym.study.layout import Layout
from diffsym.study.plan import Plan

with job(snakemake):
    plan = Plan(CONFIGURATION.validate_python(snakemake.params.study), Layout())
    record_provenance(plan, Path(snakemake.scriptdir))
    write_text(snakemake.output.report, render(Results(plan)))
