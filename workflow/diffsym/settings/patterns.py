"""Powder patterns that are rendered, stored ones and simulated measurements alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt, Lt

from diffsym.settings.augmentation import Augmentation
from diffsym.settings.base import NonNegative, Positive, Section

# Of one line in A, or (wavelength, weight) of each line of a doublet.
Wavelength = Positive | tuple[tuple[Positive, Positive], ...]


def spectral_lines(wavelength: float | Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Wavelength, A, and weight of each line; the one place that tells one from several."""
    if isinstance(wavelength, Sequence):
        return [(length, weight) for length, weight in wavelength]
    return [(wavelength, 1.0)]


@dataclass(frozen=True, kw_only=True)
class Pattern(Section):
    """What powder patterns are rendered with."""

    is_pattern: ClassVar = True

    wavelength: Wavelength = 1.54184
    """A; or (wavelength, weight) of each line of a doublet."""
    two_theta_min: Annotated[float, Gt(0), Lt(180)] = 5.0
    """First angle, degrees."""
    two_theta_max: Annotated[float, Gt(0), Lt(180)] = 90.0
    """Last angle, degrees."""
    two_theta_step: Positive = 0.01
    """Step, degrees."""
    b_iso: NonNegative = 0.0
    """Isotropic displacement parameter B, A^2."""
    augmentation: Augmentation | None = None
    """What is drawn anew for each pattern; null: nothing."""

    def __post_init__(self) -> None:
        if self.two_theta_min + self.two_theta_step > self.two_theta_max:
            raise ValueError("two_theta_max must exceed two_theta_min by at least one step")
        # Scherrer's term, if there is one, broadens every peak.
        if self.augmentation is not None and self.augmentation.crystallite_size is None:
            narrowest = 2 * math.sqrt(2 * math.log(2)) * self.augmentation.sigma[0]
            if narrowest < self.two_theta_step:
                raise ValueError(
                    f"augmentation.sigma allows peaks of {narrowest:.4f} degrees at half maximum, "
                    "which is below two_theta_step; raise sigma or lower two_theta_step"
                )

    @property
    def d_star_max(self) -> float:
        """1/d of the last angle at the shortest wavelength, 1/A."""
        shortest, _ = min(spectral_lines(self.wavelength))
        return 2 * math.sin(math.radians(self.two_theta_max / 2)) / shortest
