"""Networks with a stream for each image of a structure."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from diffsym.settings.models.base import Network


@dataclass(frozen=True, kw_only=True)
class StreamNetwork(Network):
    """Networks that see the images of a structure one by one and combine their answers."""

    takes_images: ClassVar = True
    has_streams: ClassVar = True

    side: Annotated[int, Ge(32)] | None = None
    """Pixels that images are downsampled to; null: as stored."""
