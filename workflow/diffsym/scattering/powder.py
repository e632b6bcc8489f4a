r"""Powder diffraction patterns of crystals from their reflections, in the kinematic theory.

Reflections at :math:`d^* = 1/d` of summed intensity :math:`I = \sum |F|^2` make, for each
wavelength :math:`\lambda` of weight w, a peak at :math:`\sin\theta = \lambda d^* / 2` of the area

.. math::
    A = w \, I \, \frac{1 + \cos^2 2\theta}{\sin^2\theta \cos\theta} \,
        \exp(-B {d^*}^2 / 2) \, W(\alpha)

(Lorentz-polarisation, Debye-Waller and preferred orientation). Its full width at half maximum is

.. math::
    H^2 = U \tan^2\theta + V \tan\theta + W + (K \lambda / (L \cos\theta))^2

(Caglioti et al. 1958, Nucl. Instrum. 3, 223, for the instrument; Scherrer for crystallites of size
L), and its profile the pseudo-Voigt function :math:`\eta` Lorentzian + :math:`(1 - \eta)` Gaussian.
Each pattern is scaled so that its largest value is 1.
"""

import math
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from diffsym.errors import DiffsymError
from diffsym.scattering.types import (
    FWHM_PER_SIGMA,
    GAUSSIAN_HEIGHT,
    LORENTZIAN_HEIGHT,
    Floats,
    Integers,
    Lines,
    Radiation,
    Reals,
    Singles,
    uniform_step,
)

# Mean of the copper K-alpha lines as pymatgen has it, A.
CU_K_ALPHA = Radiation.of(1.54184)
# The lines themselves, A (Hoelzer et al. 1997, Phys. Rev. A 56, 4554), and their shares.
CU_K_ALPHA_DOUBLET = Radiation.of([(1.540593, 2 / 3), (1.544427, 1 / 3)])
# Those of molybdenum (Deslattes et al. 2003, Rev. Mod. Phys. 75, 35).
MO_K_ALPHA_DOUBLET = Radiation.of([(0.709317, 2 / 3), (0.713607, 1 / 3)])


@dataclass(frozen=True)
class PeakShape:
    """Profile of the peaks; every field is one number or one for each pattern.

    Attributes
    ----------
    u, v, w
        Caglioti parameters, square degrees of 2theta. With w alone the width is constant.
    crystallite_size
        L of Scherrer's equation, A. Its broadening is added in quadrature, as Gaussians are.
    scherrer_constant
        K of Scherrer's equation.
    eta
        Lorentzian share of the area, 0 (Gaussian) ... 1 (Lorentzian).
    """

    u: ArrayLike = 0.0
    v: ArrayLike = 0.0
    w: ArrayLike = 0.0
    crystallite_size: ArrayLike = math.inf
    scherrer_constant: ArrayLike = 0.9
    eta: ArrayLike = 0.0

    @classmethod
    def gaussian(cls, sigma: ArrayLike) -> "PeakShape":
        """Gaussians of one standard deviation, degrees of 2theta, at all angles."""
        return cls(w=(FWHM_PER_SIGMA * np.asarray(sigma, dtype=np.float64)) ** 2)


@dataclass(frozen=True)
class Imperfections:
    """Effects in measured patterns; fields are one number or one for each pattern.

    Attributes
    ----------
    zero_shift
        Added to every 2theta, degrees.
    displacement
        Distance s of the sample below the goniometer's axis, mm: peaks move by
        -2 s cos(theta) / R, in radians.
    goniometer_radius
        R, mm.
    march_ratio
        r of March's distribution, 1 for no preferred orientation; below 1 crystallites lie flat
        on the axis' plane. A reflection at the angle alpha to the axis is multiplied by
        (r^2 cos^2 alpha + sin^2 alpha / r)^(-3/2) (Dollase 1986, J. Appl. Cryst. 19, 267).
    impurity_two_theta, impurity_height : (n, k)
        Angles, degrees, and heights, in those of the pattern's strongest peak, of k further
        peaks; a height of 0 means no peak.
    """

    zero_shift: ArrayLike = 0.0
    displacement: ArrayLike = 0.0
    goniometer_radius: ArrayLike = 200.0
    march_ratio: ArrayLike = 1.0
    impurity_two_theta: ArrayLike = field(default_factory=lambda: np.empty((1, 0)))
    impurity_height: ArrayLike = field(default_factory=lambda: np.empty((1, 0)))


class _Settings(NamedTuple):
    """Settings of each pattern, (n,) or, of the impurities, (n, k)."""

    u: Floats
    v: Floats
    w: Floats
    scherrer: Floats  # K / L, 1/A
    eta: Floats
    b_iso: Floats
    zero_shift: Floats
    displacement: Floats  # in goniometer radii
    march_ratio: Floats
    impurity_two_theta: Floats
    impurity_height: Floats


def two_theta_grid(
    *, two_theta_min: float = 5.0, two_theta_max: float = 90.0, two_theta_step: float = 0.01
) -> Floats:
    """Angles from lowest to highest, degrees; the defaults are the 8501 of Vecsei et al. (2019)."""
    n_steps = round((two_theta_max - two_theta_min) / two_theta_step) if two_theta_step > 0 else 0
    if n_steps < 1:
        raise DiffsymError(
            f"the range of 2theta from {two_theta_min} to {two_theta_max} degrees in steps of "
            f"{two_theta_step} is empty; raise two_theta_max or make two_theta_step positive"
        )
    return two_theta_min + two_theta_step * np.arange(n_steps + 1, dtype=np.float64)


def powder_pattern(
    lines: Lines,
    two_theta: ArrayLike,
    *,
    shape: PeakShape,
    radiation: Radiation = CU_K_ALPHA,
    b_iso: float = 0.0,
    imperfections: Imperfections | None = None,
    tolerance: float = 1e-5,
) -> Singles:
    """Powder pattern of one structure; see `powder_patterns`.

    Returns
    -------
    (m,) float32
        Intensity at each angle, at most 1.

    Raises
    ------
    DiffsymError
        If a setting is out of range or no line falls into the range of angles.

    Examples
    --------
    >>> nickel = Lines.of_one([0.4921, 0.5682], [8.0, 6.0])
    >>> grid = two_theta_grid(two_theta_min=40, two_theta_max=60, two_theta_step=0.05)
    >>> pattern = powder_pattern(nickel, grid, shape=PeakShape.gaussian(0.1))
    >>> round(float(grid[pattern.argmax()]), 2)
    44.6
    """
    if len(lines) != 1:
        raise ValueError(f"one pattern needs the lines of one structure, not of {len(lines)}")
    two_theta = np.asarray(two_theta, dtype=np.float64)
    pattern = powder_patterns(
        lines,
        two_theta,
        shape=shape,
        radiation=radiation,
        b_iso=b_iso,
        imperfections=imperfections,
        tolerance=tolerance,
    )[0]
    if not np.isfinite(pattern).all():
        raise DiffsymError(
            f"no reflection above zero intensity lies between {two_theta[0]:g} and "
            f"{two_theta[-1]:g} degrees of 2theta; widen the range or use a shorter wavelength"
        )
    return pattern


def powder_patterns(
    lines: Lines,
    two_theta: ArrayLike,
    *,
    shape: PeakShape,
    radiation: Radiation = CU_K_ALPHA,
    rows: ArrayLike | None = None,
    b_iso: ArrayLike = 0.0,
    imperfections: Imperfections | None = None,
    tolerance: float = 1e-5,
    out: Singles | None = None,
) -> Singles:
    """Powder patterns of many structures, in one thread that does not block the others.

    Parameters
    ----------
    lines
        Of all structures; a pattern does not depend on the others. Lines beyond the last angle
        matter where their tails reach into the range. Their cosines are needed for a `march_ratio`
        other than 1.
    two_theta : (m,)
        Angles rising in equal steps, degrees.
    shape
        Profile of the peaks.
    radiation
        Of the source, such as `CU_K_ALPHA_DOUBLET`.
    rows : (n,), optional
        Structures to take, in this order; all of them by default.
    b_iso : float or (n,)
        Isotropic displacement parameter B = 8 pi^2 U, A^2, besides that of the intensities.
    imperfections
        Systematic effects of measured patterns; none by default.
    tolerance
        A peak is evaluated where its Gaussian and its Lorentzian part exceed this share of the
        pattern's strongest peak.
    out : (n, m) float32, optional
        Where to write the patterns.

    Returns
    -------
    (n, m) float32
        Intensities, at most 1. The pattern of a structure without a reflection in the range is
        NaN.

    Raises
    ------
    DiffsymError
        If the grid is not uniform or a setting is out of range.
    """
    two_theta = np.asarray(two_theta, dtype=np.float64)
    step = _step_of_angles(two_theta)
    structures = np.arange(len(lines)) if rows is None else np.asarray(rows, np.int64)
    patterns = np.empty((len(structures), len(two_theta)), np.float32) if out is None else out
    if patterns.shape != (len(structures), len(two_theta)) or patterns.dtype != np.float32:
        raise ValueError(
            f"out must be a float32 array of {len(structures)} patterns of {len(two_theta)} "
            f"points, not {patterns.dtype} {patterns.shape}"
        )
    if not 0 < tolerance < 1:
        raise DiffsymError(f"tolerance must lie between 0 and 1, not be {tolerance}")
    settings = _settings(len(structures), shape, b_iso, imperfections or Imperfections())
    _check(settings, two_theta, step, radiation.shortest)
    _render(
        patterns,
        lines.offsets[structures],
        lines.offsets[structures + 1],
        lines.d_star,
        lines.intensity,
        _axis_cosines(lines, settings),
        radiation.wavelengths,
        radiation.weights,
        float(two_theta[0]),
        step,
        settings,
        float(tolerance),
    )
    return patterns


def _step_of_angles(two_theta: Floats) -> float:
    """Step of a uniform grid of angles, degrees; DiffsymError if the grid is not uniform."""
    step = uniform_step(two_theta, "two_theta")
    if two_theta[0] < 0 or two_theta[-1] >= 180:
        raise DiffsymError(
            f"two_theta must lie between 0 and 180 degrees, not from {two_theta[0]:g} to "
            f"{two_theta[-1]:g}"
        )
    return step


def _settings(
    n: int, shape: PeakShape, b_iso: ArrayLike, imperfections: Imperfections
) -> _Settings:
    """Bring all settings to one value for each of n patterns."""
    values = {
        item.name: np.asarray(getattr(source, item.name), dtype=np.float64)
        for source in (shape, imperfections)
        for item in fields(source)
    }
    values["b_iso"] = np.asarray(b_iso, dtype=np.float64)
    if not (values["crystallite_size"] > 0).all() or not (values["goniometer_radius"] > 0).all():
        raise DiffsymError("crystallite_size and goniometer_radius must be positive")
    values["scherrer"] = values["scherrer_constant"] / values["crystallite_size"]
    values["displacement"] = values["displacement"] / values["goniometer_radius"]
    impurities = np.atleast_2d(values["impurity_two_theta"]).shape[1:]
    try:
        return _Settings(
            **{
                name: np.ascontiguousarray(
                    np.broadcast_to(
                        values[name], (n, *impurities) if name.startswith("impurity") else (n,)
                    )
                )
                for name in _Settings._fields
            }
        )
    except ValueError as error:
        raise DiffsymError(
            f"settings of powder patterns must be one number or one for each of {n} patterns"
        ) from error


def _check(settings: _Settings, two_theta: Floats, step: float, shortest_wavelength: float) -> None:
    """DiffsymError where a setting has no physical meaning."""
    if not all(np.isfinite(values).all() for values in settings):
        raise DiffsymError("a setting of the powder patterns is not a finite number")
    if (settings.eta < 0).any() or (settings.eta > 1).any():
        raise DiffsymError("eta, the Lorentzian share of a peak, must lie between 0 and 1")
    if (settings.b_iso < 0).any():
        raise DiffsymError("b_iso must not be negative, A^2")
    if (settings.march_ratio <= 0).any():
        raise DiffsymError("march_ratio must be positive; 1 is no preferred orientation")
    if (settings.impurity_height < 0).any():
        raise DiffsymError("impurity_height must not be negative")
    # H^2 is a parabola in tan(theta), lowest at an end of the range or at its vertex; Scherrer's
    # term is one because 1 / cos^2 = 1 + tan^2.
    size = np.degrees(settings.scherrer * shortest_wavelength) ** 2
    lowest, highest = np.tan(np.radians(two_theta[[0, -1]] / 2))
    curvature = settings.u + size
    vertex = np.divide(-settings.v, 2 * curvature, where=curvature != 0, out=np.zeros_like(size))
    for tangent in (lowest, highest, np.clip(vertex, lowest, highest)):
        squared = (curvature * tangent + settings.v) * tangent + settings.w + size
        if (squared < step**2).any():
            raise DiffsymError(
                f"the peaks are narrower than the step of two_theta, {step:g} degrees; give "
                "broader ones (u, v, w, crystallite_size) or a finer grid"
            )


def _axis_cosines(lines: Lines, settings: _Settings) -> Reals:
    """Cosine of each line; an empty array where no pattern is textured."""
    if (settings.march_ratio == 1).all():
        return np.empty(0)
    if lines.axis_cosine is None:
        raise DiffsymError(
            "preferred orientation (march_ratio other than 1) needs axis_cosine: for each "
            "reflection the cosine of its angle with the preferred axis"
        )
    return lines.axis_cosine


@njit(cache=True, nogil=True, error_model="numpy")
def _render(
    patterns: Singles,
    starts: Integers,
    stops: Integers,
    d_star: Reals,
    intensity: Reals,
    axis_cosine: Reals,
    wavelengths: Floats,
    weights: Floats,
    first: float,
    step: float,
    settings: _Settings,
    tolerance: float,
) -> None:
    """Fill in the patterns one by one; `axis_cosine` is empty if none is textured."""
    n_points = patterns.shape[1]
    last = first + step * (n_points - 1)
    pattern = np.empty(n_points)  # thousands of peaks are added up in double precision
    for row in range(len(patterns)):
        here = slice(starts[row], stops[row])
        two_theta, height, width = _peaks(
            d_star[here], intensity[here], axis_cosine[here], wavelengths, weights, settings, row
        )
        strongest = 0.0
        for peak in range(len(two_theta)):
            if first <= two_theta[peak] <= last:
                strongest = max(strongest, height[peak])
        if not strongest > 0:
            patterns[row] = np.nan
            continue
        pattern[:] = 0
        floor = tolerance * strongest
        eta = settings.eta[row]
        for peak in range(len(two_theta)):
            position = (two_theta[peak] - first) / step
            _add_peak(pattern, position, height[peak], width[peak] / step, eta, floor)
        for impurity in range(settings.impurity_height.shape[1]):
            angle = settings.impurity_two_theta[row, impurity]
            theta = math.radians(angle) / 2
            broad = _width(math.sin(theta), math.cos(theta), wavelengths[0], settings, row)
            high = settings.impurity_height[row, impurity] * strongest
            _add_peak(pattern, (angle - first) / step, high, broad / step, eta, floor)
        patterns[row] = pattern / pattern.max()


@njit(cache=True, error_model="numpy")
def _peaks(
    d_star: Reals,
    intensity: Reals,
    axis_cosine: Reals,
    wavelengths: Floats,
    weights: Floats,
    settings: _Settings,
    row: int,
) -> tuple[Floats, Floats, Floats]:
    """Angle, degrees, height and full width at half maximum, degrees, of each line's peaks.

    Entries that follow each other and share d* are parts of one line, which makes one peak.
    """
    size = len(wavelengths) * len(d_star)
    two_theta, height, width = np.empty(size), np.empty(size), np.empty(size)
    unit_height = _unit_height(settings.eta[row])
    march_ratio = settings.march_ratio[row]
    n = 0
    for line in range(len(wavelengths)):
        for reflection in range(len(d_star)):
            sine = wavelengths[line] * d_star[reflection] / 2
            if not 0 < sine < 1:
                continue
            cosine = math.sqrt(1 - sine * sine)
            width[n] = _width(sine, cosine, wavelengths[line], settings, row)
            if not width[n] > 0:  # outside the range of angles, where the width need not be real
                continue
            area = weights[line] * intensity[reflection] * lorentz_polarisation(sine, cosine)
            area *= math.exp(-settings.b_iso[row] * d_star[reflection] ** 2 / 2)
            if march_ratio != 1:
                area *= _march_dollase(axis_cosine[reflection], march_ratio)
            high = area * unit_height / width[n]
            if reflection > 0 and d_star[reflection] == d_star[reflection - 1]:
                height[n - 1] += high
                continue
            height[n] = high
            angle = 2 * math.asin(sine) - 2 * settings.displacement[row] * cosine
            two_theta[n] = math.degrees(angle) + settings.zero_shift[row]
            n += 1
    return two_theta[:n], height[:n], width[:n]


@njit(cache=True)
def _unit_height(eta: float) -> float:
    """Height of a pseudo-Voigt function of unit area and unit full width at half maximum."""
    return (1 - eta) * GAUSSIAN_HEIGHT + eta * LORENTZIAN_HEIGHT


@njit(cache=True, error_model="numpy")
def lorentz_polarisation(sine: float, cosine: float) -> float:
    """Factor of a powder of sin(theta) and cos(theta), unpolarised X-rays, no monochromator."""
    cosine_of_two_theta = 1 - 2 * sine * sine
    return (1 + cosine_of_two_theta**2) / (sine * sine * cosine)


@njit(cache=True, error_model="numpy")
def _march_dollase(axis_cosine: float, ratio: float) -> float:
    """Share of crystallites in reflecting orientation, against a random powder."""
    squared = axis_cosine * axis_cosine
    return (ratio * ratio * squared + (1 - squared) / ratio) ** -1.5


@njit(cache=True, error_model="numpy")
def _width(sine: float, cosine: float, wavelength: float, settings: _Settings, row: int) -> float:
    """Full width at half maximum, degrees of 2theta; NaN where it is not real."""
    tangent = sine / cosine
    size = math.degrees(settings.scherrer[row] * wavelength / cosine)
    instrument = (settings.u[row] * tangent + settings.v[row]) * tangent + settings.w[row]
    return np.sqrt(instrument + size * size)


@njit(cache=True, error_model="numpy")
def _add_peak(
    pattern: Floats, position: float, height: float, width: float, eta: float, floor: float
) -> None:
    """Add a pseudo-Voigt peak, each part of it where it exceeds the floor.

    Position and width are in steps of the grid.
    """
    gaussian = height * (1 - eta) * GAUSSIAN_HEIGHT / _unit_height(eta)
    if gaussian > floor:
        _add_gaussian(pattern, position, gaussian, width, floor)
    if height - gaussian > floor:
        _add_lorentzian(pattern, position, height - gaussian, width, floor)


@njit(cache=True, error_model="numpy")
def _add_gaussian(
    pattern: Floats, position: float, height: float, width: float, floor: float
) -> None:
    """Add height exp(-k t^2), t the distance to the position, where it exceeds the floor.

    From one point to the next the value changes by a ratio, and the ratio by a constant factor: two
    products per point instead of an exponential. The value falls in both directions, so rounding
    cannot grow.
    """
    reach = width / 2 * math.sqrt(math.log2(height / floor))
    first = max(math.ceil(position - reach), 0)
    last = min(math.floor(position + reach), len(pattern) - 1)
    if first > last:
        return
    k = 4 * math.log(2) / width**2
    centre = min(max(int(np.rint(position)), first), last)
    t = centre - position
    decay = math.exp(-2 * k)
    central = height * math.exp(-k * t * t)
    value, ratio = central, math.exp(-k * (1 + 2 * t))
    for point in range(centre, last + 1):
        pattern[point] += value
        value *= ratio
        ratio *= decay
    ratio = math.exp(-k * (1 - 2 * t))
    value = central * ratio
    for point in range(centre - 1, first - 1, -1):
        pattern[point] += value
        ratio *= decay
        value *= ratio


@njit(cache=True, error_model="numpy")
def _add_lorentzian(
    pattern: Floats, position: float, height: float, width: float, floor: float
) -> None:
    """Add height / (1 + k t^2), t the distance to the position, where it exceeds the floor."""
    reach = width / 2 * math.sqrt(height / floor - 1)
    first = max(math.ceil(position - reach), 0)
    last = min(math.floor(position + reach), len(pattern) - 1)
    k = 4 / width**2
    for point in range(first, last + 1):
        t = point - position
        pattern[point] += height / (1 + k * t * t)
