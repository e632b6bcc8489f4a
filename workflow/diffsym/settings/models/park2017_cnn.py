"""Settings of `diffsym.models.park2017_cnn`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.base import Count
from diffsym.settings.models.park_trunk import ParkTrunk


@dataclass(frozen=True, kw_only=True)
class Park2017Cnn(ParkTrunk):
    """Convolutional network for powder patterns of Park et al. 2017, as in Vecsei et al. 2019."""

    module: ClassVar = "diffsym.models.park2017_cnn"

    kind: Literal["park2017_cnn"] = "park2017_cnn"
    """Which model."""
    input_points: Count = 10001
    """Patterns are padded with zeros to this."""
    hidden_units: tuple[Count, ...] = (2300, 1150)
    """Fully connected layers; the paper has 700, 70 for systems."""
