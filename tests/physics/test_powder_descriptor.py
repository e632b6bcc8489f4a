"""The powder descriptor from the structures table to half-precision rows."""

from dataclasses import replace

import numpy as np
import pytest
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Element, Lattice, Structure

from diffsym.descriptors import powder, reflections
from diffsym.settings.descriptors.powder import Peaks, Powder
from diffsym.settings.reflections import Reflections
from diffsym.tables import REFLECTIONS, conform

TABLE = Reflections()
PATTERN = Powder(kind="powder", peaks=Peaks(w=0.0139))


@pytest.fixture(scope="module")
def lines(amcsd_structures):
    return conform(reflections.compute(amcsd_structures, TABLE), REFLECTIONS, "reflections")


def test_rows_are_those_of_the_structures(amcsd_structures, lines):
    assert lines["structure_id"].equals(amcsd_structures["structure_id"])
    alone = reflections.compute(amcsd_structures.slice(7, 1), TABLE)
    assert alone["d_star"][0].as_py() == lines["d_star"][7].as_py()
    assert alone["intensity"][0].as_py() == lines["intensity"][7].as_py()


def test_patterns_have_their_peaks_where_pymatgen_has_them(amcsd_structures, lines):
    values, failures = powder.compute(lines, PATTERN)
    assert not failures
    assert values.dtype == np.float16
    assert values.shape == (amcsd_structures.num_rows, 8501)
    assert (values.max(axis=1) == 1).all()
    two_theta = powder.axis(PATTERN)
    calculator = XRDCalculator(wavelength=1.54184, symprec=0)
    checked = 0
    for row in range(0, amcsd_structures.num_rows, 5):
        entry = amcsd_structures.slice(row, 1).to_pylist()[0]
        if len(set(map(tuple, np.reshape(entry["frac_coords"], (-1, 3))))) != len(
            entry["atomic_numbers"]
        ):
            continue  # mixed sites take another constructor
        structure = Structure(
            Lattice(np.reshape(entry["lattice"], (3, 3))),
            [
                {Element.from_Z(number): occupancy}
                for number, occupancy in zip(
                    entry["atomic_numbers"], entry["occupancies"], strict=True
                )
            ],
            np.reshape(entry["frac_coords"], (-1, 3)),
        )
        peaks = calculator.get_pattern(structure, two_theta_range=(5, 90))
        strongest = peaks.x[np.argmax(peaks.y)]
        # Overlap moves a maximum by less than a peak's width.
        assert abs(two_theta[values[row].argmax()] - strongest) < 0.12 or (
            values[row][np.abs(two_theta - strongest) < 0.12].max() > 0.9
        )
        checked += 1
    assert checked > 10


def test_a_pattern_without_reflections_is_rejected_with_its_reason(lines):
    values, failures = powder.compute(lines, replace(PATTERN, two_theta_min=0.5, two_theta_max=0.6))
    assert len(failures) == lines.num_rows
    assert "widen the range" in failures[0][1]
    assert np.isnan(values).all()


def test_an_empty_shard(amcsd_structures):
    none = reflections.compute(amcsd_structures.slice(0, 0), TABLE)
    assert conform(none, REFLECTIONS, "reflections").num_rows == 0
    values, failures = powder.compute(none, PATTERN)
    assert values.shape == (0, 8501)
    assert not failures
