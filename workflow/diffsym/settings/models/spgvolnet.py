"""Settings of `diffsym.models.spgvolnet`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.base import Count
from diffsym.settings.models.spg_trunk import SpgTrunk


@dataclass(frozen=True, kw_only=True)
class SpgVolNet(SpgTrunk):
    """Space group and volume of the primitive cell from ideal profiles (their Fig. 2b)."""

    module: ClassVar = "diffsym.models.spgvolnet"
    has_volume: ClassVar = True

    kind: Literal["spgvolnet"] = "spgvolnet"
    """Which model."""
    volume_units: tuple[Count, ...] = (100, 50)
    """Fully connected layers before the volume; our own choice."""
