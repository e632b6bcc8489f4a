"""What tests that run a study through the profile for SLURM share."""

from pathlib import Path

import psutil
import yaml

# This SLURM has no accounting, its jobs take seconds, and no other machine sees the files.
SITE = {
    "slurm-status-command": "squeue",
    "slurm-init-seconds-before-status-checks": 1,
    "max-status-checks-per-second": 1,
    "latency-wait": 5,
}


def profile(study, **resources):
    """The option that names the profile, edited as a site does, with other resources of a rule.

    (Resources on the command line would take the place of all those in the profile.)
    """
    settings = yaml.safe_load((study.folder / "workflow/profiles/slurm/config.yaml").read_text())
    for rule, own in resources.items():
        settings["set-resources"].setdefault(rule, {}).update(own)
    edited = study.folder / "site" / "config.yaml"
    edited.parent.mkdir(exist_ok=True)
    edited.write_text(yaml.safe_dump(settings | SITE))
    return "--profile=site"


def scripts(study):
    """Rule and process of each script that runs in a study, on whatever node."""
    folder = study.folder / ".snakemake" / "scripts"
    commands = (
        (process, Path((process.info["cmdline"] or [""])[-1]))
        for process in psutil.process_iter(["cmdline"])
    )
    # Snakemake runs a copy of the script whose name ends in .RULE.py.
    return [
        (script.name.split(".")[1], process)
        for process, script in commands
        if script.parent == folder
    ]


def processes(study, rule):
    """Processes that run the script of a rule in a study, on whatever node."""
    return [process for name, process in scripts(study) if name == rule]
