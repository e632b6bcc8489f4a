"""Settings of `diffsym.models.vecsei2019_dense`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.base import Count, Share
from diffsym.settings.models.base import Network


@dataclass(frozen=True, kw_only=True)
class Vecsei2019Dense(Network):
    """Dense network for powder patterns after Vecsei et al. 2019; the sizes are our own."""

    module: ClassVar = "diffsym.models.vecsei2019_dense"

    kind: Literal["vecsei2019_dense"] = "vecsei2019_dense"
    """Which model."""
    hidden_units: tuple[Count, ...] = (1024, 512, 256)
    """Fully connected layers."""
    dropout: Share = 0.3
    """After each of them."""
