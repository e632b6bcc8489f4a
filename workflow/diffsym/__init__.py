"""diffsym: learn crystal symmetry from diffraction."""

from typing import TYPE_CHECKING

from diffsym.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from diffsym.identification.answer import Answer
    from diffsym.scattering.types import Wavelength

__all__ = ["__version__", "predict"]


def predict(
    two_theta: "ArrayLike",
    intensity: "ArrayLike",
    *,
    wavelength: "str | Wavelength",
    pack: "str | Path | None" = None,
    elements: "tuple[str, ...] | None" = None,
    top: int = 6,
) -> "Answer":
    """The likely space groups of a measured powder pattern, how sure, and why.

    Parameters
    ----------
    two_theta, intensity : (n,)
        Rising angles, degrees, and intensities in any unit.
    wavelength
        A, or (wavelength, weight) of each line, or a name such as `CuKa`.
    pack
        A pack, or the results of a study; by default the one that is found (docs/predict.md).
    elements
        Symbols of all elements that the sample may hold.
    top
        So many groups, and so many structures.

    Raises
    ------
    DiffsymError
        If the numbers are no powder pattern, or there is no pack.
    """
    from diffsym.identification.api import predict_pattern  # noqa: PLC0415 - numba takes a second

    return predict_pattern(
        two_theta, intensity, wavelength=wavelength, pack=pack, elements=elements, top=top
    )
