"""How a space group is determined."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le, MinLen

from diffsym.settings.base import Positive, Section


@dataclass(frozen=True, kw_only=True)
class Symmetry(Section):
    """Space-group determination with spglib."""

    symprec: Annotated[float, Gt(0), Le(1)] = 0.01
    """Distance tolerance of the label, A."""
    tolerances: Annotated[tuple[Positive, ...], MinLen(1)] = (0.001, 0.01, 0.1)
    """Tolerances at which the label is compared with that at symprec, A."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerances", tuple(sorted({*self.tolerances, self.symprec})))
