"""Sections on what models see of a structure: descriptors, and the reflections behind them."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from diffsym.config.base import Fraction, Positive, Section
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
        "native", description="the native kernel, or diffpy.srreal where it is installed"
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
        description="networks see patterns with new noise in each epoch; null: no noise",
    )


class IdealDescriptor(Section):
    """Lines without a width in bins of 1/d, the largest value 1 (Ozaki et al. 2025)."""

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


class ElectronDescriptor(Section):
    """Electron diffraction along three axes, as the colours of an image (Tiong et al. 2020)."""

    kind: Literal["electron"] = Field(description="which descriptor")
    pattern: Literal["shaped", "spot"] = Field(
        description="spots joined by lines, or the spots alone"
    )
    pixels: int = Field(
        224, ge=32, multiple_of=32, description="height and width, a multiple of 32"
    )
    q_max: Positive = Field(1.0, description="half the side of the detector, 1/A")
    wavelength: Positive = Field(0.035, description="A; that of electrons of 110.8 keV")
    radiation: Literal["electron", "xray"] = Field("electron", description="form factors")
    b_iso: float = Field(0.0, ge=0, description="isotropic displacement parameter B, A^2")
    beam: Literal["cartesian", "lattice"] = Field(
        "cartesian",
        description="along the orthogonal axes x, y, z of the standard conventional cell, or along "
        "its vectors a, b, c",
    )
    shape: Literal["gaussian", "parallelepiped"] = Field(
        "gaussian", description="envelope of the crystal, or a block of whole cells"
    )
    size: Positive = Field(30.0, description="of the crystal, A; a spot is 0.624 / size wide")
    ewald: Literal["sphere", "plane"] = Field("sphere", description="which reflections are seen")
    exponent: Positive = Field(
        0.5, description="power of the intensity that is shown; 0.5: amplitudes"
    )
    threshold: Fraction = Field(
        0.2, description="least brightness of the pixels of a spot that is joined"
    )
    beam_stop: Positive = Field(
        0.06, description="radius around the direct beam that the brightness scale ignores, 1/A"
    )

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        reach = self.wavelength * math.sqrt(2) * self.q_max
        if reach >= 1:
            raise PydanticCustomError(
                "physics",
                "the corner of the detector lies beyond the Ewald sphere (wavelength x sqrt(2) x "
                "q_max = {reach}); lower q_max or the wavelength",
                {"reach": f"{reach:.3g}"},
            )
        # How far a Gaussian spot outshines others, see docs/electron.md.
        if self.beam_stop < 1.7 / self.size:
            raise PydanticCustomError(
                "physics",
                "beam_stop {stop} 1/A is below 1.7 / size = {least}, so that the direct beam would "
                "set the scale of brightness; raise beam_stop or size",
                {"stop": self.beam_stop, "least": f"{1.7 / self.size:.4f}"},
            )
        if self.beam_stop >= self.q_max:
            raise PydanticCustomError("physics", "beam_stop must be smaller than q_max")
        return self


Descriptor = Annotated[
    PdfDescriptor | PowderDescriptor | IdealDescriptor | ElectronDescriptor,
    Field(discriminator="kind"),
]
