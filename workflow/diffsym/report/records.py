"""What other stages record in JSON files and the report shows; other keys are ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class Record:
    """What all types here share."""

    __pydantic_config__: ClassVar = {"extra": "ignore"}


@dataclass(frozen=True, kw_only=True)
class History(Record):
    """Learning curves of a network, one value per epoch: history.json."""

    backend: str
    """Backend of Keras."""
    device: str
    """Device that trained the network."""
    accuracy: Sequence[float] = ()
    """Training accuracy."""
    loss: Sequence[float] = ()
    """Training cost, nat."""
    val_accuracy: Sequence[float] = ()
    """Validation accuracy."""
    val_loss: Sequence[float] = ()
    """Validation cost, nat."""
    parameters: int | None = None
    """Number of trainable parameters."""
    flops: int | None = None
    """Operations for one prediction."""
    processor_seconds: Sequence[float] = ()
    """Processor time of each epoch, s."""
    training_rate: float | None = None
    """Operations of the network in a processor second of its training."""
    matmul_rate: float | None = None
    """Operations in a processor second when the same process multiplied large matrices."""


@dataclass(frozen=True, kw_only=True)
class Course(Record):
    """Accuracies over the epochs that have a snapshot: epochs.json."""

    epochs: Sequence[int]
    """The epochs, from 1."""
    accuracy: Mapping[str, Sequence[float]]
    """Accuracy on the test set (`test`) and on sets of measured patterns, by their name."""


@dataclass(frozen=True, kw_only=True)
class Leakage(Record):
    """What the test structures of a split share with its training structures."""

    test_structures: int
    """Number of test structures."""
    share_with_training_formula: float
    """Share with the formula of a training structure."""
    share_with_training_type: float
    """Share with the structure type of a training structure."""
    threshold: float
    """Root-mean-square distance below which two descriptors are near."""
    share_near: float
    """Share with a near training descriptor."""
    share_near_same_group: float
    """Share with a near training descriptor of the same space group."""
    share_nearest_has_same_group: float
    """Share whose nearest training descriptor has the same space group."""
    median_distance: float
    """Median root-mean-square distance to the nearest training descriptor."""


@dataclass(frozen=True, kw_only=True)
class SourceRecord(Record):
    """What a source says of itself: provenance/sources/NAME.json."""

    description: str
    """What it is, and what it lacks."""
    version: str
    """Its version."""
    licence: str
    """Terms of use."""
    citation: str
    """Reference."""


@dataclass(frozen=True, kw_only=True)
class SourceCounts(Record):
    """Entries of one source."""

    entries: int
    """Entries that were read."""
    structures: int
    """Unique structures among them."""


@dataclass(frozen=True, kw_only=True)
class Statistics(Record):
    """Counts of the structures stage: structures.json."""

    sources: Mapping[str, SourceCounts]
    """Counts by source."""
