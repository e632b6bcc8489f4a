"""Pair distribution functions."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Le

from diffsym.settings.base import NonNegative, Positive
from diffsym.settings.descriptors.base import Descriptor


@dataclass(frozen=True, kw_only=True)
class Pdf(Descriptor):
    """Reduced pair distribution function, normalised to 0 ... 1 (Liu et al. 2019, Table 2)."""

    module: ClassVar = "diffsym.descriptors.pdf"
    has_products: ClassVar = True

    kind: Literal["pdf"] = "pdf"
    """Which descriptor."""
    engine: Literal["native", "srreal"] = "native"
    """The native kernel, or diffpy.srreal where it is installed."""
    r_min: NonNegative = 1.5
    """Smallest distance, A."""
    r_max: Annotated[float, Gt(0), Le(200)] = 30.0
    """Largest distance, A."""
    r_step: Positive | None = None
    """Grid step, A; null: pi / q_max."""
    q_min: NonNegative = 0.5
    """Smallest momentum transfer, 1/A."""
    q_max: Positive = 23.0
    """Largest momentum transfer, 1/A."""
    u_iso: Positive = 0.008
    """Isotropic displacement parameter U, A^2."""
    q_damp: NonNegative = 0.04
    """Instrumental damping, 1/A."""
    q_broad: NonNegative = 0.01
    """Instrumental broadening, 1/A."""

    def __post_init__(self) -> None:
        if self.r_min >= self.r_max:
            raise ValueError("r_min must be smaller than r_max")
        if self.q_min >= self.q_max:
            raise ValueError("q_min must be smaller than q_max")
        nyquist = math.pi / self.q_max
        if self.r_step is not None and self.r_step > nyquist * (1 + 1e-9):
            raise ValueError(
                f"r_step {self.r_step} A is above pi / q_max = {nyquist:.4f} A, "
                "so that the grid cannot carry the signal; lower r_step or q_max"
            )

    @property
    def environment(self) -> str:
        """Conda environment of its jobs: diffpy.srreal has a package for conda only."""
        return "srreal" if self.engine == "srreal" else "descriptors"
