"""`diffsym.predict`."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from diffsym.identification.answer import Answer, Evidence, answer_pattern
from diffsym.identification.elements import elements_of
from diffsym.identification.evidence import evidence_at
from diffsym.identification.wavelengths import radiation_of
from diffsym.scattering.types import Radiation, Wavelength


def predict_pattern(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    *,
    wavelength: str | Wavelength,
    pack: str | Path | None,
    elements: tuple[str, ...] | None,
    top: int,
) -> Answer:
    """See `diffsym.predict`."""
    radiation = (
        radiation_of(wavelength) if isinstance(wavelength, str) else Radiation.of(wavelength)
    )
    evidence = _evidence(None if pack is None else Path(pack).absolute(), Path.cwd())
    if elements is not None:
        evidence = evidence.of_elements(elements_of(" ".join(elements)))
    return answer_pattern(
        np.asarray(two_theta), np.asarray(intensity), radiation, evidence, top=top
    )


@lru_cache(maxsize=2)
def _evidence(path: Path | None, folder: Path) -> Evidence:  # noqa: ARG001 - part of the key
    """Evidence that was read before need not be read again."""
    return evidence_at(path)
