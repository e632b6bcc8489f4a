"""Electron diffraction."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, MultipleOf

from diffsym.settings.base import Fraction, NonNegative, Positive
from diffsym.settings.descriptors.base import Descriptor


@dataclass(frozen=True, kw_only=True)
class Electron(Descriptor):
    """Electron diffraction along three axes, as the colours of an image (Tiong et al. 2020)."""

    module: ClassVar = "diffsym.descriptors.electron"
    has_images: ClassVar = True

    kind: Literal["electron"] = "electron"
    """Which descriptor."""
    pattern: Literal["shaped", "spot"]
    """Spots joined by lines, or the spots alone."""
    pixels: Annotated[int, Ge(32), MultipleOf(32)] = 224
    """Height and width, a multiple of 32."""
    q_max: Positive = 1.0
    """Half the side of the detector, 1/A."""
    wavelength: Positive = 0.035
    """A; that of electrons of 110.8 keV."""
    radiation: Literal["electron", "xray"] = "electron"
    """Form factors."""
    b_iso: NonNegative = 0.0
    """Isotropic displacement parameter B, A^2."""
    beam: Literal["cartesian", "lattice"] = "cartesian"
    """Along the orthogonal axes x, y, z of the standard conventional cell, or along its vectors a,
    b, c.
    """
    shape: Literal["gaussian", "parallelepiped"] = "gaussian"
    """Envelope of the crystal, or a block of whole cells."""
    size: Positive = 30.0
    """Of the crystal, A; a spot is 0.624 / size wide."""
    ewald: Literal["sphere", "plane"] = "sphere"
    """Which reflections are seen."""
    exponent: Positive = 0.5
    """Power of the intensity that is shown; 0.5: amplitudes."""
    threshold: Fraction = 0.2
    """Least brightness of the pixels of a spot that is joined."""
    beam_stop: Positive = 0.06
    """Radius around the direct beam that the brightness scale ignores, 1/A."""

    def __post_init__(self) -> None:
        reach = self.wavelength * math.sqrt(2) * self.q_max
        if reach >= 1:
            raise ValueError(
                "the corner of the detector lies beyond the Ewald sphere (wavelength x sqrt(2) x "
                f"q_max = {reach:.3g}); lower q_max or the wavelength"
            )
        # How far a Gaussian spot outshines others, see docs/electron.md.
        if self.beam_stop < 1.7 / self.size:
            raise ValueError(
                f"beam_stop {self.beam_stop} 1/A is below 1.7 / size = {1.7 / self.size:.4f}, so "
                "that the direct beam would set the scale of brightness; raise beam_stop or size"
            )
        if self.beam_stop >= self.q_max:
            raise ValueError("beam_stop must be smaller than q_max")
