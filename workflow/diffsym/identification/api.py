"""`diffsym.predict`."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from diffsym.errors import DiffsymError
from diffsym.identification.answer import Answer, Evidence, answer_pattern
from diffsym.identification.elements import elements_of
from diffsym.identification.evidence import evidence_at
from diffsym.identification.wavelengths import radiation_of
from diffsym.scattering.types import Floats, Radiation, Wavelength


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
    evidence = _evidence(None if pack is None else Path(pack).absolute(), Path.cwd())
    if elements is not None:
        symbols = elements if isinstance(elements, str) else " ".join(map(str, elements))
        evidence = evidence.of_elements(elements_of(symbols))
    return answer_pattern(
        numbers("two_theta", two_theta),
        numbers("intensity", intensity),
        radiation_given(wavelength),
        evidence,
        top=top,
    )


def radiation_given(wavelength: str | Wavelength) -> Radiation:
    """Radiation by name, by wavelength, or by pairs of wavelength and weight.

    Raises
    ------
    DiffsymError
        If it is none of these.
    """
    if isinstance(wavelength, str):
        return radiation_of(wavelength)
    try:
        given = np.asarray(wavelength, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.zeros(0)
    if isinstance(wavelength, bool) or given.shape not in {(), (len(given.ravel()) // 2, 2)}:
        raise DiffsymError(
            f"wavelength: {wavelength!r} is no number in A, no name such as 'CuKa', and no pairs "
            "of (wavelength, weight)"
        )
    if not (np.isfinite(given).all() and (given > 0).all()):
        raise DiffsymError(f"wavelength: {wavelength!r} holds what is no positive number; in A")
    return Radiation.of(wavelength)


def numbers(name: str, values: ArrayLike) -> Floats:
    """Real numbers as an array; DiffsymError if they are none."""
    try:
        given = np.asarray(values)
        if np.iscomplexobj(given) or given.ndim != 1:
            raise ValueError  # noqa: TRY301 - as what NumPy refuses
        return given.astype(np.float64)
    except (TypeError, ValueError):
        raise DiffsymError(f"{name}: give one column of real numbers") from None


@lru_cache(maxsize=2)
def _evidence(path: Path | None, folder: Path) -> Evidence:  # noqa: ARG001 - part of the key
    """Evidence that was read before need not be read again."""
    return evidence_at(path)
