"""Which space groups are distinguished."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from diffsym.settings.base import Section

# Names of the lists in data/class_sets.
PublishedList = Literal[
    "liu2019-45",
    "ozaki2025-57",
    "tiong2020-8",
    "tiong2020-20",
    "tiong2020-49",
    "tiong2020-72",
    "tiong2020-untrained-30",
]
# Number of a space group in the International Tables.
SpaceGroup = Annotated[int, Ge(1), Le(230)]


@dataclass(frozen=True, kw_only=True)
class ClassSet(Section):
    """Which space groups are distinguished; exactly one of the keys is given."""

    min_entries: Annotated[int, Ge(2)] | None = None
    """Groups with at least this many unique structures."""
    most_populated: Annotated[int, Ge(2)] | None = None
    """This many groups, those with the most unique structures."""
    space_groups: Annotated[tuple[SpaceGroup, ...], MinLen(2)] | None = None
    """Group numbers."""
    named: PublishedList | None = None
    """A list published with a paper, see data/class_sets."""

    def __post_init__(self) -> None:
        given = sum(value is not None for value in vars(self).values())
        if given != 1:
            raise ValueError(
                "give exactly one of min_entries, most_populated, space_groups and named, "
                f"not {given}"
            )
