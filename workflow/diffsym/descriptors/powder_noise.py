r"""Peak widths, noise and background drawn for powder patterns: Vecsei et al. (2019), appendix A.

With :math:`x = (\theta - \theta_\min) / (\theta_\max - \theta_\min)`, a pattern is that of the
crystal, whose maximum is 1, and a sum of background functions, each present with probability 1/2,
and of uniform noise (their equation A5):

.. math::
    f = f_\mathrm{theory} + f_\mathrm{step up} + f_\mathrm{step down} + f_p + f_\mathrm{bump}
        + \mathrm{noise}.

Amplitudes are in units of T = 0.1 / number of functions present.

Every random number is a hash of the key of its pattern, of what it is for and of its position. So
a pattern is a function of (seed, epoch, structure) alone: neither the batch it is in, nor the order
or the number of threads, nor another setting changes it.
"""

import hashlib
import math
from collections.abc import Sequence
from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from diffsym.scattering.powder import CU_K_ALPHA, Imperfections, PeakShape, powder_patterns
from diffsym.scattering.types import Floats, Integers, Keys, Lines, Radiation, Singles
from diffsym.settings.augmentation import Augmentation


class _Purpose(IntEnum):
    """What a random number is for. New ones go last, so that old patterns stay what they are."""

    SIGMA = auto()
    NOISE = auto()
    PRESENCE = auto()
    STEP_UP_HEIGHT = auto()
    STEP_UP_STEEPNESS = auto()
    STEP_UP_POSITION = auto()
    STEP_DOWN_HEIGHT = auto()
    STEP_DOWN_STEEPNESS = auto()
    STEP_DOWN_POSITION = auto()
    POLYNOMIAL_DEGREE = auto()
    POLYNOMIAL_COEFFICIENT = auto()
    POLYNOMIAL_ZERO = auto()
    BUMP_HEIGHT = auto()
    BUMP_STEEPNESS = auto()
    ETA = auto()
    CRYSTALLITE_SIZE = auto()
    ZERO_SHIFT = auto()
    DISPLACEMENT = auto()
    MARCH_RATIO = auto()
    IMPURITY_LINES = auto()
    IMPURITY_ANGLE = auto()
    IMPURITY_HEIGHT = auto()


_NOISE = int(_Purpose.NOISE)  # compiled code takes no enumeration


class Background(NamedTuple):
    """Parameters of the background of n patterns; what is absent has height 0.

    Attributes
    ----------
    step_up, step_down : (n, 3)
        Height h, steepness a and position.
    polynomial : (n, d + 1)
        Coefficients a_0 ... a_d.
    bump : (n, 2)
        Height h and steepness n.
    """

    step_up: Floats
    step_down: Floats
    polynomial: Floats
    bump: Floats


def pattern_keys(structure_ids: Sequence[str], *, seed: int, epoch: int) -> Keys:
    """Key of the random numbers of each structure's pattern in an epoch, (n,)."""
    digests = b"".join(
        hashlib.blake2b(f"{seed}/{epoch}/{name}".encode(), digest_size=8).digest()
        for name in structure_ids
    )
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def augmented_patterns(
    lines: Lines,
    two_theta: Floats,
    *,
    keys: Keys,
    augmentation: Augmentation,
    rows: ArrayLike | None = None,
    radiation: Radiation = CU_K_ALPHA,
    b_iso: float = 0.0,
    out: Singles | None = None,
) -> Singles:
    """Powder patterns with peak widths, background and noise drawn anew.

    Parameters
    ----------
    lines, two_theta, rows, radiation, b_iso, out
        See `diffsym.scattering.powder.powder_patterns`.
    keys : (n,)
        Of the n patterns, see `pattern_keys`.
    augmentation
        What to draw from.

    Returns
    -------
    (n, m) float32
        Patterns; the crystal's share is at most 1, to which background and noise are added. That
        of a structure without a reflection in the range is NaN.
    """
    patterns = powder_patterns(
        lines,
        two_theta,
        shape=draw_peak_shape(augmentation, keys),
        rows=rows,
        radiation=radiation,
        b_iso=b_iso,
        imperfections=draw_imperfections(augmentation, keys, two_theta),
        out=out,
    )
    lowest, highest = map(float, augmentation.noise)
    _add_background_and_noise(patterns, keys, draw_background(augmentation, keys), lowest, highest)
    return patterns


def draw_peak_shape(augmentation: Augmentation, keys: Keys) -> PeakShape:
    """Widths and profile of the peaks of each pattern."""
    sizes = (
        math.inf
        if augmentation.crystallite_size is None
        else _uniform(keys, _Purpose.CRYSTALLITE_SIZE, augmentation.crystallite_size)
    )
    return PeakShape(
        w=PeakShape.gaussian(draw_sigma(augmentation, keys)).w,
        crystallite_size=sizes,
        eta=_uniform(keys, _Purpose.ETA, augmentation.eta),
    )


def draw_sigma(augmentation: Augmentation, keys: Keys) -> Floats:
    """Standard deviation of the Gaussian peaks of each pattern, degrees of 2theta, (n,)."""
    return _uniform(keys, _Purpose.SIGMA, augmentation.sigma)


def draw_imperfections(augmentation: Augmentation, keys: Keys, two_theta: Floats) -> Imperfections:
    """Systematic effects of each pattern."""
    size = augmentation.impurity_lines[1]
    numbers = _integers(keys, _Purpose.IMPURITY_LINES, augmentation.impurity_lines)
    heights = _uniforms(keys, _Purpose.IMPURITY_HEIGHT, size, augmentation.impurity_height)
    angles = (float(two_theta[0]), float(two_theta[-1]))
    lowest, highest = augmentation.march_ratio
    return Imperfections(
        zero_shift=_uniform(keys, _Purpose.ZERO_SHIFT, augmentation.zero_shift),
        displacement=_uniform(keys, _Purpose.DISPLACEMENT, augmentation.displacement),
        goniometer_radius=augmentation.goniometer_radius,
        march_ratio=np.exp(
            _uniform(keys, _Purpose.MARCH_RATIO, (math.log(lowest), math.log(highest)))
        ),
        impurity_two_theta=_uniforms(keys, _Purpose.IMPURITY_ANGLE, size, angles),
        impurity_height=np.where(np.arange(size) < numbers[:, np.newaxis], heights, 0.0),
    )


def draw_background(augmentation: Augmentation, keys: Keys) -> Background:
    """Parameters of the background of each pattern."""
    present = _shares(keys, _Purpose.PRESENCE, 4) < augmentation.background_probability
    threshold = augmentation.background_amplitude / np.maximum(present.sum(axis=1), 1)  # T
    for_step_up, for_step_down, for_polynomial, for_bump = threshold * present.T
    step_up_height, step_down_height = (
        _truncated_normal(
            keys,
            purpose,
            augmentation.step_height,
            augmentation.step_height_mean,
            augmentation.step_height_deviation,
        )
        for purpose in (_Purpose.STEP_UP_HEIGHT, _Purpose.STEP_DOWN_HEIGHT)
    )
    bump_height = _truncated_normal(
        keys,
        _Purpose.BUMP_HEIGHT,
        augmentation.bump_height,
        augmentation.bump_height_mean,
        augmentation.bump_height_deviation,
    )
    return Background(
        step_up=np.column_stack(
            [
                for_step_up * step_up_height,
                _uniform(keys, _Purpose.STEP_UP_STEEPNESS, augmentation.step_steepness),
                _uniform(keys, _Purpose.STEP_UP_POSITION, (0, augmentation.step_zone)),
            ]
        ),
        step_down=np.column_stack(
            [
                for_step_down * step_down_height,
                _uniform(keys, _Purpose.STEP_DOWN_STEEPNESS, augmentation.step_steepness),
                _uniform(keys, _Purpose.STEP_DOWN_POSITION, (1 - augmentation.step_zone, 1)),
            ]
        ),
        polynomial=for_polynomial[:, np.newaxis] * _draw_polynomial(augmentation, keys),
        bump=np.column_stack(
            [
                for_bump * bump_height,
                _uniform(keys, _Purpose.BUMP_STEEPNESS, augmentation.bump_steepness),
            ]
        ),
    )


def _draw_polynomial(augmentation: Augmentation, keys: Keys) -> Floats:
    """Coefficients in units of T (equation A3), 0 above the polynomial's degree n_max."""
    degree = _integers(keys, _Purpose.POLYNOMIAL_DEGREE, augmentation.polynomial_degree)[
        :, np.newaxis
    ]
    size = augmentation.polynomial_degree[1] + 1
    coefficients = _uniforms(
        keys, _Purpose.POLYNOMIAL_COEFFICIENT, size, augmentation.polynomial_coefficient
    )
    kept = _shares(keys, _Purpose.POLYNOMIAL_ZERO, size) >= augmentation.polynomial_zero_probability
    return np.where(kept & (np.arange(size) <= degree), coefficients / (degree + 1), 0.0)


@njit(cache=True, error_model="numpy")
def step_up(x: float, height: float, steepness: float, position: float) -> float:
    """Smooth step at the left end (equation A1); as printed there, it falls with x."""
    return height / (1 + math.exp(steepness * (x - position)))


@njit(cache=True, error_model="numpy")
def step_down(x: float, height: float, steepness: float, position: float) -> float:
    """Smooth step at the right end (equation A1); as printed there, it rises with x."""
    return height * (1 - 1 / (1 + math.exp(steepness * (x - position))))


@njit(cache=True)
def polynomial(x: float, coefficients: Floats) -> float:
    """Absolute value of the polynomial with these coefficients, lowest first (equation A2)."""
    value = 0.0
    for coefficient in coefficients[::-1]:
        value = value * x + coefficient
    return abs(value)


@njit(cache=True)
def bump(x: float, height: float, steepness: float) -> float:
    """Rise and fall near the direct beam (equation A4)."""
    return height * (steepness * x) ** 2 * math.exp(-steepness * x)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_background_and_noise(
    patterns: Singles, keys: Keys, background: Background, lowest: float, highest: float
) -> None:
    """Add background, and noise between two limits; x runs over the points from 0 to 1."""
    n_points = patterns.shape[1]
    for row in range(len(patterns)):
        rise, rise_steepness, rise_position = background.step_up[row]
        fall, fall_steepness, fall_position = background.step_down[row]
        coefficients = background.polynomial[row]
        curved = np.any(coefficients != 0)
        hump, hump_steepness = background.bump[row]
        stream = _word(keys[row], _NOISE)
        for point in range(n_points):
            x = point / (n_points - 1)
            value = lowest + (highest - lowest) * _share(stream, point)
            if rise > 0:
                value += step_up(x, rise, rise_steepness, rise_position)
            if fall > 0:
                value += step_down(x, fall, fall_steepness, fall_position)
            if curved:
                value += polynomial(x, coefficients)
            if hump > 0:
                value += bump(x, hump, hump_steepness)
            patterns[row, point] += value


def _uniform(keys: Keys, purpose: _Purpose, limits: tuple[float, float]) -> Floats:
    """One uniform number for each key, (n,)."""
    return _uniforms(keys, purpose, 1, limits)[:, 0]


def _uniforms(keys: Keys, purpose: _Purpose, size: int, limits: tuple[float, float]) -> Floats:
    """Uniform numbers between limits, (n, size)."""
    lowest, highest = limits
    return lowest + (highest - lowest) * _shares(keys, purpose, size)


def _integers(keys: Keys, purpose: _Purpose, limits: tuple[int, int]) -> Integers:
    """One whole number within limits, both included, for each key, (n,)."""
    lowest, highest = limits
    shares = _shares(keys, purpose, 1)[:, 0]
    return lowest + (shares * (highest - lowest + 1)).astype(np.int64)


def _truncated_normal(
    keys: Keys, purpose: _Purpose, limits: tuple[float, float], mean: float, deviation: float
) -> Floats:
    """One number of a truncated normal distribution for each key, (n,), by inversion."""
    below, above = ndtr((np.array(limits) - mean) / deviation)
    shares = below + (above - below) * _shares(keys, purpose, 1)[:, 0]
    return mean + deviation * ndtri(shares)


def _shares(keys: Keys, purpose: _Purpose, size: int) -> Floats:
    """Uniform numbers from 0 to below 1, (n, size)."""
    shares = np.empty((len(keys), size))
    _fill_shares(shares, keys, int(purpose))
    return shares


@njit(cache=True, nogil=True)
def _fill_shares(shares: Floats, keys: Keys, purpose: int) -> None:
    for row in range(len(keys)):
        stream = _word(keys[row], purpose)
        for position in range(shares.shape[1]):
            shares[row, position] = _share(stream, position)


@njit(cache=True)
def _share(stream: np.uint64, position: int) -> float:
    """Uniform number from 0 to below 1 at a position of a stream, in steps of 2^-53."""
    return (_word(stream, position) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def _word(stream: np.uint64, position: int) -> np.uint64:
    """64 random bits at a position of a stream.

    SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, 453), which hashes a counter and so can be read
    at any position.
    """
    word = stream + np.uint64(position + 1) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
