"""Settings of `diffsym.models.tiong2020_msvgg`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.base import Count, Share
from diffsym.settings.models.streams import StreamNetwork

# Of one or more blocks, of one or more layers each.
Blocks = Annotated[tuple[Annotated[tuple[Count, ...], MinLen(1)], ...], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class Tiong2020Msvgg(StreamNetwork):
    """Three streams of one VGG-11 (their supplementary Table 4)."""

    module: ClassVar = "diffsym.models.tiong2020_msvgg"

    kind: Literal["tiong2020_msvgg"] = "tiong2020_msvgg"
    """Which model."""
    block_filters: Blocks = (
        (64,),
        (128,),
        (256, 256),
        (512, 512),
        (512, 512),
    )
    """Channels of the convolutions of each block."""
    hidden_units: tuple[Count, ...] = (4096, 4096)
    """Fully connected layers."""
    hidden_dropout: Share = 0.5
    """After each of them."""
