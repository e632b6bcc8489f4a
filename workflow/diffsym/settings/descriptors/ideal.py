"""Ideal profiles."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from diffsym.settings.base import NonNegative, Positive
from diffsym.settings.descriptors.base import Descriptor


@dataclass(frozen=True, kw_only=True)
class Ideal(Descriptor):
    """Lines without a width in bins of 1/d, the largest value 1 (Ozaki et al. 2025)."""

    module: ClassVar = "diffsym.descriptors.ideal"
    from_reflections: ClassVar = True
    conversion: ClassVar = "diffsym.experimental.ideal"

    kind: Literal["ideal"] = "ideal"
    """Which descriptor."""
    d_star_min: Positive = 0.1131
    """Lower edge of the first bin, 1/A."""
    d_star_max: Positive = 1.0625
    """Upper edge of the last bin, 1/A."""
    bins: Annotated[int, Ge(1), Le(65536)] = 10001
    """Number of equal bins."""
    b_iso: NonNegative = 2.0
    """Isotropic displacement parameter B, A^2."""

    def __post_init__(self) -> None:
        if self.d_star_min >= self.d_star_max:
            raise ValueError("d_star_min must be smaller than d_star_max")

    @property
    def d_star_range(self) -> tuple[float, float]:
        """Lowest and highest 1/d, 1/A."""
        return self.d_star_min, self.d_star_max
