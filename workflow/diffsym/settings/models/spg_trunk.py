"""What the networks of Ozaki et al. 2025 share."""

from dataclasses import dataclass

from diffsym.settings.base import Count
from diffsym.settings.models.park_trunk import ParkTrunk


@dataclass(frozen=True, kw_only=True)
class SpgTrunk(ParkTrunk):
    """Convolutions of Park et al. 2017, then layers in units of the number of classes."""

    hidden_factors: tuple[Count, ...] = (10, 5)
    """Fully connected layers, in units of the number of classes."""
