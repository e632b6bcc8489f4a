"""Sections on powder patterns: the peaks, the noise, and the angles of a pattern.

Descriptors and simulated measurements are both patterns, each with its own defaults.
"""

import math
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from diffsym.config.base import Positive, Section


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    """Refuse a range whose first value exceeds the second."""
    if pair[0] > pair[1]:
        raise PydanticCustomError("physics", "the first value must not exceed the second")
    return pair


Range = Annotated[tuple[float, float], AfterValidator(_rising)]
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]
Counts = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]], AfterValidator(_rising)
]
Probability = Annotated[float, Field(ge=0, le=1)]


class Peaks(Section):
    """Profile of the peaks: Caglioti et al. 1958 and Scherrer; pseudo-Voigt."""

    u: float = Field(0.0, description="U of FWHM^2 = U tan^2(theta) + V tan(theta) + W, degrees^2")
    v: float = Field(0.0, description="V, degrees^2")
    w: float = Field(
        0.0139, description="W, degrees^2; the default is a Gaussian of standard deviation 0.05"
    )
    crystallite_size: Positive | None = Field(
        None, description="L of Scherrer's equation, A; null: no broadening"
    )
    scherrer_constant: Positive = Field(0.9, description="K of Scherrer's equation")
    eta: float = Field(0.0, ge=0, le=1, description="Lorentzian share of the area")


class Augmentation(Section):
    """What is drawn anew for a pattern in each epoch (Vecsei et al. 2019, appendix A).

    Pairs are the lowest and the highest value of a uniform distribution. T is
    `background_amplitude` divided by the number of background functions that are present.
    """

    sigma: PositiveRange = Field(
        (0.02, 0.1), description="standard deviation of the peaks, degrees; not in the paper"
    )
    noise: Range = Field((0.002, 0.02), description="noise at each angle")
    background_probability: Probability = Field(
        0.5, description="probability of each background function"
    )
    background_amplitude: Positive = Field(0.1, description="T times the functions present")
    step_height: Range = Field((0, 1), description="limits of a step's height, T")
    step_height_mean: float = Field(1 / 3, description="mean of its truncated normal, T")
    step_height_deviation: Positive = Field(1 / 7, description="standard deviation of that, T")
    step_steepness: PositiveRange = Field((10, 60), description="steepness a of a step")
    step_zone: Probability = Field(1 / 7, description="share of the range that a step lies in")
    polynomial_degree: Counts = Field((0, 4), description="degree of the polynomial")
    polynomial_coefficient: Range = Field(
        (-1.5, 1.5), description="a coefficient that is not zero, T / (degree + 1)"
    )
    polynomial_zero_probability: Probability = Field(
        0.5, description="probability that a coefficient is zero"
    )
    bump_height: Range = Field((0, 0.6), description="limits of the bump's height, T")
    bump_height_mean: float = Field(0.4, description="mean of its truncated normal, T")
    bump_height_deviation: Positive = Field(3 / 35, description="standard deviation of that, T")
    bump_steepness: PositiveRange = Field((40, 70), description="steepness n of the bump")
    eta: Range = Field((0, 0), description="Lorentzian share of the peaks; not in the paper")
    crystallite_size: PositiveRange | None = Field(
        None, description="Scherrer broadening besides sigma, A; not in the paper"
    )
    zero_shift: Range = Field((0, 0), description="shift of all angles, degrees; not in the paper")
    displacement: Range = Field(
        (0, 0),
        description="how far the sample lies below the goniometer's axis, mm; not in the paper",
    )
    goniometer_radius: Positive = Field(200.0, description="radius for the displacement, mm")
    march_ratio: PositiveRange = Field(
        (1, 1),
        description="preferred orientation about reflections.preferred_axis, uniform in its "
        "logarithm: below 1 plates, above 1 needles; not in the paper",
    )
    impurity_lines: Counts = Field(
        (0, 0), description="number of peaks of other phases; not in the paper"
    )
    impurity_height: PositiveRange = Field(
        (0.005, 0.05), description="height of such a peak, in units of the strongest"
    )


WavelengthKey = Positive | list[tuple[Positive, Positive]]


class Pattern(Section):
    """What powder patterns are rendered with."""

    kind: str = Field(description="what the patterns are for")
    wavelength: WavelengthKey = Field(
        1.54184, description="A; or (wavelength, weight) of each line of a doublet"
    )
    two_theta_min: Positive = Field(5.0, lt=180, description="first angle, degrees")
    two_theta_max: Positive = Field(90.0, lt=180, description="last angle, degrees")
    two_theta_step: Positive = Field(0.01, description="step, degrees")
    b_iso: float = Field(0.0, ge=0, description="isotropic displacement parameter B, A^2")
    augmentation: Augmentation | None = None

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.two_theta_min + self.two_theta_step > self.two_theta_max:
            raise PydanticCustomError(
                "physics", "two_theta_max must exceed two_theta_min by at least one step"
            )
        # Scherrer's term, if there is one, broadens every peak.
        if self.augmentation is not None and self.augmentation.crystallite_size is None:
            narrowest = 2 * math.sqrt(2 * math.log(2)) * self.augmentation.sigma[0]
            if narrowest < self.two_theta_step:
                raise PydanticCustomError(
                    "physics",
                    "augmentation.sigma allows peaks of {width} degrees at half maximum, which is "
                    "below two_theta_step; raise sigma or lower two_theta_step",
                    {"width": f"{narrowest:.4f}"},
                )
        return self

    @property
    def d_star_max(self) -> float:
        """1/d of the last angle at the shortest wavelength, 1/A."""
        lines = [self.wavelength] if isinstance(self.wavelength, float) else self.wavelength
        shortest = min(line if isinstance(line, float) else line[0] for line in lines)
        return 2 * math.sin(math.radians(self.two_theta_max / 2)) / shortest
