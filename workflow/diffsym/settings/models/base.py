"""What all models share."""

from dataclasses import dataclass
from typing import ClassVar

from diffsym.settings.base import Section


class Model(Section):
    """Any kind of model."""

    module: ClassVar[str]
    """Module that builds it."""
    is_network: ClassVar[bool] = True
    """Whether it is trained in epochs, by a section of trainings."""
    takes_images: ClassVar[bool] = False
    """Whether it sees images, not one vector."""
    has_streams: ClassVar[bool] = False
    """Whether it sees the images of a structure one by one."""
    has_volume: ClassVar[bool] = False
    """Whether it predicts the volume of the primitive cell, too."""
    has_products: ClassVar[bool] = False
    """Whether it learns from the products of all pairs of values."""

    kind: str


@dataclass(frozen=True, kw_only=True)
class Network(Model):
    """Any kind of network."""
