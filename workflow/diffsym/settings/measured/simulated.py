"""Simulated measurements of test structures."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Lt

from diffsym.settings.augmentation import Augmentation
from diffsym.settings.base import Count, NonNegative
from diffsym.settings.measured.base import Measured
from diffsym.settings.patterns import Pattern, Wavelength


@dataclass(frozen=True, kw_only=True)
class SimulatedPatterns(Pattern, Measured):
    """Test structures as an instrument would show them: what is lost between crystal and peaks."""

    simulated: ClassVar = True

    kind: Literal["simulated"] = "simulated"
    """Which reader."""
    wavelength: Wavelength = ((1.540593, 2.0), (1.544427, 1.0))
    """A; or (wavelength, weight) of each line of a doublet."""
    two_theta_min: Annotated[float, Gt(0), Lt(180)] = 10.0
    """First angle, degrees."""
    two_theta_max: Annotated[float, Gt(0), Lt(180)] = 109.8
    """Last angle, degrees."""
    b_iso: NonNegative = 2.0
    """Isotropic displacement parameter B, A^2."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """Peaks, noise and background of each pattern."""
    limit: Count = 200
    """Structures drawn from the test part."""
