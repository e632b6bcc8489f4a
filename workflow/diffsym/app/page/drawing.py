"""A pattern and lines of structures as few numbers as a plot needs."""

from typing import Any

import numpy as np

from diffsym.app.picture import thinned
from diffsym.identification.known import KnownStructures
from diffsym.identification.preparation import prepared_stages
from diffsym.identification.search import B_ISO, D_STAR_MIN, STEP
from diffsym.scattering.powder import lorentz_polarisation
from diffsym.scattering.types import Floats, Radiation

MOST_POINTS = 4000
"""Points of a curve that are drawn."""
FAINTEST = 0.003
"""Lines below this share of the strongest are not drawn."""


def curves(two_theta: Floats, intensity: Floats, radiation: Radiation) -> dict[str, Any]:
    """The pattern as it was measured and as it is compared.

    Parameters
    ----------
    two_theta, intensity : (m,)
        Angles, degrees, and intensities.
    radiation
        With which it was measured.

    Returns
    -------
    dict
        `measured`, `background` and `prepared`, each with angles and intensities in the unit of
        the file.
    """
    stages = prepared_stages(two_theta, intensity, radiation)
    return {
        "measured": curve(two_theta, intensity),
        "background": curve(stages.angles, stages.background),
        "prepared": curve(stages.angles, stages.heights),
    }


def curve(two_theta: Floats, intensity: Floats) -> dict[str, list[float]]:
    """A curve thinned to the lowest and the highest point of each of many equal sections."""
    x, y = thinned(np.asarray(two_theta, float), np.asarray(intensity, float), MOST_POINTS)
    return {"x": np.round(x, 4).tolist(), "y": [float(f"{value:.5g}") for value in y]}


def lines_of(
    known: KnownStructures, row: int, radiation: Radiation, zero_shift: float
) -> list[list[float]]:
    """Lines of a known structure.

    Parameters
    ----------
    known
        Structures.
    row
        Which of them.
    radiation
        Of the measurement.
    zero_shift
        Degrees by which the lines of the pattern lie higher.

    Returns
    -------
    list of [two_theta, height]
        Degrees, and a share of the strongest line.
    """
    begin, end = known.lines.offsets[row : row + 2]
    d_star = D_STAR_MIN * np.exp(STEP * known.lines.places[begin:end])
    sines = d_star * radiation.strongest / 2
    inside = sines < 1
    theta = np.arcsin(sines[inside])
    factors = [lorentz_polarisation(float(np.sin(one)), float(np.cos(one))) for one in theta]
    heights = known.lines.intensity[begin:end][inside] * factors
    heights = heights * np.exp(-B_ISO / 2 * d_star[inside] ** 2)
    heights = heights / heights.max() if len(heights) else heights
    places = 2 * np.degrees(theta) + zero_shift
    return [
        [round(float(place), 3), round(float(height), 4)]
        for place, height in zip(places, heights, strict=True)
        if height >= FAINTEST
    ]
