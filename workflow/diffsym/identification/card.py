"""What a pack says of itself: its card.json.

Accuracies and shares lie between 0 and 1. The docstring of a field is its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.descriptors.powder import Powder

SCHEMA = 1
"""Version of the format of packs; one that is read differently has another."""

SpaceGroup = Annotated[int, Ge(1), Le(230)]
Number = Annotated[int, Ge(0)]


@dataclass(frozen=True, kw_only=True)
class SourceCard:
    """A database."""

    structures: Number
    """How many of the known structures come from it."""
    description: str
    """What it is and what it lacks; empty where nobody says."""
    version: str
    """Its version, or the date."""
    licence: str
    """Who may use it."""
    citation: str
    """Whom to cite."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its 95 % bootstrap interval."""

    value: float
    """The number itself."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """How often the first answer is right."""

    n: Number
    """Number of structures."""
    accuracy: Estimate
    """Of the networks."""
    baseline: Estimate
    """Of always naming the most common training group."""


@dataclass(frozen=True, kw_only=True)
class EnsembleCard:
    """Networks that were trained alike, and whose probabilities are averaged."""

    experiment: str
    """Its name in the configuration."""
    model: str
    """Kind of the model."""
    descriptor: Powder | Ideal
    """What the networks see."""
    target: Literal["space_group", "crystal_system"]
    """What they tell apart."""
    classes: Annotated[tuple[SpaceGroup, ...], MinLen(2)]
    """Space groups that they know, ascending."""
    training_counts: tuple[Number, ...]
    """Number of training structures of each."""
    split: str
    """Kind of the split: what training and test do not share."""
    seeds: Annotated[tuple[int, ...], MinLen(1)]
    """Seed of each network."""
    validation: Score
    """On the part by which epochs were chosen."""
    test: Score
    """On the part that chose nothing."""

    def __post_init__(self) -> None:
        if list(self.classes) != sorted(set(self.classes)):
            raise ValueError("the classes do not rise")
        if len(self.training_counts) != len(self.classes):
            raise ValueError("classes and training_counts are not equally many")


@dataclass(frozen=True, kw_only=True)
class SearchCard:
    """What measured patterns are searched for among."""

    structures: Number
    """Number of known structures."""
    lines: Number
    """Number of their lines."""


@dataclass(frozen=True, kw_only=True)
class FileCard:
    """A file of the pack."""

    size: Number
    """Bytes."""
    sha256: str
    """Digest, hexadecimal."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is in a pack."""

    schema: int
    """Version of the format."""
    name: str
    """Name of the section of the configuration."""
    diffsym: str
    """Version that made it."""
    sources: Mapping[str, SourceCard]
    """Databases by name."""
    ensembles: tuple[EnsembleCard, ...]
    """Networks; none if it is for the search alone."""
    search: SearchCard | None
    """Known structures; null if there are none."""
    calibrated: bool
    """Whether probabilities were calibrated."""
    files: Mapping[str, FileCard]
    """All other files by name."""
