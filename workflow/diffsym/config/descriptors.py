"""Sections on what models see of a structure: descriptors, and the reflections beneath them."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from diffsym.config.base import Positive, Section
from diffsym.config.patterns import Augmentation, Pattern, Peaks


class Reflections(Section):
    """The table of reflections that all powder-type descriptors are rendered from."""

    d_star_min: float = Field(0.01, ge=0, description="smallest 1/d, 1/A")
    d_star_max: Positive = Field(
        1.0625, le=5, description="largest 1/d, 1/A; powder patterns may reach up to it"
    )
    radiation: Literal["xray", "electron"] = Field("xray", description="form factors")
    preferred_axis: tuple[int, int, int] | None = Field(
        None,
        description="h, k, l of the plane of the standard conventional cell that plates lie on, "
        "or that needles are normal to; needed for augmentation.march_ratio; null: none",
    )

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.d_star_min >= self.d_star_max:
            raise PydanticCustomError("physics", "d_star_min must be smaller than d_star_max")
        if self.preferred_axis == (0, 0, 0):
            raise PydanticCustomError(
                "physics",
                "preferred_axis 0, 0, 0 is no plane; give a plane such as 0, 0, 1, or null",
            )
        return self


class PdfDescriptor(Section):
    """Reduced pair distribution function, normalised to 0 ... 1 (Liu et al. 2019, Table 2)."""

    kind: Literal["pdf"] = Field(description="which descriptor")
    engine: Literal["native", "srreal"] = Field(
        "native", description="own kernel, or diffpy.srreal where it is installed"
    )
    r_min: float = Field(1.5, ge=0, description="smallest distance, A")
    r_max: Positive = Field(30.0, le=200, description="largest distance, A")
    r_step: Positive | None = Field(None, description="grid step, A; null: pi / q_max")
    q_min: float = Field(0.5, ge=0, description="smallest momentum transfer, 1/A")
    q_max: Positive = Field(23.0, description="largest momentum transfer, 1/A")
    u_iso: Positive = Field(0.008, description="isotropic displacement parameter U, A^2")
    q_damp: float = Field(0.04, ge=0, description="instrumental damping, 1/A")
    q_broad: float = Field(0.01, ge=0, description="instrumental broadening, 1/A")

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.r_min >= self.r_max:
            raise PydanticCustomError("physics", "r_min must be smaller than r_max")
        if self.q_min >= self.q_max:
            raise PydanticCustomError("physics", "q_min must be smaller than q_max")
        nyquist = math.pi / self.q_max
        if self.r_step is not None and self.r_step > nyquist * (1 + 1e-9):
            raise PydanticCustomError(
                "physics",
                "r_step {step} A is above pi / q_max = {nyquist} A, "
                "so that the grid cannot carry the signal; lower r_step or q_max",
                {"step": self.r_step, "nyquist": f"{nyquist:.4f}"},
            )
        return self


class PowderDescriptor(Pattern):
    """Kinematic powder pattern, the largest value 1 (Vecsei et al. 2019)."""

    kind: Literal["powder"] = Field(description="which descriptor")
    peaks: Peaks = Field(
        default_factory=Peaks, description="profile of the peaks of patterns without noise"
    )
    augmentation: Augmentation | None = Field(
        None,
        description="networks see patterns with noise that is new in each epoch; null: without",
    )


class IdealDescriptor(Section):
    """Lines of no width in bins of 1/d, the largest value 1 (Ozaki et al. 2025)."""

    kind: Literal["ideal"] = Field(description="which descriptor")
    d_star_min: Positive = Field(0.1131, description="lower edge of the first bin, 1/A")
    d_star_max: Positive = Field(1.0625, description="upper edge of the last bin, 1/A")
    bins: int = Field(10_001, ge=1, le=65_536, description="number of equal bins")
    b_iso: float = Field(2.0, ge=0, description="isotropic displacement parameter B, A^2")

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.d_star_min >= self.d_star_max:
            raise PydanticCustomError("physics", "d_star_min must be smaller than d_star_max")
        return self


Descriptor = Annotated[
    PdfDescriptor | PowderDescriptor | IdealDescriptor, Field(discriminator="kind")
]
