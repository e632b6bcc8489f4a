"""The convolutions of Park et al. 2017."""

from dataclasses import dataclass

from diffsym.settings.base import Count, Share
from diffsym.settings.models.base import Network


@dataclass(frozen=True, kw_only=True)
class ParkTrunk(Network):
    """Convolutions that several networks share, those of Park et al. 2017."""

    filters: Count = 80
    """Channels of each convolution."""
    kernel_sizes: tuple[int, int, int] = (100, 50, 25)
    """Kernels, points."""
    strides: tuple[int, int, int] = (5, 5, 2)
    """Strides of the convolutions."""
    pool_size: Count = 3
    """Size of the average pooling."""
    pool_strides: tuple[int, int, int] = (2, 3, 3)
    """Strides of the poolings; some versions have 2, 1, 1."""
    convolution_dropout: Share = 0.3
    """After each convolution."""
    hidden_dropout: Share = 0.5
    """After each fully connected layer before the classes."""
