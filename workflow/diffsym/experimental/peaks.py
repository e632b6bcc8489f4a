r"""From a measured powder pattern to an 'ideal' profile: Ozaki et al. (2025), section 2.6.

The lines of the pattern are found (`find_peaks`), their areas divided by the Lorentz-polarisation
factor

.. math::
    f_{LP} = \frac{1 + \cos^2 2\theta}{2 \sin^2\theta \cos\theta}

and their angles turned into :math:`1/d = 2 \sin\theta / \lambda` (`ideal_profile_of_peaks`). The
result is independent of the instrument and can be compared with `diffsym.scattering.ideal`.
Displacements of atoms remain in it: they are those of the sample, and no B is applied.

Lines are found in four steps.

1. The background is clipped off (SNIP: Ryan et al. 1988, Nucl. Instrum. Methods B 34, 396).
2. The weaker component of a doublet is subtracted (Rachinger 1948, J. Sci. Instrum. 25, 254).
3. Ridges of the wavelet transform at scales about the pattern's own peak width are candidates
   (`scipy.signal.find_peaks_cwt`: Du et al. 2006, Bioinformatics 22, 2059) if they stand out of
   the noise.
4. All of them are refined together against the pattern as it was measured, doublets included
   (`diffsym.experimental.profile_fit`), and the residual of the fit is searched once more.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.gaps import gaps, outside, resampled
from diffsym.experimental.profile_fit import Decomposition, component_angles, decompose
from diffsym.experimental.widths import half_widths
from diffsym.scattering.ideal import bin_edges, ideal_profiles
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, lorentz_polarisation
from diffsym.scattering.types import FWHM_PER_SIGMA, Floats, Integers, Lines, Radiation

# Widths of the wavelets, in full widths at half maximum of the peaks. Below the best match of a
# Gaussian peak, 0.95, neighbours are better separated.
WAVELET_WIDTHS = (0.4, 0.55, 0.75, 1.0)
# At this one the signal is compared with the noise.
SIGNAL_WIDTH = 0.75
# Clipping of the background, in full widths of a peak.
CLIPPING = 10
# Distance between the knots of the background's correction, likewise, and fewest of them.
KNOT_DISTANCE = 50
FEWEST_KNOTS = 8
# How often the pattern is searched for lines: once as it is and once in the residual of a fit.
SEARCHES = 2
# Quartile of the standard normal distribution.
THREE_QUARTERS = 0.6744897501960817
# Lowest noise, as a share of the pattern's span.
LEAST_NOISE = 5e-4


class Peaks(NamedTuple):
    """Lines of a pattern, by rising angle.

    Attributes
    ----------
    two_theta : (n,)
        Angle of the line for the strongest of the wavelengths, degrees.
    area : (n,)
        Intensity of all wavelengths, integrated over the angle; units of the pattern times degrees.
    """

    two_theta: Floats
    area: Floats


def measured_to_ideal(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    radiation: Radiation = CU_K_ALPHA_DOUBLET,
    *,
    d_star_min: float,
    d_star_max: float,
    bins: int,
    signal_to_noise: float = 5.0,
    profile_error: float = 0.05,
) -> NDArray[np.float32]:
    """'Ideal' profile of a measured pattern; see `find_peaks` and `ideal_profile_of_peaks`.

    Returns
    -------
    (bins,) float32

    Raises
    ------
    DiffsymError
        If the pattern cannot be used, no line is found or none lies in the range of 1/d.
    """
    peaks = find_peaks(
        two_theta,
        intensity,
        radiation=radiation,
        signal_to_noise=signal_to_noise,
        profile_error=profile_error,
    )
    if len(peaks.two_theta) == 0:
        raise DiffsymError(
            f"no line stands {signal_to_noise:g} times above the noise; lower signal_to_noise or "
            "measure longer"
        )
    return ideal_profile_of_peaks(
        peaks, radiation, d_star_min=d_star_min, d_star_max=d_star_max, bins=bins
    )


def ideal_profile_of_peaks(
    peaks: Peaks,
    radiation: Radiation = CU_K_ALPHA_DOUBLET,
    *,
    d_star_min: float,
    d_star_max: float,
    bins: int,
) -> NDArray[np.float32]:
    """'Ideal' profile of the lines of a pattern (equations 8 and 9).

    Parameters
    ----------
    peaks
        Lines that were found.
    radiation
        With which the pattern was measured; peaks are at the angles of its strongest line.
    d_star_min, d_star_max, bins
        Range of 1/d, 1/A, and bins in it, see `diffsym.scattering.ideal.bins_of`.

    Returns
    -------
    (bins,) float32
        Sums of |F|^2, with the displacements that the atoms of the sample have; the largest is 1.

    Raises
    ------
    DiffsymError
        If no line lies in the range.
    """
    theta = np.radians(np.asarray(peaks.two_theta, np.float64)) / 2
    factor = [lorentz_polarisation(math.sin(angle), math.cos(angle)) for angle in theta]
    profile = ideal_profiles(
        Lines.of_one(2 * np.sin(theta) / radiation.strongest, np.asarray(peaks.area) / factor),
        bin_edges(d_star_min=d_star_min, d_star_max=d_star_max, bins=bins),
    ).toarray()[0]
    if not profile.any():
        raise DiffsymError(
            f"no line of the pattern lies between 1/d = {d_star_min:g} and {d_star_max:g} 1/A; "
            "check the wavelength or widen the range"
        )
    return profile


def find_peaks(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    *,
    radiation: Radiation = CU_K_ALPHA_DOUBLET,
    signal_to_noise: float = 5.0,
    profile_error: float = 0.05,
) -> Peaks:
    """Lines of a measured powder pattern.

    Parameters
    ----------
    two_theta : (m,)
        Rising angles, degrees; intensities are interpolated where the steps differ. There are no
        lines in gaps (`diffsym.experimental.gaps`).
    intensity : (m,)
        In any unit, background included.
    radiation
        With which it was measured: of one line if the doublet was removed.
    signal_to_noise
        A line must stand out by this many standard deviations of the noise.
    profile_error
        Share of the intensity by which a peak's shape may differ from the fitted profile, besides
        the noise. A line on the flank of another must also exceed this.

    Returns
    -------
    Peaks
        Empty if nothing stands out.

    Raises
    ------
    DiffsymError
        If the pattern is invalid or a setting is out of range.
    """
    angles, values = np.asarray(two_theta, np.float64), np.asarray(intensity, np.float64)
    check_pattern(angles, values, radiation)
    radiation = radiation.by_strength()
    if not signal_to_noise > 0 or not 0 <= profile_error < 1:
        raise DiffsymError(
            f"signal_to_noise must be positive, not {signal_to_noise}, and profile_error lie "
            f"between 0 and 1, not be {profile_error}"
        )
    holes = gaps(angles)
    angles, values = in_equal_steps(angles, values)
    measured = outside(angles, holes)
    step = angles[1] - angles[0]
    noise = noise_level(values[measured])
    width = typical_width(angles, values, radiation, noise)
    if width is None:
        return Peaks(np.empty(0), np.empty(0))
    above = values - snip_background(values, width)
    error = np.hypot(noise, profile_error * gaussian_filter1d(np.maximum(above, 0), width / 4))
    error[~measured] = np.ptp(values)  # nothing is known there
    knots = max(round(len(angles) / (KNOT_DISTANCE * width)), FEWEST_KNOTS)

    def refine(positions: Floats) -> Decomposition:
        return decompose(
            angles, above, error, radiation, positions=positions, fwhm=width * step, knots=knots
        )

    positions = np.empty(0)
    remainder = strip_companions(angles, above, radiation)
    for _ in range(SEARCHES):
        ridges = _ridges(remainder, error, width, signal_to_noise)
        found = angles[ridges[measured[ridges]]]
        new = found[_distances(found, positions) > width * step / 2]
        if len(new) == 0:
            break
        fit = refine(np.concatenate([positions, new]))
        certain = fit.area > signal_to_noise * _area_errors(fit, angles, error)
        positions, remainder = fit.two_theta[certain], above - fit.curve
    if len(positions) == 0:
        return Peaks(np.empty(0), np.empty(0))
    if not certain.all():
        fit = refine(positions)
    return Peaks(fit.two_theta, fit.area)


def noise_level(intensity: Floats) -> float:
    """Standard deviation of the noise, from the second differences of neighbouring points.

    Their median is that of the background as long as peaks cover less than half of the pattern.
    A calculated pattern has none and would be searched for lines down to rounding; see
    `LEAST_NOISE`.
    """
    differences = np.diff(intensity, 2)  # of white noise: sqrt(6) sigma
    measured = normal_deviation(differences) / math.sqrt(6)
    return float(max(measured, LEAST_NOISE * np.ptp(intensity)))


def normal_deviation(values: Floats) -> float:
    """Standard deviation of normally distributed values, from the median distance to their median.

    Less than half of them may be anything else.
    """
    return float(np.median(np.abs(values - np.median(values)))) / THREE_QUARTERS


def snip_background(intensity: Floats, width: float) -> Floats:
    """Background by clipping peaks (SNIP) in windows of decreasing size.

    Parameters
    ----------
    intensity : (m,)
        The pattern, which is smoothed first: clipping would follow the lowest of noisy values.
    width
        Full width at half maximum of the peaks, points.
    """
    background = gaussian_filter1d(intensity, width / 4)
    largest = min(math.ceil(CLIPPING * width), len(intensity) // 2)
    for reach in range(largest, 0, -1):
        padded = np.pad(background, reach, mode="edge")
        background = np.minimum(background, (padded[: -2 * reach] + padded[2 * reach :]) / 2)
    return background


def strip_companions(two_theta: Floats, intensity: Floats, radiation: Radiation) -> Floats:
    """Subtract the components of all wavelengths but the first (Rachinger).

    Parameters
    ----------
    two_theta : (m,)
        Angles rising in equal steps, degrees.
    intensity : (m,)
        Above the background.
    radiation
        Of the pattern.

    Returns
    -------
    (m,)
        The part of the pattern due to the first wavelength.
    """
    stripped = intensity.copy()
    first, first_weight = radiation.wavelengths[0], radiation.weights[0]
    for wavelength, weight in zip(radiation.wavelengths[1:], radiation.weights[1:], strict=True):
        # Where the first wavelength is diffracted by the spacing seen at each angle by this one.
        swapped = Radiation(np.array([wavelength, first]), np.array([weight, first_weight]))
        origins = component_angles(two_theta, swapped)[:, 1]
        places = (origins - two_theta[0]) / (two_theta[1] - two_theta[0])
        ratio = weight / first_weight
        if wavelength > first:
            _strip(stripped, places, ratio)
        else:  # origins lie at higher angles: from the last point to the first
            _strip(stripped[::-1], len(places) - 1 - places[::-1], ratio)
    return stripped


@njit(cache=True)
def _strip(values: Floats, places: Floats, ratio: float) -> None:
    """Subtract the share `ratio` of the stripped value at each point's place, which is before it.

    Between two points values are interpolated; what comes from before the first is left.
    """
    for point in range(len(values)):
        left = math.floor(places[point])
        if left < 0:
            continue
        share = places[point] - left
        if left + 1 < point:
            values[point] -= ratio * ((1 - share) * values[left] + share * values[left + 1])
        elif left < point:  # half of the place is the point itself
            values[point] -= ratio * (1 - share) * values[left]
            values[point] /= 1 + ratio * share
        else:
            values[point] /= 1 + ratio


def in_equal_steps(two_theta: Floats, intensity: Floats) -> tuple[Floats, Floats]:
    """The pattern at equal steps of the angle; interpolated if it is not measured so."""
    steps = np.diff(two_theta)
    step = np.median(steps)
    number = round((two_theta[-1] - two_theta[0]) / step)
    equal = np.linspace(two_theta[0], two_theta[-1], number + 1)
    if number == len(steps) and np.abs(equal - two_theta).max() < 0.05 * step:
        return equal, intensity
    return equal, resampled(equal, two_theta, intensity)


def typical_width(
    two_theta: Floats, intensity: Floats, radiation: Radiation, noise: float
) -> float | None:
    """Full width at half maximum of the pattern's strong peaks, points; None without peaks.

    Peaks that overlap look broader, so one of the narrower widths is taken. The background depends
    on the width in turn, so this is done twice.
    """
    width = len(two_theta) / 600
    for _ in range(2):
        above = intensity - snip_background(intensity, width)
        peaks = gaussian_filter1d(strip_companions(two_theta, above, radiation), 1.0)
        highest = peaks.max()
        widths = half_widths(peaks, max(8 * noise, 0.1 * highest), 0.05 * highest)
        if len(widths) == 0:
            return None
        width = max(float(np.quantile(widths, 0.35)), 2.0)
    return width


def _ridges(remainder: Floats, error: Floats, width: float, signal_to_noise: float) -> Integers:
    """Points where ridges of the wavelet transform begin and the signal exceeds the noise.

    The threshold of `scipy.signal.find_peaks_cwt` compares with a percentile of the transform in a
    window, which neighbouring peaks raise and which is zero without noise; it is not used. The
    wavelets have unit norm, so white noise is as large in the transform as in the pattern.
    """
    widths = np.maximum(np.multiply(WAVELET_WIDTHS, width), 1.0)
    with np.errstate(invalid="ignore"):  # 0 / 0 in that threshold
        ridges = scipy.signal.find_peaks_cwt(
            remainder, widths, wavelet=_mexican_hat, min_length=2, min_snr=0, window_size=1
        ).astype(np.int64)
    wavelet = _mexican_hat(math.ceil(10 * SIGNAL_WIDTH * width) | 1, SIGNAL_WIDTH * width)
    transform = scipy.signal.convolve(remainder, wavelet, mode="same")
    ridges = np.unique(ridges[transform[ridges] > signal_to_noise * error[ridges]])
    # A peak may have several ridges, at neighbouring points.
    groups = np.split(ridges, np.flatnonzero(np.diff(ridges) > width / 2) + 1)
    strongest = [group[transform[group].argmax()] for group in groups if len(group) > 0]
    return np.array(strongest, dtype=np.int64)


def _mexican_hat(points: float, width: float) -> Floats:
    """Second derivative of a Gaussian, upside down, of unit norm and centred."""
    x = (np.arange(int(points)) - (int(points) - 1) / 2) / width
    return 2 / math.sqrt(3 * width) / math.pi**0.25 * (1 - x**2) * np.exp(-(x**2) / 2)


def _distances(angles: Floats, positions: Floats) -> Floats:
    """From each angle to the nearest of the positions; infinite if there is none."""
    return np.min(np.abs(angles[:, np.newaxis] - positions), axis=1, initial=np.inf)


def _area_errors(fit: Decomposition, two_theta: Floats, error: Floats) -> Floats:
    """Standard deviation of the area of Gaussians of these widths that stand alone."""
    sigma = fit.fwhm / FWHM_PER_SIGMA
    step = two_theta[1] - two_theta[0]
    return np.interp(fit.two_theta, two_theta, error) * np.sqrt(
        2 * math.sqrt(math.pi) * sigma * step
    )
