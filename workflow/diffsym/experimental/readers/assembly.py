"""What readers of instruments' files have in common: points, wavelengths, axes and texts."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.base import DEGREES, Axis, MeasuredPattern
from diffsym.experimental.units import UNITS, in_degrees
from diffsym.scattering.types import Wavelength

NATURAL_RATIO = 0.5
"""Intensity of K-alpha-2 over that of K-alpha-1, where a file names both lines and no ratio."""
TOLERATED_LOSS = 0.02
"""Share of the declared points that may be missing; a file that lacks more is cut off."""
SCANS_TOLD = 10
"""So many scans of a file are listed in a sentence."""
# Names of scans over 2theta that do not say so, without all but letters.
TWO_THETA_SCANS = ("gonio", "coupled", "lockedcoupled", "unlockedcoupled", "detectorscan")
# Wavelengths that powder patterns are measured with, A; all else is damage.
SHORTEST_WAVELENGTH, LONGEST_WAVELENGTH = 0.01, 10.0


def assembled(
    x: NDArray[np.float64],
    intensity: NDArray[np.float64],
    *,
    wavelength: Wavelength | None = None,
    anode: str | None = None,
    repairs: tuple[str, ...] = (),
    scans: tuple[str, ...] = (),
    scan: int = 0,
    axis: Axis | None = DEGREES,
) -> MeasuredPattern:
    """A pattern as it stands in a file.

    Parameters
    ----------
    x, intensity : (m,)
        In the unit of the axis, and counts.
    wavelength, anode, repairs, scans, scan, axis
        See `MeasuredPattern`.

    Raises
    ------
    DiffsymError
        If there are no points, or one has no intensity.
    """
    if x.shape != intensity.shape or not x.size:
        raise DiffsymError(
            f"there are {x.size} angles and {intensity.size} intensities; copy the file anew"
        )
    return MeasuredPattern(
        np.array(x, np.float64),
        np.array(intensity, np.float64),
        wavelength=wavelength,
        anode=anode or None,
        repairs=repairs,
        scans=scans,
        scan=scan,
        axis=axis,
    )


def over_two_theta(
    pattern: MeasuredPattern, wavelength: Wavelength | None, unit: str | None = None
) -> MeasuredPattern:
    """A pattern over 2theta, in degrees, its points in order if somebody says what they are over.

    An axis that falls and of which nobody says anything may be a lattice spacing; it is left alone.

    Parameters
    ----------
    pattern
        As a reader gives it.
    wavelength
        What the user says; None if nothing, then that of the file counts.
    unit
        What the user says; None if nothing, then that of the file counts, else degrees.

    Raises
    ------
    DiffsymError
        If it cannot be converted; see `in_degrees`.
    """
    axis = pattern.axis
    used = unit or ("2theta" if axis is None else axis.unit)
    if used is None:
        raise DiffsymError(
            f"{axis.told if axis else ''}; convert it to 2theta in degrees, correct the line, or "
            "say its unit"
        )
    told = f"the unit that was given says {UNITS[used]}"
    repairs = pattern.repairs
    if axis is not None and used in (axis.unit, *axis.fitting):
        told = axis.told
    elif axis is not None:
        repairs += (f"{axis.told}; {UNITS[used]} was given and used",)
    angles = in_degrees(pattern.two_theta, used, wavelength or pattern.wavelength, told)
    is_stated = axis is not None or unit is not None
    converted = replace(
        pattern,
        two_theta=angles,
        repairs=repairs,
        axis=Axis(told, "2theta") if is_stated else None,
    )
    return _in_order(converted, is_stated=is_stated)


def _in_order(pattern: MeasuredPattern, *, is_stated: bool) -> MeasuredPattern:
    """The pattern with rising angles, where they are angles, each of them once."""
    two_theta, intensity, repairs = pattern.two_theta, pattern.intensity, pattern.repairs
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
    return replace(
        pattern,
        two_theta=np.array(two_theta, np.float64),
        intensity=np.array(intensity, np.float64),
        repairs=repairs,
    )


def chosen(scans: Sequence[str], wanted: str | None) -> int:
    """Place, from 0, of a scan that is wanted by its number, from 1, or its name.

    Parameters
    ----------
    scans
        Names of all of them, at least one.
    wanted
        None: the first.

    Raises
    ------
    DiffsymError
        If it is not there; the sentence lists those that are.

    Examples
    --------
    >>> chosen(["range 1", "range 2"], "2"), chosen(["sample", "standard"], "Standard")
    (1, 1)
    """
    if wanted is None:
        return 0
    text = wanted.strip()
    if text.isdecimal() and 1 <= int(text) <= len(scans):
        return int(text) - 1
    places = [i for i, name in enumerate(scans) if name.casefold() == text.casefold()]
    if len(places) == 1:
        return places[0]
    raise DiffsymError(
        f"there is no scan '{text[:40]}'; the file holds {listed(scans)}, give a number or a name"
    )


def scan_told(scans: Sequence[str], scan: int) -> tuple[str, ...]:
    """A sentence on a file of several scans: which they are, and which was read, from 0."""
    if len(scans) < 2:
        return ()
    return (f"the file holds {listed(scans)}; number {scan + 1} was read",)


def listed(scans: Sequence[str]) -> str:
    """Numbers and names of scans, for a sentence; not more than the first `SCANS_TOLD`.

    >>> listed(["range 1", "range 2"])
    '2 scans (1: range 1, 2: range 2)'
    """
    if len(scans) < 2:
        return "one scan"
    told = ", ".join(f"{i}: {name[:40]}" for i, name in enumerate(scans[:SCANS_TOLD], start=1))
    more = len(scans) - SCANS_TOLD
    return f"{len(scans)} scans ({told}{f' and {more} more' if more > 0 else ''})"


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
        raise DiffsymError(f"a number is damaged ({str(error)[:80]}); copy the file anew") from None
