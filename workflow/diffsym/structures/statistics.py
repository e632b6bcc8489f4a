"""What happened to the entries, in numbers and examples."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from diffsym.structures.selection import STAGE

EXAMPLES = 50


def statistics(
    structures: pa.Table,
    rejected: pa.Table,
    duplicates: pa.Table,
    *,
    tolerances: Sequence[float],
) -> dict[str, Any]:
    """Count entries by fate, and compare declared with determined space groups.

    Parameters
    ----------
    structures
        Unique structures (schema STRUCTURES).
    rejected
        Entries that were rejected or left out (schema REJECTED).
    duplicates
        Entries merged into others (schema DUPLICATES).
    tolerances
        The tolerances in A that `space_group_by_tolerance` refers to.

    Returns
    -------
    dict
        JSON-serialisable: `sources` (entries, and how many of them were rejected, left out by
        filters, merged as duplicates, or are unique structures, of each), `rejected_by_code`,
        `left_out_by_code`, `relabelled` and `tolerance_dependent` (number and examples, among
        unique structures), and `space_groups`, `crystal_systems` (structures of each).
    """
    by_filter = pc.equal(rejected["stage"], STAGE)
    left_out, rejected = rejected.filter(by_filter), rejected.filter(pc.invert(by_filter))
    unique = Counter(structures["source"].to_pylist())
    refused = Counter(rejected["source"].to_pylist())
    unwanted = Counter(left_out["source"].to_pylist())
    merged = Counter(name.split(":")[0] for name in duplicates["structure_id"].to_pylist())
    sources = {
        name: {
            "entries": unique[name] + refused[name] + unwanted[name] + merged[name],
            "rejected": refused[name],
            "left_out": unwanted[name],
            "duplicates": merged[name],
            "structures": unique[name],
        }
        for name in sorted(unique | refused | unwanted | merged)
    }
    return {
        "sources": sources,
        "rejected_by_code": dict(sorted(Counter(rejected["code"].to_pylist()).items())),
        "left_out_by_code": dict(sorted(Counter(left_out["code"].to_pylist()).items())),
        "relabelled": relabelled(structures),
        "tolerance_dependent": tolerance_dependent(structures, tolerances),
        "space_groups": {
            str(number): count
            for number, count in sorted(Counter(structures["space_group"].to_pylist()).items())
        },
        "crystal_systems": dict(sorted(Counter(structures["crystal_system"].to_pylist()).items())),
    }


def relabelled(structures: pa.Table) -> dict[str, Any]:
    """Structures whose determined space group is not the declared one."""
    declared = structures.filter(pc.is_valid(structures["declared_space_group"]))
    different = declared.filter(
        pc.not_equal(declared["declared_space_group"], declared["space_group"])
    )
    columns = [
        "structure_id",
        "name",
        "formula",
        "declared_symbol",
        "declared_space_group",
        "space_group",
    ]
    return {
        "declared": declared.num_rows,
        "number": different.num_rows,
        "examples": different.select(columns).slice(0, EXAMPLES).to_pylist(),
    }


def tolerance_dependent(structures: pa.Table, tolerances: Sequence[float]) -> dict[str, Any]:
    """Structures whose space group is not the same at all tolerances."""
    rows = structures.select(
        ["structure_id", "name", "formula", "space_group", "space_group_by_tolerance"]
    ).to_pylist()
    dependent = [row for row in rows if len(set(row["space_group_by_tolerance"])) > 1]
    return {
        "tolerances": list(tolerances),
        "number": len(dependent),
        "examples": dependent[:EXAMPLES],
    }
