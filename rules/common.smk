"""What the rules share: the plan of the study (`diffsym.study`), handed to Snakemake."""

import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from diffsym.errors import DiffsymError
from diffsym.provenance import code_digest, listing_digest
from diffsym.settings import as_plain, values_of
from diffsym.study.layout import Layout
from diffsym.study.loading import load_configuration
from diffsym.study.plan import Plan, threads_of_job
from diffsym.study.effort import expected_seconds


wildcard_constraints:
    source=r"[a-z][a-z0-9_]*",
    shard=r"\d+",
    descriptor=r"[a-z][a-z0-9_]*",
    class_set=r"[a-z][a-z0-9_]*",
    filter=r"[a-z][a-z0-9_]*",
    split=r"[a-z][a-z0-9_]*",
    experiment=r"[a-z][a-z0-9_]*",
    member=r"\d+",
    measured=r"[a-z][a-z0-9_]*",
    # Folder of the split that a set of patterns is drawn from; none for one that is read.
    drawn=r"([a-z][a-z0-9_]*/)?",


LAYOUT = Layout()
try:
    STUDY = load_configuration(config)
except DiffsymError as error:
    raise WorkflowError(str(error)) from None
PLAN = Plan(STUDY, LAYOUT)

for key, path, what in PLAN.user_files():
    if not Path(path).exists():
        raise WorkflowError(f"{key}: '{path}' does not exist; set it to {what}")


def check_downloads(jobs):
    """Stop if a file cannot be fetched that one of the jobs would fetch."""
    from diffsym.structures.fetching import check_access

    try:
        for job in jobs:
            if job.rule.name == "fetch_source":
                key = PLAN.downloads[job.wildcards.download]
                section, name = key.split(".")
                elsewhere = bool(workflow.deployment_settings.deployment_method)
                settings = getattr(STUDY, section)[name]
                check_access(key, settings, job.output[0], client_elsewhere=elsewhere)
    except DiffsymError as error:
        raise WorkflowError(str(error)) from None


def ask(question, *names, **constants):
    """A method of the plan, asked with the values of some wildcards."""
    return lambda wildcards: question(*(getattr(wildcards, name) for name in names), **constants)


def settings_of(section, without=()):
    """The keys of the section that the wildcard of its kind names."""
    wildcard = {"class_sets": "class_set"}.get(section, section.removesuffix("s"))
    return lambda wildcards: PLAN.settings(section, getattr(wildcards, wildcard), without)


def script_digest(script, *modules):
    """Digest of the code that a rule's script runs, see diffsym.provenance."""
    return code_digest(Path(workflow.basedir) / "workflow" / "scripts" / script, *modules)


def share_of_cores(most):
    """Threads of a job. Who submits it and the job have to agree, and count cores otherwise."""

    def threads(wildcards):
        elsewhere = workflow.remote_exec or workflow.non_local_exec
        return threads_of_job(most, None if elsewhere else workflow.resource_settings.cores)

    return threads


def request(base, per_input_mb=0.0):
    """Memory in MB or minutes: a constant and a part for each MB of input, more at each attempt."""
    return lambda wildcards, input, attempt: int(attempt * (base + per_input_mb * input.size_mb))


def one_of(names):
    """Regular expression that matches exactly the given names, and nothing if there are none."""
    return "|".join(names) or r"(?!)"
