"""Measured patterns on the grid of a powder descriptor."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.experimental.powder import at_wavelength, convert
from diffsym.scattering.powder import PeakShape, powder_pattern
from diffsym.scattering.types import Lines, Radiation
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.measured.base import PeakSearch
from diffsym.tables import MEASURED

CU, MO = 1.54184, 0.71073
POWDER = Powder(kind="powder", wavelength=CU)
# Lines of NaCl, a = 5.64 A, between 5 and 90 degrees with Cu K-alpha.
D_STAR = np.sqrt([3, 4, 8, 11, 12, 16, 19, 20]) / 5.64
INTENSITY = np.array([9.0, 100, 60, 2, 18, 7, 1, 13])


def measured(two_theta, intensity, wavelengths=(CU,), weights=(1.0,)):
    return pa.table(
        {
            "pattern_id": ["set:1"],
            "space_group": pa.array([225], pa.uint8()),
            "primitive_volume": [44.8],
            "wavelengths": [list(wavelengths)],
            "weights": [list(weights)],
            "two_theta": [two_theta],
            "intensity": pa.array([intensity], pa.list_(pa.float32())),
        },
        schema=MEASURED,
    )


def rendered(two_theta, wavelength):
    return powder_pattern(
        Lines.of_one(D_STAR, INTENSITY),
        two_theta,
        shape=PeakShape.gaussian(0.06),
        radiation=Radiation.of(wavelength),
    )


def test_a_pattern_on_the_grid_stays_what_it_is():
    two_theta = 5 + 0.01 * np.arange(8501)
    pattern = rendered(two_theta, CU)
    values, failures = convert(measured(two_theta, 1234 * pattern), POWDER, PeakSearch())
    assert not failures
    assert values[0] == pytest.approx(pattern, abs=1e-5)


def test_angles_of_another_wavelength_are_carried_over():
    two_theta = np.arange(2, 45, 0.005)
    values, failures = convert(
        measured(two_theta, rendered(two_theta, MO), [MO]), POWDER, PeakSearch()
    )
    assert not failures
    grid = 5 + 0.01 * np.arange(8501)
    for d_star in D_STAR:
        position = 2 * np.degrees(np.arcsin(d_star * CU / 2))
        near = np.abs(grid - position) < 0.3
        assert grid[near][values[0][near].argmax()] == pytest.approx(position, abs=0.02)
    assert values[0].max() == 1


def test_carrying_over_there_and_back_gives_the_angles():
    two_theta = np.linspace(3, 60, 200)
    there, inside = at_wavelength(two_theta, MO, CU)
    assert inside.sum() == len(there) < 200
    back, all_of_them = at_wavelength(there, CU, MO)
    assert all_of_them.all()
    assert back == pytest.approx(two_theta[inside])


def test_negative_intensities_are_zero_and_gaps_take_the_nearest():
    two_theta = np.linspace(10, 85, 5001)
    values, _ = convert(measured(two_theta, rendered(two_theta, CU) - 0.1), POWDER, PeakSearch())
    assert values[0].min() == 0
    assert values[0].max() == 1
    assert (values[0][:500] == values[0][500]).all()


def test_a_pattern_that_covers_too_little_is_refused():
    two_theta = np.linspace(5, 30, 2001)
    values, [(row, reason)] = convert(
        measured(two_theta, rendered(two_theta, CU)), POWDER, PeakSearch()
    )
    assert row == 0
    assert np.isnan(values[0]).all()
    assert "covers 29% of the 5 to 90 degrees" in reason
