"""Records of what a report was made from."""

from pathlib import Path

import yaml

from diffsym.files import read_json, sha256, write_json, write_text
from diffsym.provenance import git_revision, software_versions
from diffsym.settings import values_of
from diffsym.study.plan import Plan


def record_provenance(plan: Plan, checkout: Path) -> None:
    """Write the resolved configuration, software versions and checksums of the data.

    Parameters
    ----------
    plan
        The study, and where its results lie.
    checkout
        A folder of the working tree whose revision is recorded.
    """
    layout = plan.layout
    write_text(
        layout.provenance("config.yaml"),
        yaml.safe_dump(values_of(plan.study), sort_keys=False, allow_unicode=True),
    )
    write_json(
        layout.provenance("software.json"),
        {"git_revision": git_revision(checkout), **software_versions()},
    )
    hashed = [
        layout.structures,
        layout.rejected,
        *plan.descriptor_tables(),
        *plan.split_tables(),
    ]
    write_json(
        layout.provenance("data.json"),
        {
            "sources": {
                name: read_json(layout.source_record(name))
                for name in plan.study.structures.sources
            },
            "tables": {path: sha256(path) for path in hashed},
        },
    )
