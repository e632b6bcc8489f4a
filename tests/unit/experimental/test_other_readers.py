"""Every instrument file that geddes or rietx reads as well has the same points there."""

import contextlib
import csv
import io
import warnings

import numpy as np
import pytest

from diffsym.experimental.readers import read_measured
from diffsym.experimental.readers.base import MeasuredPdf, Unreadable

# Where they differ, and why we are right: see the manifest's remarks.
OTHERWISE = {
    ("geddes", "CPD-Y2O3.prn"): "one of 7251 points: old line ends of the Macintosh",
    ("geddes", "Ni_2-8.chi.gr"): "a row of the heading as first point",
    ("geddes", "CeO2_dspacing.xy"): "a lattice spacing, turned round; we leave it as it is",
    ("rietx", "Ni_srxgui.chi"): "Q, as the heading says, taken for 2theta",
    ("rietx", "CeO2_dspacing.xy"): "a lattice spacing, turned round; we leave it as it is",
}
# What we refuse and they do not, and what our sentence says.
REFUSED = {
    "pattern_001.chi": "declares 1455 points and has 75",
    "example_ocx.xy": "the first column is theta",
    "ALUMINA.cif": "neutrons",
    "1517474.cif": "neutrons",
    "cu_metal_rt.xdi": "X-ray absorption spectrum",
    "srtio3_rmc.gr": "RMCProfile",
    "SiO2_NIMROD.mint01": "neutrons",
}


def by_geddes(path):
    pattern = pytest.importorskip("geddes").read(str(path))
    return pattern.x, pattern.y


def by_rietx(path):
    pattern = pytest.importorskip("rietx.io.readers").read_pattern(str(path))
    return pattern.two_theta, pattern.intensity


OTHERS = {"geddes": by_geddes, "rietx": by_rietx}


@pytest.fixture(scope="module")
def files(shared_dir):
    folder = shared_dir / "data" / "instrument_files"
    if not (folder / "manifest.csv").exists():
        pytest.skip("the instrument files beside the checkout are absent")
    with (folder / "manifest.csv").open(newline="") as handle:
        return [folder / row["file"] for row in csv.DictReader(handle)]


@pytest.mark.parametrize(("name", "least"), [("geddes", 45), ("rietx", 50)])
def test_the_points_are_theirs(files, name, least):
    pytest.importorskip(name)
    same = 0
    for path in files:
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                x, y = map(np.array, OTHERS[name](path))
        except Exception:  # noqa: BLE001 - what they do not read says nothing
            continue
        if x.ndim != 1:  # times of flight
            continue
        ours = read_measured(path)
        if isinstance(ours, Unreadable):
            assert REFUSED[path.name] in ours.reason
            continue
        pair = (
            (ours.r, ours.G) if isinstance(ours, MeasuredPdf) else (ours.two_theta, ours.intensity)
        )
        agrees = (
            x.shape == pair[0].shape
            and np.allclose(x, pair[0], rtol=0, atol=1e-5)
            and np.allclose(y, pair[1], rtol=1e-6, atol=1e-6)
        )
        assert agrees == ((name, path.name) not in OTHERWISE), path.name
        same += agrees
    assert same >= least
