"""Settings of `diffsym.models.applications`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.models.base import Network


@dataclass(frozen=True, kw_only=True)
class Applications(Network):
    """VGG, ResNet and DenseNet as Keras has them, without trained weights."""

    module: ClassVar = "diffsym.models.applications"
    takes_images: ClassVar = True

    kind: Literal["applications"] = "applications"
    """Which model."""
    architecture: Literal["VGG16", "VGG19", "ResNet50", "ResNet101", "DenseNet121", "DenseNet169"]
    """Name in keras.applications."""
