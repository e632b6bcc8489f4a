"""Test sets that share no structure."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Le

from diffsym.settings.base import Count, Fraction, NonNegativeInt, Reference, Share
from diffsym.settings.splits import Split


@dataclass(frozen=True, kw_only=True)
class DisjointSets(Split):
    """Disjoint test sets with equally many structures of each group (Ozaki et al. 2025).

    The section stands for several splits, `NAME_1`, `NAME_2`, ...: each has a different set as its
    test part. An experiment on `NAME` stands for as many experiments, numbered alike.
    """

    module: ClassVar = "diffsym.datasets.disjoint_sets"

    kind: Literal["ozaki2025"] = "ozaki2025"
    """Which split."""
    descriptor: Annotated[str, Reference("descriptors")]
    """Section of descriptors, of kind ideal: gives the peaks."""
    classes: Annotated[str, Reference("class_sets")]
    """Section of class_sets: the groups that are drawn from."""
    filter: Annotated[str, Reference("filters")]
    """Section of filters: the sets are drawn from what it keeps."""
    sets: Annotated[int, Ge(2), Le(100)] = 5
    """Number of disjoint sets."""
    entries_per_group: Count = 16
    """Structures of each group in each set."""
    tolerance_bins: Annotated[int, Ge(0), Le(1000)] = 5
    """A structure is not drawn if each of its peaks is within this many bins of a peak of another
    structure of its group.
    """
    minimum_intensity: Share = 0.0
    """Peaks are higher than this; the strongest has 1."""
    adapt: bool = False
    """Draw fewer from groups that are too small; false: they are an error."""
    validation_fraction: Fraction = 0.1
    """Share of the training side."""
    folds: Annotated[int, Ge(2), Le(100)] = 5
    """Cross-validation folds of the training side."""
    seed: NonNegativeInt = 0
    """Seed of the draw."""
    held_out: Count | None = None
    """Number of the set that tests; null: each in turn."""

    def __post_init__(self) -> None:
        if self.held_out is not None and self.held_out > self.sets:
            raise ValueError("held_out must not exceed sets")

    @property
    def parts(self) -> int | None:
        """Number of splits that the section stands for; None: itself."""
        return self.sets if self.held_out is None else None

    def part(self, number: int) -> Self:
        """One of the splits that the section stands for, counted from 1."""
        return replace(self, held_out=number)

    @property
    def profiles(self) -> str:
        """Name of the descriptor whose profiles decide who may be drawn."""
        return self.descriptor
