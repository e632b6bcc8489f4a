r"""A measured pattern as a sum of peaks of one profile: areas of lines that overlap.

.. math::
    y(2\theta) = b(2\theta) + \sum_i A_i \sum_k w_k \,
        \mathrm{pV}\big(2\theta - 2\theta_{ik};\, H(2\theta_{ik}), \eta\big)

The peak of line i is a multiplet: for each wavelength of share w_k it has a component at
:math:`\sin\theta_{ik} = \sin\theta_{i1} \lambda_k / \lambda_1`. The pseudo-Voigt function pV of
unit area is that of `diffsym.scattering.powder`; its width H is an exponential of the angle and its
Lorentzian share :math:`\eta` the same for all lines. b, piecewise linear, corrects the background.
Positions, areas, H, :math:`\eta` and b are refined together by least squares, as in the
decomposition of powder patterns without a cell (Taupin 1973, J. Appl. Cryst. 6, 266).
"""

import math
from typing import NamedTuple

import numpy as np
import scipy
from scipy.sparse import csr_array, diags_array, hstack

from diffsym.scattering.types import GAUSSIAN_HEIGHT, LORENTZIAN_HEIGHT, Floats, Radiation

# A component is evaluated up to this distance, in full widths at half maximum: a Lorentzian has
# 94 % of its area there.
REACH = 5
# Refinement ends when the sum of squares falls by less than this share, or after this many steps.
TOLERANCE = 1e-4
MOST_STEPS = 20
# The width stays within this factor of its estimate.
WIDTH_RANGE = 3.0


class Decomposition(NamedTuple):
    """Lines of a pattern.

    Attributes
    ----------
    two_theta, area, fwhm : (n,)
        Angle of the first wavelength's component, area of all components together, and full width
        at half maximum of one. Degrees, intensity times degrees, degrees.
    eta
        Lorentzian share.
    curve : (m,)
        Sum of all lines and of the correction of the background.
    """

    two_theta: Floats
    area: Floats
    fwhm: Floats
    eta: float
    curve: Floats


class _Parameters(NamedTuple):
    """What is refined, in the order of the vector that the solver sees.

    The logarithm of the width is `log_fwhm[0] + log_fwhm[1] u`, u from -1 at the first angle to 1
    at the last one.
    """

    two_theta: Floats
    area: Floats
    log_fwhm: Floats
    eta: Floats
    background: Floats


class _Components(NamedTuple):
    """Components of all lines where they are evaluated: (lines, wavelengths, points).

    Attributes
    ----------
    distance
        From the component's centre, in full widths at half maximum.
    gaussian, lorentzian
        Profiles of unit area.
    scale
        Factor of a profile in the line's contribution to the pattern, its area apart.
    fwhm, place
        Degrees, and the u of `_Parameters`: (lines, wavelengths, 1).
    """

    distance: Floats
    gaussian: Floats
    lorentzian: Floats
    scale: Floats
    fwhm: Floats
    place: Floats


def component_angles(two_theta: Floats, radiation: Radiation) -> Floats:
    """Angles at which the other wavelengths diffract.

    Parameters
    ----------
    two_theta : (n,)
        Angles of the first wavelength, degrees.
    radiation
        Of k wavelengths.

    Returns
    -------
    (n, k)
        Degrees; 180 where a wavelength is too long to be diffracted.
    """
    sines = np.sin(np.radians(two_theta / 2))[:, np.newaxis] * ratios_of(radiation)
    return 2 * np.degrees(np.arcsin(np.minimum(sines, 1)))


def ratios_of(radiation: Radiation) -> Floats:
    """Wavelengths in that of the first line, (k,)."""
    return radiation.wavelengths / radiation.wavelengths[0]


def decompose(
    two_theta: Floats,
    intensity: Floats,
    error: Floats,
    radiation: Radiation,
    *,
    positions: Floats,
    fwhm: float,
    knots: int,
) -> Decomposition:
    """Refine lines that have been found in a pattern.

    Parameters
    ----------
    two_theta : (m,)
        Angles rising in equal steps, degrees.
    intensity, error : (m,)
        Intensity above the background, and what it may be wrong by.
    radiation
        With which the pattern was measured.
    positions : (n,)
        Angles at which the first wavelength's components were found, degrees.
    fwhm
        Estimated full width at half maximum, degrees.
    knots
        Number of points, equally spaced, between which the background's correction is linear.
    """
    model = _Model(two_theta, radiation, positions, fwhm, knots)
    heights = np.interp(positions, two_theta, np.maximum(intensity, error))
    start = _Parameters(
        positions, heights * fwhm, np.array([math.log(fwhm), 0.0]), np.array([0.5]), np.zeros(knots)
    )
    lowest = _Parameters(
        positions - fwhm / 2,
        np.zeros(len(positions)),
        np.array([math.log(fwhm / WIDTH_RANGE), -1.0]),
        np.array([0.0]),
        np.full(knots, -np.inf),
    )
    highest = _Parameters(
        positions + fwhm / 2,
        np.full(len(positions), np.inf),
        np.array([math.log(fwhm * WIDTH_RANGE), 1.0]),
        np.array([1.0]),
        np.full(knots, np.inf),
    )
    weights = diags_array(1 / error)
    # SciPy imports this room when it is first asked for it, and few answers need it.
    result = scipy.optimize.least_squares(
        lambda vector: (model.curve(model.parameters(vector)) - intensity) / error,
        np.concatenate(start),
        jac=lambda vector: weights @ model.jacobian(model.parameters(vector)),
        bounds=(np.concatenate(lowest), np.concatenate(highest)),
        x_scale="jac",
        tr_solver="lsmr",
        ftol=TOLERANCE,
        max_nfev=MOST_STEPS,
    )
    refined = model.parameters(result.x)
    order = np.argsort(refined.two_theta, kind="stable")
    return Decomposition(
        refined.two_theta[order],
        refined.area[order],
        model.widths(refined)[order, 0],
        float(refined.eta[0]),
        model.curve(refined),
    )


class _Model:
    """The sum of lines on a grid, and its derivatives."""

    def __init__(
        self, two_theta: Floats, radiation: Radiation, positions: Floats, fwhm: float, knots: int
    ) -> None:
        self.two_theta = two_theta
        self.radiation = radiation
        self.shares = radiation.shares[:, np.newaxis]
        self.sections = np.cumsum([len(positions), len(positions), 2, 1])
        step = two_theta[1] - two_theta[0]
        reach = math.ceil(REACH * fwhm / step)
        angles = component_angles(positions, radiation)
        centres = np.rint((angles - two_theta[0]) / step).astype(int)
        points = centres[..., np.newaxis] + np.arange(-reach, reach + 1)
        self.inside = (points >= 0) & (points < len(two_theta))
        self.points = np.clip(points, 0, len(two_theta) - 1)
        self.owner = np.broadcast_to(
            np.arange(len(positions))[:, np.newaxis, np.newaxis], points.shape
        ).ravel()
        self.hats = _hats(len(two_theta), knots)

    def parameters(self, vector: Floats) -> _Parameters:
        """Parts of the solver's vector."""
        return _Parameters(*np.split(vector, self.sections))

    def _places(self, centres: Floats) -> Floats:
        """Angles on the scale from -1, the first of the grid, to 1, the last."""
        first, last = self.two_theta[[0, -1]]
        return (2 * centres - first - last) / (last - first)

    def widths(self, parameters: _Parameters) -> Floats:
        """Full width at half maximum of each line's components, degrees, (n, k)."""
        places = self._places(component_angles(parameters.two_theta, self.radiation))
        return np.exp(parameters.log_fwhm[0] + parameters.log_fwhm[1] * places)

    def components(self, parameters: _Parameters) -> _Components:
        """Profiles of all components in their windows."""
        centres = component_angles(parameters.two_theta, self.radiation)[..., np.newaxis]
        fwhm = self.widths(parameters)[..., np.newaxis]
        distance = (self.two_theta[self.points] - centres) / fwhm
        return _Components(
            distance,
            GAUSSIAN_HEIGHT * np.exp(-4 * math.log(2) * distance**2),
            LORENTZIAN_HEIGHT / (1 + 4 * distance**2),
            self.inside * self.shares / fwhm,
            fwhm,
            self._places(centres),
        )

    def curve(self, parameters: _Parameters) -> Floats:
        """The pattern, (m,)."""
        parts = self.components(parameters)
        eta = parameters.eta[0]
        profile = parts.scale * ((1 - eta) * parts.gaussian + eta * parts.lorentzian)
        return self._sum(self._areas(parameters) * profile) + self.hats @ parameters.background

    def jacobian(self, parameters: _Parameters) -> csr_array:
        """Derivatives of the pattern in the order of `_Parameters`, sparse."""
        parts = self.components(parameters)
        eta, areas = parameters.eta[0], self._areas(parameters)
        profile = parts.scale * ((1 - eta) * parts.gaussian + eta * parts.lorentzian)
        slope = parts.scale * (
            -8 * math.log(2) * parts.distance * (1 - eta) * parts.gaussian
            - 8 * parts.distance / (1 + 4 * parts.distance**2) * eta * parts.lorentzian
        )  # in units of the width
        by_position = -areas * slope / parts.fwhm * self._pace(parameters)
        by_log_fwhm = -areas * (profile + parts.distance * slope)
        by_eta = areas * parts.scale * (parts.lorentzian - parts.gaussian)
        shared = [self._sum(v) for v in (by_log_fwhm, by_log_fwhm * parts.place, by_eta)]
        return csr_array(
            hstack(
                [
                    self._columns(by_position),
                    self._columns(profile),
                    csr_array(np.column_stack(shared)),
                    self.hats,
                ]
            )
        )

    def _pace(self, parameters: _Parameters) -> Floats:
        """By how much a component moves when that of the first wavelength does."""
        centres = component_angles(parameters.two_theta, self.radiation)
        cosines = np.cos(np.radians(centres / 2))
        # 0 where a wavelength is not diffracted.
        pace = ratios_of(self.radiation) * cosines[:, :1] / np.maximum(cosines, 1e-6)
        return pace[..., np.newaxis]

    def _areas(self, parameters: _Parameters) -> Floats:
        return parameters.area[:, np.newaxis, np.newaxis]

    def _sum(self, values: Floats) -> Floats:
        """Contributions of all components added up on the grid."""
        return np.asarray(
            np.bincount(self.points.ravel(), values.ravel(), len(self.two_theta)), np.float64
        )

    def _columns(self, values: Floats) -> csr_array:
        """Contributions of each line as a column of its own."""
        shape = (len(self.two_theta), len(self.points))
        return csr_array((values.ravel(), (self.points.ravel(), self.owner)), shape=shape)


def _hats(points: int, knots: int) -> csr_array:
    """Piecewise linear functions, each 1 at its own knot and 0 at the others, (points, knots)."""
    place = np.linspace(0, knots - 1, points)
    left = np.minimum(place.astype(int), knots - 2)
    right_share = place - left
    rows = np.arange(points)
    return csr_array(
        (
            np.concatenate([1 - right_share, right_share]),
            (np.concatenate([rows, rows]), np.concatenate([left, left + 1])),
        ),
        shape=(points, knots),
    )
