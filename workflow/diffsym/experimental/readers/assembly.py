"""What readers of instruments' files have in common: points, wavelengths, axes and texts."""

import math
import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.scattering.types import Radiation, Wavelength

NATURAL_RATIO = 0.5
"""Intensity of K-alpha-2 over that of K-alpha-1, where a file names both lines and no ratio."""
TOLERATED_LOSS = 0.02
"""Share of the declared points that may be missing; a file that lacks more is cut off."""
# Names of scans over 2theta that do not say so, without all but letters.
TWO_THETA_SCANS = ("gonio", "coupled", "lockedcoupled", "unlockedcoupled", "detectorscan")
# Wavelengths that powder patterns are measured with, A; all else is damage.
SHORTEST_WAVELENGTH, LONGEST_WAVELENGTH = 0.01, 10.0


def assembled(
    two_theta: NDArray[np.float64],
    intensity: NDArray[np.float64],
    *,
    wavelength: Wavelength | None = None,
    anode: str | None = None,
    repairs: tuple[str, ...] = (),
    scans: tuple[str, ...] = (),
    is_stated: bool = True,
    over_q: str = "",
) -> MeasuredPattern:
    """A pattern whose points are put in order, if the file says what they are over.

    Parameters
    ----------
    two_theta, intensity : (m,)
        Angles, degrees, and counts.
    wavelength, anode, repairs, scans, over_q
        See `MeasuredPattern`.
    is_stated
        Whether the file says so. An axis that falls may otherwise be a lattice spacing.

    Raises
    ------
    DiffsymError
        If there are no points, or an angle has no intensity.
    """
    if two_theta.shape != intensity.shape or not two_theta.size:
        raise DiffsymError(
            f"there are {two_theta.size} angles and {intensity.size} intensities; copy the file "
            "anew"
        )
    if is_stated and len(two_theta) > 1 and (np.diff(two_theta) <= 0).all():
        two_theta, intensity = two_theta[::-1], intensity[::-1]
        repairs += ("the angles fall and were reversed",)
    steps = np.diff(two_theta)
    if repeated := int((steps == 0).sum()):
        first = np.concatenate([[True], steps != 0])
        group = np.cumsum(first) - 1
        intensity = np.asarray(np.bincount(group, intensity) / np.bincount(group), np.float64)
        two_theta = two_theta[first]
        repairs += (f"{repeated} repeated angles were joined, with the mean intensity",)
    return MeasuredPattern(
        np.array(two_theta, np.float64),
        np.array(intensity, np.float64),
        wavelength=wavelength,
        anode=anode or None,
        repairs=repairs,
        scans=scans,
        over_q=over_q,
    )


def over_two_theta(pattern: MeasuredPattern, wavelength: Wavelength | None) -> MeasuredPattern:
    """A pattern over 2theta; one over Q is converted with the wavelength that is known of it.

    Parameters
    ----------
    pattern
        As a reader gives it.
    wavelength
        What the user says; None if nothing, then that of the file counts.

    Raises
    ------
    DiffsymError
        If there is no wavelength, or it is too long.
    """
    if not pattern.over_q:
        return pattern
    known = wavelength or pattern.wavelength
    if known is None:
        raise DiffsymError(
            f"{pattern.over_q}; convert it to 2theta in degrees, or give the wavelength in the "
            "index of the folder"
        )
    sines = pattern.two_theta * Radiation.of(known).strongest / (4 * math.pi)
    if not (np.abs(sines) < 1).all():
        raise DiffsymError(
            f"{pattern.over_q}, and Q up to {pattern.two_theta.max():g} 1/A cannot be measured "
            "with this wavelength; correct one of them"
        )
    angles = np.degrees(2 * np.arcsin(sines))
    return replace(pattern, two_theta=angles, over_q="")


def grid(first: float, step: float, n: int) -> NDArray[np.float64]:
    """Angles in equal steps, (n,); DiffsymError if there is no such grid."""
    if not (math.isfinite(first) and math.isfinite(step) and step and n > 0):
        raise DiffsymError(
            f"{n} points from {first:g} in steps of {step:g} degrees are no scan; copy the file "
            "anew"
        )
    return np.asarray(first + step * np.arange(n), dtype=np.float64)


def loss(declared: float, present: int) -> tuple[str, ...]:
    """The repair that is due if a file has other points than it declares.

    Raises
    ------
    DiffsymError
        If more than `TOLERATED_LOSS` of them are missing.
    """
    if present == declared:
        return ()
    told = f"the file declares {declared:g} points and has {present}"
    if not (declared > 0 and present >= (1 - TOLERATED_LOSS) * declared):
        raise DiffsymError(f"{told}; it is cut off, copy it anew")
    return (told,)


def k_alpha(
    first: float, second: float | None = None, ratio: float | None = None
) -> Wavelength | None:
    """Wavelength of a tube.

    Parameters
    ----------
    first, second
        K-alpha-1 and K-alpha-2, A; 0 where there is none.
    ratio
        Intensity of the second over that of the first. None if the file does not say, 0 if only the
        first is in the beam.

    Returns
    -------
    Wavelength, optional
        None if there is no first.

    Raises
    ------
    DiffsymError
        If a number cannot be true.
    """
    ratio = NATURAL_RATIO if ratio is None else ratio
    for length in (first, second or 0.0):
        if length and not SHORTEST_WAVELENGTH <= length <= LONGEST_WAVELENGTH:
            raise DiffsymError(f"a wavelength of {length:g} A cannot be; correct it in the file")
    if not 0 <= ratio <= 1:
        raise DiffsymError(f"a ratio of {ratio:g} of K-alpha-2 to K-alpha-1 cannot be")
    if not first:
        return None
    if not (second and ratio) or second == first:
        return first
    return ((first, 1.0), (second, ratio))


def check_axis(name: str) -> None:
    """DiffsymError if the axis of a scan, as an instrument calls it, is not 2theta."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower().replace("θ", "theta").replace("two", "2"))
    is_two_theta = "2th" in plain or plain in TWO_THETA_SCANS
    # Scans over 2theta and chi or phi lie in the plane of a film.
    if not is_two_theta or "chi" in plain or "phi" in plain:
        raise DiffsymError(
            f"this is a scan over '{name[:40]}', such as a rocking curve or a pole figure; give a "
            "powder pattern, over 2theta"
        )


def decoded(content: bytes) -> str:
    """Text with one kind of line ends; old instruments write Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def numbers(text: str) -> NDArray[np.float64]:
    """Numbers of a text between blanks or commas; DiffsymError if something else is among them."""
    fields = text.replace(",", " ").split()
    try:
        return np.array(fields, dtype=np.float64)
    except ValueError as error:
        raise DiffsymError(f"a number is damaged ({error}); copy the file anew") from None
