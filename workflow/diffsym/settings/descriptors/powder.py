"""Powder patterns."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from diffsym.settings.augmentation import Augmentation
from diffsym.settings.base import Positive, Probability, Section
from diffsym.settings.descriptors.base import Descriptor
from diffsym.settings.patterns import Pattern


@dataclass(frozen=True, kw_only=True)
class Peaks(Section):
    """Profile of the peaks: Caglioti et al. 1958 and Scherrer; pseudo-Voigt."""

    u: float = 0.0
    """U of FWHM^2 = U tan^2(theta) + V tan(theta) + W, degrees^2."""
    v: float = 0.0
    """V, degrees^2."""
    w: float = 0.0139
    """W, degrees^2; the default is a Gaussian of standard deviation 0.05."""
    crystallite_size: Positive | None = None
    """L of Scherrer's equation, A; null: no broadening."""
    scherrer_constant: Positive = 0.9
    """K of Scherrer's equation."""
    eta: Probability = 0.0
    """Lorentzian share of the area."""


@dataclass(frozen=True, kw_only=True)
class Powder(Pattern, Descriptor):
    """Kinematic powder pattern, the largest value 1 (Vecsei et al. 2019)."""

    module: ClassVar = "diffsym.descriptors.powder"
    from_reflections: ClassVar = True
    conversion: ClassVar = "diffsym.experimental.powder"

    kind: Literal["powder"] = "powder"
    """Which descriptor."""
    peaks: Peaks = field(default_factory=Peaks)
    """Profile of the peaks of patterns without noise."""
    augmentation: Augmentation | None = None
    """Networks see patterns with new noise in each epoch; null: no noise."""
