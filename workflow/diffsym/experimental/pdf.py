"""A measured pair distribution function on the grid of a descriptor, as far as physics allows.

A function that was measured up to Q_max is the true one without its Fourier components above. So
one can be had as if measured to a lower Q_max, or damped more; what lies above its own Q_max is
lost.
"""

import math
from dataclasses import dataclass

import numpy as np

from diffsym.descriptors import pdf
from diffsym.errors import DiffsymError
from diffsym.experimental.checks import SMALLEST_COVERAGE
from diffsym.experimental.readers.base import MeasuredPdf
from diffsym.scattering.types import Booleans, Floats
from diffsym.settings.descriptors.pdf import Pdf

SAME = 0.01
"""Relative difference up to which two settings are the same."""
STRONGEST_SHARPENING = 10.0
"""Noise is not amplified by more than this to undo a damping."""


@dataclass(frozen=True)
class PreparedPdf:
    """A measured function as a network is fed.

    Attributes
    ----------
    r : (m,)
        Distances of the descriptor, A.
    G : (m,)
        1/A^2; 0, the mean of G, where nothing was measured.
    values : (m,)
        The same between 0 and 1, as the descriptor.
    is_measured : (m,)
        Whether a value was measured.
    repairs
        A sentence for each thing that was put right or is not as in the descriptor.
    """

    r: Floats
    G: Floats
    values: Floats
    is_measured: Booleans
    repairs: tuple[str, ...]


def prepared(measured: MeasuredPdf, settings: Pdf) -> PreparedPdf:
    """A measured function as if the descriptor's settings had been the experiment's.

    Parameters
    ----------
    measured
        The reduced function.
    settings
        Of the descriptor.

    Raises
    ------
    DiffsymError
        If too little of the descriptor's range was measured.
    """
    r = pdf.axis(settings)
    q_max, upper = _upper_limit(measured, settings)
    q_min, lower = _lower_limit(measured, settings)
    # The last ripple is not complete, nor is the first if the range begins within a peak.
    ripple = 2 * math.pi / q_max
    first = measured.r[0] + (ripple if measured.G[0] > 0 else 0.0)
    is_measured = (r >= first) & (r <= measured.r[-1] - ripple)
    if is_measured.mean() < SMALLEST_COVERAGE:
        raise DiffsymError(
            f"the pair distribution function from {measured.r[0]:g} to {measured.r[-1]:g} A covers "
            f"{is_measured.mean():.0%} of the {r[0]:.3g} to {r[-1]:.3g} A of the descriptor; "
            "transform it over a longer range"
        )
    factor, damping = _damping(measured, settings, r)
    limited = band_limited(measured.r, measured.G, r, q_min, q_max) * factor
    G = np.where(is_measured, limited, 0.0)
    [values] = pdf.normalise(G[np.newaxis])
    if not np.isfinite(values).all():
        raise DiffsymError("the pair distribution function is constant; give a measured one")
    missing = int((~is_measured).sum())
    repairs = measured.repairs + _radiation(measured) + upper + lower + damping
    if missing:
        repairs += (
            f"{missing} of {len(r)} distances of the descriptor were not measured; G is 0 there",
        )
    return PreparedPdf(r, G, values, is_measured, repairs)


def band_limited(r: Floats, G: Floats, onto: Floats, q_min: float, q_max: float) -> Floats:
    r"""A function of r without its Fourier components outside a range of Q, on other distances.

    .. math::
        G'(r) = \frac{2}{\pi} \int_{Q_{min}}^{Q_{max}} \sin(Q r)
                \int_0^\infty G(r') \sin(Q r') \, dr' dQ

    The integral over Q is known in closed form, that over r' is a sum over the points. Below the
    first point G is a straight line from 0, as below the shortest distance of a crystal, or 0 if it
    is positive there; behind the last it is 0.

    Parameters
    ----------
    r, G : (n,)
        Rising distances, A, in any steps; and 1/A^2.
    onto : (m,)
        Distances to compute it at, A.
    q_min, q_max
        1/A.

    Returns
    -------
    (m,)
        1/A^2.
    """
    step = float(np.median(np.diff(r)))
    lead = np.arange(0.0, r[0], step)
    lead = lead[r[0] - lead > step / 2]
    x = np.concatenate([lead, r])
    y = np.concatenate([min(G[0], 0.0) * lead / r[0] if len(lead) else lead, G])
    widths = np.gradient(x)
    widths[[0, -1]] /= 2
    near, far = onto[:, np.newaxis] - x, onto[:, np.newaxis] + x
    return np.asarray(
        (_cosines(near, q_min, q_max) - _cosines(far, q_min, q_max)) @ (y * widths), np.float64
    )


def _cosines(distance: Floats, q_min: float, q_max: float) -> Floats:
    """Integral of cos(Q distance) / pi over Q from q_min to q_max."""
    # numpy.sinc(x) is sin(pi x) / (pi x).
    upper, lower = (q / math.pi * np.sinc(q * distance / math.pi) for q in (q_max, q_min))
    return np.asarray(upper - lower)


def _upper_limit(measured: MeasuredPdf, settings: Pdf) -> tuple[float, tuple[str, ...]]:
    """Largest Q that is kept, 1/A, and what is to be said of it."""
    told: tuple[str, ...] = ()
    wanted, own = settings.q_max, measured.q_max
    carried = math.pi / float(np.median(np.diff(measured.r)))
    limit = min(wanted, carried if own is None else min(own, carried))
    if own is None:
        told += (f"the file does not say Qmax; what lies above {limit:.4g} 1/A was removed",)
    elif own > wanted * (1 + SAME):
        told += (f"Qmax is {own:g} 1/A; the termination at {wanted:g} 1/A was applied",)
    if limit < wanted * (1 - SAME):
        told += (
            f"Q ends at {limit:.4g} 1/A, and the descriptor's at {wanted:g}: peaks are broader "
            "than in the descriptor, which cannot be undone",
        )
    return limit, told


def _lower_limit(measured: MeasuredPdf, settings: Pdf) -> tuple[float, tuple[str, ...]]:
    """Smallest Q that is kept, 1/A, and what is to be said of it.

    Where the file does not say it nothing is removed: below its first line a crystal has nothing.
    """
    own, wanted = measured.q_min, settings.q_min
    if own is not None and own < wanted * (1 - SAME):
        return wanted, (f"Qmin is {own:g} 1/A; what lies below {wanted:g} 1/A was removed",)
    if own is not None and own > wanted * (1 + SAME):
        return 0.0, (
            f"Q begins at {own:g} 1/A, and the descriptor's at {wanted:g}: what lies between is "
            "missing",
        )
    return 0.0, ()


def _radiation(measured: MeasuredPdf) -> tuple[str, ...]:
    """A sentence if it is not that of the descriptor."""
    if measured.radiation != "N":
        return ()
    return (
        "this is a function of neutrons, whose peaks have other weights than those of X-rays, for "
        "which the descriptor is",
    )


def _damping(measured: MeasuredPdf, settings: Pdf, r: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Factor that turns the instrument's damping into the descriptor's, (m,), and a sentence."""
    wanted, own = settings.q_damp, measured.q_damp
    if own is None:
        return np.ones_like(r), (
            f"the file does not say Qdamp; it was taken for the descriptor's {wanted:g} 1/A",
        )
    if abs(own - wanted) <= SAME * wanted:
        return np.ones_like(r), ()
    factor = np.exp((own**2 - wanted**2) * r**2 / 2)
    told = f"Qdamp is {own:g} 1/A; the {wanted:g} 1/A of the descriptor were applied"
    if factor.max() > STRONGEST_SHARPENING:
        told += f", but nothing was amplified more than {STRONGEST_SHARPENING:g} times"
    return np.minimum(factor, STRONGEST_SHARPENING), (told,)
