"""Backgrounds of measured patterns: how often answers are right with ours and with pybaselines'.

    .venv/bin/python benchmarks/backgrounds.py --patterns patterns.npz --wavelength CuKa

The patterns are a NumPy archive as of docs/measured.md whose space groups are known. Everything but
the background is that of `diffsym predict`.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
from pybaselines import Baseline

from diffsym.errors import DiffsymError
from diffsym.experimental.peaks import CLIPPING, snip_background
from diffsym.identification import preparation
from diffsym.identification.evidence import evidence_at
from diffsym.identification.search import prepare, search
from diffsym.identification.wavelengths import radiation_of
from diffsym.scattering.types import Floats

Background = Callable[[Floats, float], Floats]
"""Of intensities (m,) whose peaks have a full width at half maximum, in steps."""

STIFFNESS = 1e6
"""Of Whittaker's smoother: the usual choice for patterns of this many points."""


def backgrounds() -> Mapping[str, Background]:
    """Ours, and some of each family of pybaselines."""

    def fitted(values: Floats) -> Baseline:
        return Baseline(x_data=np.arange(len(values)), check_finite=False)

    return {
        "diffsym SNIP": snip_background,
        "snip": lambda values, width: fitted(values).snip(
            values,
            max_half_window=int(CLIPPING * width / 2) + 1,
            decreasing=True,
            smooth_half_window=2,
        )[0],
        "arpls": lambda values, _: fitted(values).arpls(values, lam=STIFFNESS)[0],
        "asls": lambda values, _: fitted(values).asls(values, lam=STIFFNESS, p=0.005)[0],
        "fabc": lambda values, _: fitted(values).fabc(values, lam=STIFFNESS)[0],
        "rolling_ball": lambda values, width: fitted(values).rolling_ball(
            values, half_window=int(5 * width) + 1, smooth_half_window=3
        )[0],
        "modpoly": lambda values, _: fitted(values).modpoly(values, poly_order=8)[0],
    }


def main() -> None:
    """Print a line for each background."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patterns", type=Path)
    parser.add_argument("--wavelength", default="CuKa")
    parser.add_argument("--every", type=int, default=4, help="take one pattern of so many")
    options = parser.parse_args()
    if options.patterns is None:
        print("backgrounds: needs measured patterns of known groups; name them with --patterns")
        return
    archive = np.load(options.patterns, allow_pickle=False)
    intensities = archive["intensity"][:: options.every].astype(float)
    labels = archive["space_group"][:: options.every].astype(int)
    radiation, evidence = radiation_of(options.wavelength), evidence_at(None)
    known, calibration = evidence.known, evidence.calibration
    warnings.simplefilter("ignore")
    for name, background in backgrounds().items():
        start = time.process_time()
        rows = []
        for intensity in intensities:
            with mock.patch.object(preparation, "snip_background", background):
                try:
                    pattern = prepare(archive["two_theta"], intensity, radiation)
                except DiffsymError:
                    rows.append(np.zeros(230))
                    continue
            scores = search(pattern, known.lines).score
            shares = calibration.shares(scores, known.space_groups, known.databases)
            rows.append(calibration.probabilities(shares, evidence.frequencies))
        seconds = (time.process_time() - start) / len(labels)
        order = np.argsort(-np.array(rows), axis=1, kind="stable")
        rank = (order == labels[:, None] - 1).argmax(1)
        right = " ".join(f"{100 * (rank < within).mean():5.1f}" for within in (1, 5, 10))
        print(f"{name:14} {right} % of {len(labels)} within 1, 5, 10; {seconds:.3f} s a pattern")


if __name__ == "__main__":
    main()
