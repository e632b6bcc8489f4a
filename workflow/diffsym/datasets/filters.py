"""Outliers in cell volume and atomic density that a training may leave out.

Ozaki et al. (2025), section 2.3: U = ln(V / A^3) and eta = ln(n A^3 / V), with the volume V of the
primitive cell and its number of atoms n, are nearly normally distributed over a database. Their
data set D(sigma_U) holds the structures whose U is within one standard deviation of the mean,
D(2 sigma_U+eta) those whose U and eta both are within two, D(inf) all.

n is weighted by occupancy: a site that is half empty counts half an atom, one that two elements
share counts one. The paper does not say how it counts them.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from diffsym.settings.filters import Filter
from diffsym.tables import FILTER


@dataclass(frozen=True)
class Limits:
    """A normal distribution and the values that a filter keeps.

    Attributes
    ----------
    mean, standard_deviation
        Of all values; the maximum-likelihood normal distribution.
    lowest, highest
        The values kept, bounds included; None: all.
    """

    mean: float
    standard_deviation: float
    lowest: float | None
    highest: float | None

    def keep(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values lie within the limits."""
        if self.lowest is None or self.highest is None:
            return np.ones(len(values), dtype=bool)
        return (values >= self.lowest) & (values <= self.highest)


def limits(values: NDArray[np.float64], deviations: float | None) -> Limits:
    """Limits at some standard deviations on either side of the mean; None: no limits."""
    mean, standard_deviation = (float(parameter) for parameter in norm.fit(values))
    if deviations is None:
        return Limits(mean, standard_deviation, None, None)
    reach = deviations * standard_deviation
    return Limits(mean, standard_deviation, mean - reach, mean + reach)


def filter_outliers(
    structures: pa.Table, classes: ArrayLike, settings: Filter
) -> tuple[pa.Table, dict[str, Any]]:
    """Mark the structures of a class set that are not outliers.

    Parameters
    ----------
    structures
        Columns `structure_id`, `space_group`, `primitive_volume` (A^3) and `number_density`
        (1/A^3), in any order.
    classes
        Space-group numbers of the class set. Means and deviations are those of its structures,
        whatever part of a split they are in.
    settings
        Numbers of standard deviations that U and eta may lie from their means.

    Returns
    -------
    table : pa.Table
        The documented filter table, sorted by `structure_id`.
    statistics : dict
        Numbers of `structures` and of those `kept`, and the `Limits` of `ln_volume` and
        `ln_density`.
    """
    of_classes = pc.is_in(structures["space_group"], pa.array(classes, pa.uint8()))
    structures = structures.filter(of_classes).sort_by("structure_id")
    values = {
        "ln_volume": np.log(structures["primitive_volume"].to_numpy()),
        "ln_density": np.log(structures["number_density"].to_numpy()),
    }
    bounds = {
        "ln_volume": limits(values["ln_volume"], settings.volume),
        "ln_density": limits(values["ln_density"], settings.density),
    }
    kept = np.logical_and.reduce([bounds[name].keep(values[name]) for name in values])
    table = pa.table(
        {
            "structure_id": structures["structure_id"],
            "space_group": structures["space_group"],
            **values,
            "kept": kept,
        },
        schema=FILTER,
    )
    statistics = {"structures": len(kept), "kept": int(kept.sum())}
    return table, statistics | {name: asdict(bound) for name, bound in bounds.items()}


@dataclass(frozen=True)
class Histogram:
    """Numbers of values in bins, with those of a normal distribution.

    Attributes
    ----------
    edges
        Of the bins, (m + 1,).
    counts
        Values in each bin, (m,).
    expected
        What the normal distribution has in each bin, (m,).
    mean, standard_deviation
        Of that distribution, which has the maximum likelihood.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    expected: NDArray[np.float64]
    mean: float
    standard_deviation: float


def normal_histogram(values: NDArray[np.float64], bins: int = 60) -> Histogram:
    """Distribution of U or of eta with its normal fit (Ozaki et al. 2025, Fig. 1)."""
    counts, edges = np.histogram(values, bins)
    mean, standard_deviation = (float(parameter) for parameter in norm.fit(values))
    shares = np.diff(norm.cdf(edges, mean, standard_deviation))
    return Histogram(edges, counts, len(values) * shares, mean, standard_deviation)
