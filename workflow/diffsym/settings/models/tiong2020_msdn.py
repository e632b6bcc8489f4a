"""Settings of `diffsym.models.tiong2020_msdn`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Le, MinLen

from diffsym.settings.base import Count, Share
from diffsym.settings.models.streams import StreamNetwork


@dataclass(frozen=True, kw_only=True)
class Tiong2020Msdn(StreamNetwork):
    """Three streams of one DenseNet for shaped patterns (Tiong et al. 2020, Fig. 1c)."""

    module: ClassVar = "diffsym.models.tiong2020_msdn"

    kind: Literal["tiong2020_msdn"] = "tiong2020_msdn"
    """Which model."""
    stem_filters: Count = 40
    """Channels of the first convolution."""
    block_layers: Annotated[tuple[Count, ...], MinLen(1)] = (3, 6, 8, 6)
    """Layers of each dense block."""
    growth: Count = 40
    """Channels that a layer adds."""
    bottleneck: Count = 40
    """Channels of each layer's 1 x 1 convolution."""
    compression: Annotated[float, Gt(0), Le(1)] = 1.0
    """Share of the channels that a transition keeps."""
    dropout: Share = 0.2
    """After each convolution; our own choice."""
    batch_normalisation: bool = False
    """Normalise each convolution before its ReLU."""
