"""The table of reflections."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Le

from diffsym.settings.base import NonNegative, Section


@dataclass(frozen=True, kw_only=True)
class Reflections(Section):
    """The table of reflections that all powder-type descriptors are rendered from."""

    d_star_min: NonNegative = 0.01
    """Smallest 1/d, 1/A."""
    d_star_max: Annotated[float, Gt(0), Le(5)] = 1.0625
    """Largest 1/d, 1/A; powder patterns may reach up to it."""
    radiation: Literal["xray", "electron"] = "xray"
    """Form factors."""
    preferred_axis: tuple[int, int, int] | None = None
    """Miller indices, in the standard conventional cell, of the plane that plates lie on or that
    needles are normal to; needed for augmentation.march_ratio; null: none.
    """

    def __post_init__(self) -> None:
        if self.d_star_min >= self.d_star_max:
            raise ValueError("d_star_min must be smaller than d_star_max")
        if self.preferred_axis == (0, 0, 0):
            raise ValueError(
                "preferred_axis 0, 0, 0 is no plane; give a plane such as 0, 0, 1, or null"
            )
