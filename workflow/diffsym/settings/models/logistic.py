"""Settings of `diffsym.models.logistic`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.base import Count, Positive, Probability
from diffsym.settings.models.base import Model


@dataclass(frozen=True, kw_only=True)
class Logistic(Model):
    """One elastic-net logistic regression per space group (Liu et al. 2019, appendix A)."""

    module: ClassVar = "diffsym.models.logistic"
    is_network: ClassVar = False

    kind: Literal["logistic"] = "logistic"
    """Which model."""
    features: Literal["linear", "quadratic"]
    """X, or the products X_i X_j."""
    alphas: Annotated[tuple[Positive, ...], MinLen(1)] = (1e-05,)
    """Strengths to try."""
    l1_ratios: Annotated[tuple[Probability, ...], MinLen(1)] = (0.75,)
    """Shares of the L1 term to try."""
    max_epochs: Count = 100
    """Passes over the training part at most."""

    @property
    def has_products(self) -> bool:  # type: ignore[override]
        """Whether it learns from the products of all pairs of values."""
        return self.features == "quadratic"
