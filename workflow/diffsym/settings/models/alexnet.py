"""Settings of `diffsym.models.alexnet`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.base import Count, Share
from diffsym.settings.models.base import Network


@dataclass(frozen=True, kw_only=True)
class AlexNet(Network):
    """Convolutional network of Krizhevsky et al. 2012."""

    module: ClassVar = "diffsym.models.alexnet"
    takes_images: ClassVar = True

    kind: Literal["alexnet"] = "alexnet"
    """Which model."""
    filters: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256)
    """Channels of the convolutions."""
    hidden_units: tuple[Count, ...] = (4096, 4096)
    """Fully connected layers."""
    hidden_dropout: Share = 0.5
    """After each of them."""
