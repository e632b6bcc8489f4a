"""Settings of `diffsym.models.liu2019_cnn`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.base import Count, Share
from diffsym.settings.models.base import Network


@dataclass(frozen=True, kw_only=True)
class Liu2019Cnn(Network):
    """Convolutional network of Liu et al. 2019, Fig. 4."""

    module: ClassVar = "diffsym.models.liu2019_cnn"

    kind: Literal["liu2019_cnn"] = "liu2019_cnn"
    """Which model."""
    filters: tuple[int, int] = (256, 64)
    """Channels of the two convolutions."""
    kernel_size: Count = 32
    """Kernel of both convolutions."""
    hidden_units: Count = 128
    """Units of the fully connected layer."""
    pool_size: Count = 2
    """Size of the maximum pooling."""
    dropout: Share = 0.5
    """Dropout rate after the pooling."""
    batch_normalisation: bool = True
    """Normalise each convolution before its ReLU."""
    normalisation_momentum: Share = 0.9
    """Memory of the normalisation's running means."""
