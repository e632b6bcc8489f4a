"""Which structures train, validate and test."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from diffsym.settings.base import Fraction, NonNegativeInt, Section


@dataclass(frozen=True, kw_only=True)
class Split(Section):
    """Any kind of split."""

    module: ClassVar[str]
    """Module that makes it, by its function `make_split`."""
    parts: ClassVar[int | None] = None
    """Number of splits that the section stands for; None: itself."""


@dataclass(frozen=True, kw_only=True)
class DrawnSplit(Split):
    """Which structures train, validate and test."""

    module: ClassVar = "diffsym.datasets.splits"

    kind: Literal["stratified", "formula", "prototype"]
    """Stratified: within each space group; formula, prototype: none on both sides."""
    test_fraction: Fraction = 0.2
    """Share of all structures."""
    validation_fraction: Fraction = 0.1
    """Share of the training side."""
    folds: Annotated[int, Ge(2), Le(100)] = 5
    """Cross-validation folds of the training side."""
    seed: NonNegativeInt = 0
    """Seed of the draw."""
