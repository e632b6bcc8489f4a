r"""Search for a measured powder pattern among the calculated lines of known structures.

Both sides are raised to the power p = 1/3 before they are compared: texture and absorption change
the intensities of a real sample by factors, while the positions of its lines stay. With the
measured pattern m above its background and noise, and the pattern c of a structure, whose line j at
the angle :math:`x_j` is a Gaussian g of unit height times :math:`a_j = I_j^p`, the score is the
cosine

.. math::
    \max_z \frac{\sum_x m(x + z) \, c(x)}{|m| \, |c|}
    = \max_z \frac{\sum_j a_j \, (m * g)(x_j + z)}{|m| \, |c|}

for a common zero shift z. m * g is computed once for a pattern, so that a line of a structure costs
one look into a table for each z, and no pattern of a structure is ever rendered. Lines and tables
lie on one grid in ln d*, which fits every wavelength.

I is |F|^2 times multiplicity and displacement factor, times the Lorentz and polarisation factor of
the pattern's own wavelength. Lines closer than the width of g are one. Only lines where the pattern
was measured count.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from diffsym.errors import DiffsymError
from diffsym.experimental.gaps import gaps, outside
from diffsym.identification.preparation import ALL_STEPS, Steps, prepared_stages
from diffsym.scattering.powder import lorentz_polarisation
from diffsym.scattering.types import Booleans, Floats, Integers, Radiation, Reals

POWER = 1 / 3
SIGMA = 0.09
"""Standard deviation of g, degrees: lattices and zero shifts of one phase differ by so much."""
ZERO_SHIFTS = np.arange(-5, 6) * 0.05
"""Degrees of 2theta."""
B_ISO = 1.0
"""Isotropic displacement parameter of all atoms, A^2."""
FAINTEST = 1e-5
"""Lines below this share of a structure's strongest are not kept."""
STEP = 2e-4
"""Of ln d*: at 60 degrees 0.013 degrees of 2theta."""
D_STAR_MIN, D_STAR_MAX = 0.02, 4.0
"""Ends of the grid, 1/A."""
POINTS = math.ceil(math.log(D_STAR_MAX / D_STAR_MIN) / STEP)
SCORE_SCALE = 0.03
"""Scores that differ by this much differ in weight by a factor of e."""
BEYOND = 6.0
"""Lines farther apart than this, in standard deviations of g, do not overlap."""
OVERLAP_STEPS = 1024
OVERLAPS = np.exp(-((np.arange(OVERLAP_STEPS + 1) * BEYOND / OVERLAP_STEPS / 2) ** 2)).astype(
    np.float32
)
"""Overlap of two Gaussians g at distances from 0 to `BEYOND`."""
CUBE_ROOT_BITS = 709921077
"""A third of the bits of a number of single precision, plus this, are close to its cube root's."""


class NothingMeasuredError(DiffsymError):
    """A pattern without a line."""


@dataclass(frozen=True)
class KnownLines:
    """Lines of known structures, ready to be searched.

    Attributes
    ----------
    places : (n,) int32
        Numbers of the grid points in ln d* next to the lines, structure after structure, rising.
    intensity : (n,) float32
        |F|^2 times multiplicity, in any unit.
    offsets : (s + 1,) int64
        Where the lines of each structure begin.
    """

    places: Integers
    intensity: Reals
    offsets: Integers

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.offsets) - 1

    def take(self, rows: Integers) -> "KnownLines":
        """Lines of some structures, by their numbers."""
        counts = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        lines = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], counts)
        return KnownLines(self.places[lines], self.intensity[lines], offsets)


def known_lines(reflections: pa.Table) -> KnownLines:
    """Lines of all structures of a reflections table, in its order."""
    d_star = reflections["d_star"].combine_chunks()
    offsets = d_star.offsets.to_numpy().astype(np.int64)
    intensity = reflections["intensity"].combine_chunks().values.to_numpy()
    values = d_star.values.to_numpy()
    inside = (values > D_STAR_MIN) & (values < D_STAR_MAX)
    kept = inside & _bright(intensity, offsets)
    before = np.concatenate([[0], np.cumsum(kept)])
    places = np.rint(np.log(values[kept] / D_STAR_MIN) / STEP).astype(np.int32)
    return KnownLines(places, intensity[kept].astype(np.float32), before[offsets])


def _bright(intensity: Reals, offsets: Integers) -> Booleans:
    """Which lines are not too faint beside their structure's strongest one."""
    counts = np.diff(offsets)
    strongest = np.zeros(len(counts))
    filled = counts > 0
    strongest[filled] = np.maximum.reduceat(intensity, offsets[:-1][filled])
    bright: Booleans = intensity >= FAINTEST * np.repeat(strongest, counts)
    return bright


@dataclass(frozen=True)
class PreparedPattern:
    """A measured pattern as it is compared.

    Attributes
    ----------
    angles, heights : (n,) float64
        Degrees of 2theta in equal steps, and what exceeds background and noise there.
    radiation
        Of the measurement.
    profile : (z, m) float32
        (m * g) / (|m| |g|) at each zero shift and grid point.
    two_theta : (m,) float32
        Angle of each grid point, degrees; NaN beyond the wavelength's reach.
    weight : (m,) float32
        Lorentz, polarisation and displacement factor; 0 where nothing was measured.
    companions_missing
        Whether it has not the second line that its radiation should have.
    """

    angles: Floats
    heights: Floats
    radiation: Radiation
    profile: Reals
    two_theta: Reals
    weight: Reals
    companions_missing: bool


def prepare(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    radiation: Radiation,
    steps: Steps = ALL_STEPS,
) -> PreparedPattern:
    """Take background, noise and companion lines off a pattern, and tabulate it for the search.

    Parameters
    ----------
    two_theta, intensity : (n,)
        Rising angles, degrees, and intensities in any unit.
    radiation
        Of the measurement.
    steps
        Of the preparation.

    Raises
    ------
    NothingMeasuredError
        If nothing exceeds the noise.
    """
    holes = gaps(np.asarray(two_theta, dtype=np.float64))
    stages = prepared_stages(two_theta, intensity, radiation, steps)
    angles, heights = stages.angles, stages.heights
    if not heights.any():
        raise NothingMeasuredError(
            "nothing exceeds the noise; measure longer, or check the columns"
        )
    grid = D_STAR_MIN * np.exp(STEP * np.arange(POINTS))
    with np.errstate(invalid="ignore"):
        places = 2 * np.degrees(np.arcsin(grid * radiation.strongest / 2))
    measured = (places >= angles[0]) & (places <= angles[-1]) & outside(places, holes)
    theta = np.radians(places / 2)
    weight = np.zeros(len(grid))
    weight[measured] = np.exp(-B_ISO / 2 * grid[measured] ** 2) * [
        lorentz_polarisation(math.sin(angle), math.cos(angle)) for angle in theta[measured]
    ]
    return PreparedPattern(
        angles,
        heights,
        radiation,
        _profile(angles, heights, places),
        places.astype(np.float32),
        weight.astype(np.float32),
        stages.companions_missing,
    )


def compared(heights: Floats) -> Floats:
    """Heights as they are compared, (n,): the strongest is 1."""
    powers: Floats = (heights / heights.max()) ** POWER
    return powers


def _profile(angles: Floats, heights: Floats, places: Floats) -> Reals:
    """The measured side of the score, (z, m); see `PreparedPattern`."""
    values = compared(heights)
    step = angles[1] - angles[0]
    # Of unit height; the norm of g on this grid is the root of sigma sqrt(pi) / step.
    smoothed = gaussian_filter1d(values, SIGMA / step) * math.sqrt(2 * math.pi) * SIGMA / step
    norm = np.linalg.norm(values) * math.sqrt(SIGMA * math.sqrt(math.pi) / step)
    profile = [
        np.interp(places + shift, angles, smoothed, left=0.0, right=0.0) for shift in ZERO_SHIFTS
    ]
    return np.nan_to_num(np.array(profile, dtype=np.float32) / np.float32(norm))


def remainder(pattern: PreparedPattern, kept: Booleans) -> PreparedPattern:
    """A prepared pattern of which only some points are left.

    Parameters
    ----------
    pattern
        From `prepare`.
    kept : (n,)
        Which of its angles; at least one with a height.
    """
    heights = np.where(kept, pattern.heights, 0.0)
    profile = _profile(pattern.angles, heights, pattern.two_theta.astype(np.float64))
    return replace(pattern, heights=heights, profile=profile)


class Scores(NamedTuple):
    """How well known structures agree with a pattern.

    Attributes
    ----------
    score : (s,) float32
        Cosine from 0 to 1; 0 for a structure without lines where the pattern was measured.
    zero_shift : (s,)
        Degrees by which lines of the pattern lie higher than those of the structure.
    """

    score: Reals
    zero_shift: Reals


def search(pattern: PreparedPattern, known: KnownLines) -> Scores:
    """Compare a pattern with every known structure."""
    score, shift = _scores(
        known.places,
        known.intensity,
        known.offsets,
        pattern.profile,
        pattern.two_theta,
        pattern.weight,
    )
    return Scores(score, ZERO_SHIFTS[shift])


@njit(cache=True, nogil=True, fastmath=True)
def _scores(
    places: Integers,
    intensity: Reals,
    offsets: Integers,
    profile: Reals,
    two_theta: Reals,
    weight: Reals,
) -> tuple[Reals, Integers]:
    """Score and number of the zero shift of each structure."""
    structures = len(offsets) - 1
    best = np.zeros(structures, np.float32)
    shift = np.full(structures, len(profile) // 2)
    longest = 0
    for structure in range(structures):
        longest = max(longest, offsets[structure + 1] - offsets[structure])
    where = np.empty(longest, np.int64)
    amplitude = np.empty(longest, np.float32)
    for structure in range(structures):
        count = _merged(
            places[offsets[structure] : offsets[structure + 1]],
            intensity[offsets[structure] : offsets[structure + 1]],
            two_theta,
            weight,
            where,
            amplitude,
        )
        norm = _norm(two_theta, where[:count], amplitude[:count])
        for number in range(len(profile)):
            total = np.float32(0.0)
            for line in range(count):
                total += amplitude[line] * profile[number, where[line]]
            if total > best[structure] * norm:
                best[structure] = total / norm
                shift[structure] = number
    return best, shift


@njit(cache=True, nogil=True, fastmath=True)
def _merged(
    places: Integers,
    intensity: Reals,
    two_theta: Reals,
    weight: Reals,
    where: Integers,
    amplitude: Reals,
) -> int:
    """Put lines that are apart into `where` and `amplitude`; their number."""
    count = 0
    half, apart = np.float32(0.5), np.float32(SIGMA)
    sum_, moment, first, origin = np.float32(0.0), np.float32(0.0), np.float32(-1e9), 0
    for line in range(len(places)):
        place = places[line]
        height = intensity[line] * weight[place] if place < len(weight) else np.float32(0.0)
        if height <= 0.0:
            continue
        if two_theta[place] - first > apart:
            if sum_ > 0.0:
                where[count] = int(moment / sum_ + half) + origin
                amplitude[count] = sum_
                count += 1
            sum_, moment, first, origin = np.float32(0.0), np.float32(0.0), two_theta[place], place
        sum_ += height
        moment += height * np.float32(place - origin)
    if sum_ > 0.0:
        where[count] = int(moment / sum_ + half) + origin
        amplitude[count] = sum_
        count += 1
    _to_cube_roots(amplitude[:count])
    return count


@njit(cache=True, nogil=True, fastmath=True)
def _to_cube_roots(values: Reals) -> None:
    """Replace positive numbers by their cube roots, to 1e-6: a guess, and Newton's method twice."""
    bits = values.view(np.int32)
    two, third = np.float32(2), np.float32(1 / 3)
    for line in range(len(values)):
        # The guess is written over the number, so that the loop needs no other room.
        number = values[line]
        bits[line] = bits[line] // 3 + CUBE_ROOT_BITS
        root = values[line]
        root = (two * root + number / (root * root)) * third
        values[line] = (two * root + number / (root * root)) * third


@njit(cache=True, nogil=True, fastmath=True)
def _norm(two_theta: Reals, where: Integers, amplitude: Reals) -> float:
    """|c| / |g| of Gaussians, overlaps included."""
    total = np.float32(0.0)
    scale = np.float32(OVERLAP_STEPS / (BEYOND * SIGMA))
    for line in range(len(where)):
        neighbours = np.float32(0.5) * amplitude[line]
        here = two_theta[where[line]]
        for other in range(line + 1, len(where)):
            steps = int((two_theta[where[other]] - here) * scale + np.float32(0.5))
            if steps > OVERLAP_STEPS:
                break
            neighbours += amplitude[other] * OVERLAPS[steps]
        total += amplitude[line] * neighbours
    return math.sqrt(2 * total)


def group_weights(scores: Reals, space_groups: Integers) -> Floats:
    """Weight of each space group: the sum of exp(score / `SCORE_SCALE`) over its structures.

    Parameters
    ----------
    scores, space_groups : (s,)

    Returns
    -------
    ndarray
        (230,) shares of groups 1 to 230, which add up to 1. They are no probabilities until they
        are calibrated.
    """
    weights = np.exp((scores - scores.max()) / SCORE_SCALE)
    shares = np.bincount(space_groups, weights, minlength=231)[1:]
    return shares / shares.sum()
