"""Class sets: which space groups a model distinguishes."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike, NDArray

from diffsym.errors import DiffsymError
from diffsym.files import read_json
from diffsym.settings.class_sets import ClassSet


@dataclass(frozen=True)
class SelectedClasses:
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
    settings: ClassSet,
    published: str | Path | None = None,
) -> SelectedClasses:
    """Select the space groups that a model distinguishes.

    Parameters
    ----------
    labels
        Space-group number of each structure, (n,).
    settings
        The rule. Of equally populated groups the one of lower number comes first; listed groups
        are taken as far as there are structures of them.
    published
        File of the list that the settings name: a CSV file with the column `space_group` (lines
        that start with # are comments).

    Raises
    ------
    DiffsymError
        If fewer than two groups remain, or the CSV file does not hold space groups.
    """
    counts = Counter(pd.Series(labels).tolist())
    if settings.min_entries is not None:
        rule: dict[str, Any] = {"min_entries": settings.min_entries}
        wanted = {number for number, count in counts.items() if count >= settings.min_entries}
    elif settings.most_populated is not None:
        rule = {"most_populated": settings.most_populated}
        by_count = sorted(counts, key=lambda number: (-counts[number], number))
        wanted = set(by_count[: settings.most_populated])
    elif settings.space_groups is not None:
        rule = {"space_groups": list(settings.space_groups)}
        wanted = set(settings.space_groups)
    elif published is not None:
        rule = {"named": settings.named}
        wanted = set(read_named_list(published))
    else:
        raise ValueError(f"give the file of the list {settings.named}")
    classes = sorted(number for number in wanted if counts[number])
    if len(classes) < 2:
        raise DiffsymError(
            f"class set {rule}: {len(classes)} of the {len(counts)} space groups in the data "
            "qualify, but a classifier needs two; lower min_entries, name other groups or use "
            "more structures"
        )
    return SelectedClasses(
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
