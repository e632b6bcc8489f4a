"""Settings of `diffsym.models.ziletti2018`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, MinLen

from diffsym.settings.base import Count, Share
from diffsym.settings.models.base import Network

# Of one or more blocks, of one or more layers each.
Blocks = Annotated[tuple[Annotated[tuple[Count, ...], MinLen(1)], ...], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class Ziletti2018(Network):
    """Convolutional network for spot patterns of Ziletti et al. 2018."""

    module: ClassVar = "diffsym.models.ziletti2018"
    takes_images: ClassVar = True

    kind: Literal["ziletti2018"] = "ziletti2018"
    """Which model."""
    side: Annotated[int, Ge(8)] = 64
    """Pixels that images are downsampled to."""
    block_filters: Blocks = (
        (32, 32),
        (16, 16),
        (8, 8),
    )
    """Channels of the convolutions of each block."""
    kernel_size: Count = 7
    """Kernel of the convolutions, pixels."""
    hidden_units: Count = 128
    """Units of the fully connected layer."""
    dropout: Share = 0.25
    """After it."""
