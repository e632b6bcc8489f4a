"""How uncertainties and leakage are measured."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from diffsym.settings.base import NonNegativeInt, Positive, Section


@dataclass(frozen=True, kw_only=True)
class Evaluation(Section):
    """How uncertainties and leakage are measured."""

    bootstrap_samples: Annotated[int, Ge(100)] = 1000
    """Resamples of the test set."""
    seed: NonNegativeInt = 0
    """Seed of the bootstrap."""
    leakage_threshold: Positive = 0.01
    """Root-mean-square distance below which two descriptors count as the same."""
