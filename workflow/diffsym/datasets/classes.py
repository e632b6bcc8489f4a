"""Class sets: which space groups a model distinguishes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike, NDArray

from diffsym.errors import DiffsymError
from diffsym.files import read_json


@dataclass(frozen=True)
class ClassSet:
    """The space groups that a model distinguishes.

    Attributes
    ----------
    classes
        Space-group numbers in increasing order; output `i` of a model stands for `classes[i]`.
    counts
        Number of structures of each class, in the order of `classes`.
    missing
        Requested space groups without any structure.
    rule
        The setting that selected the classes.
    """

    classes: list[int]
    counts: list[int]
    missing: list[int]
    rule: dict[str, Any]


def select_classes(
    labels: ArrayLike | NDArray,
    *,
    min_entries: int | None = None,
    most_populated: int | None = None,
    space_groups: Sequence[int] | None = None,
    named: str | Path | None = None,
) -> ClassSet:
    """Select the space groups that a model distinguishes, by exactly one of the four rules.

    Parameters
    ----------
    labels
        Space-group number of each structure, (n,).
    min_entries
        Take all groups with at least this many structures.
    most_populated
        Take this many groups, those with the most structures; of equals the one of lower number.
    space_groups
        Take these groups, as far as there are structures of them.
    named
        Take the groups in the column `space_group` of this CSV file (lines that start with # are
        comments), as far as there are structures of them.

    Raises
    ------
    DiffsymError
        If fewer than two groups remain, or the CSV file does not hold space groups.
    """
    counts = Counter(pd.Series(labels).tolist())
    if min_entries is not None:
        rule: dict[str, Any] = {"min_entries": min_entries}
        wanted = {number for number, count in counts.items() if count >= min_entries}
    elif most_populated is not None:
        rule = {"most_populated": most_populated}
        wanted = set(sorted(counts, key=lambda number: (-counts[number], number))[:most_populated])
    elif space_groups is not None:
        rule = {"space_groups": list(space_groups)}
        wanted = set(space_groups)
    elif named is not None:
        rule = {"named": Path(named).stem}
        wanted = set(read_named_list(named))
    else:
        raise ValueError("give one of min_entries, most_populated, space_groups and named")
    classes = sorted(number for number in wanted if counts[number])
    if len(classes) < 2:
        raise DiffsymError(
            f"class set {rule}: {len(classes)} of the {len(counts)} space groups in the data "
            "qualify, but a classifier needs two; lower min_entries, name other groups or use "
            "more structures"
        )
    return ClassSet(
        classes=classes,
        counts=[counts[number] for number in classes],
        missing=sorted(wanted - set(classes)),
        rule=rule,
    )


def read_named_list(path: str | Path) -> list[int]:
    """Space-group numbers of a published list, a CSV file with the column `space_group`."""
    try:
        numbers = pd.read_csv(path, comment="#")["space_group"]
    except (KeyError, ValueError) as error:
        raise DiffsymError(
            f"{path}: not a class list ({error}); give a CSV file with the column space_group"
        ) from None
    if not (pd.api.types.is_integer_dtype(numbers) and numbers.between(1, 230).all()):
        raise DiffsymError(f"{path}: the column space_group must hold whole numbers from 1 to 230")
    return numbers.tolist()


def read_classes(path: str | Path) -> list[int]:
    """Space-group numbers of a class set that was written as JSON."""
    return list(read_json(path)["classes"])
