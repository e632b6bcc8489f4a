"""Settings of `diffsym.models.spgnet`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffsym.settings.models.spg_trunk import SpgTrunk


@dataclass(frozen=True, kw_only=True)
class SpgNet(SpgTrunk):
    """Space groups from ideal profiles (Ozaki et al. 2025, Fig. 2a); the sizes are Park's."""

    module: ClassVar = "diffsym.models.spgnet"

    kind: Literal["spgnet"] = "spgnet"
    """Which model."""
