"""What is drawn anew for a powder pattern each time that it is rendered."""

from dataclasses import dataclass

from diffsym.settings.base import NonNegativeInt, Positive, Probability, Section

Range = tuple[float, float]
PositiveRange = tuple[Positive, Positive]
Counts = tuple[NonNegativeInt, NonNegativeInt]


@dataclass(frozen=True, kw_only=True)
class Augmentation(Section):
    """What is drawn anew for a pattern in each epoch (Vecsei et al. 2019, appendix A).

    Pairs are the lowest and the highest value of a uniform distribution. T is
    `background_amplitude` divided by the number of background functions that are present.
    """

    sigma: PositiveRange = (0.02, 0.1)
    """Standard deviation of the peaks, degrees; not in the paper."""
    noise: Range = (0.002, 0.02)
    """Noise at each angle."""
    background_probability: Probability = 0.5
    """Probability of each background function."""
    background_amplitude: Positive = 0.1
    """T times the functions present."""
    step_height: Range = (0, 1)
    """Limits of a step's height, T."""
    step_height_mean: float = 1 / 3
    """Mean of its truncated normal, T."""
    step_height_deviation: Positive = 1 / 7
    """Standard deviation of that, T."""
    step_steepness: PositiveRange = (10, 60)
    """Steepness a of a step."""
    step_zone: Probability = 1 / 7
    """Share of the range that a step lies in."""
    polynomial_degree: Counts = (0, 4)
    """Degree of the polynomial."""
    polynomial_coefficient: Range = (-1.5, 1.5)
    """A coefficient that is not zero, T / (degree + 1)."""
    polynomial_zero_probability: Probability = 0.5
    """Probability that a coefficient is zero."""
    bump_height: Range = (0, 0.6)
    """Limits of the bump's height, T."""
    bump_height_mean: float = 0.4
    """Mean of its truncated normal, T."""
    bump_height_deviation: Positive = 3 / 35
    """Standard deviation of that, T."""
    bump_steepness: PositiveRange = (40, 70)
    """Steepness n of the bump."""
    eta: Range = (0, 0)
    """Lorentzian share of the peaks; not in the paper."""
    crystallite_size: PositiveRange | None = None
    """Scherrer broadening besides sigma, A; not in the paper."""
    zero_shift: Range = (0, 0)
    """Shift of all angles, degrees; not in the paper."""
    displacement: Range = (0, 0)
    """How far the sample lies below the goniometer's axis, mm; not in the paper."""
    goniometer_radius: Positive = 200.0
    """Radius for the displacement, mm."""
    march_ratio: PositiveRange = (1, 1)
    """Preferred orientation about reflections.preferred_axis, uniform in its logarithm: below 1
    plates, above 1 needles; not in the paper.
    """
    impurity_lines: Counts = (0, 0)
    """Number of peaks of other phases; not in the paper."""
    impurity_height: PositiveRange = (0.005, 0.05)
    """Height of such a peak, in units of the strongest."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, tuple) and value[0] > value[1]:
                raise ValueError(f"{name}: the first value must not exceed the second")
