"""Test structures as an instrument would show them, in the form of measured patterns.

Something is lost between a crystal and the peaks found in its pattern. Patterns rendered from
structures with known answers show how much, separate from everything else that distinguishes
measured patterns from computed ones.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.descriptors.lines import lines_of
from diffsym.descriptors.powder import axis
from diffsym.descriptors.powder_noise import augmented_patterns, pattern_keys
from diffsym.scattering.types import Radiation
from diffsym.settings.measured.simulated import SimulatedPatterns
from diffsym.tables import MEASURED, REFLECTIONS, SPLIT, STRUCTURES, read_table


def simulate_patterns(
    structures: str | Path,
    reflections: Sequence[str | Path],
    split: str | Path,
    settings: SimulatedPatterns,
) -> pa.Table:
    """Patterns with noise and background of structures drawn from the test part of a split.

    Parameters
    ----------
    structures
        Structures table (Parquet).
    reflections
        Shards of the reflections table (Parquet).
    split
        Split table (Parquet).
    settings
        Of the set. Its limit is the number of structures; all are taken, if there are fewer.

    Returns
    -------
    pa.Table
        The documented measured table; patterns are named as their structures. Structures without a
        line in the range are left out.
    """
    chosen = _draw_test_structures(read_table(split, SPLIT), settings.limit)
    lines = pa.concat_tables(
        (table := read_table(shard, REFLECTIONS)).filter(pc.is_in(table["structure_id"], chosen))
        for shard in reflections
    )
    names = lines["structure_id"].to_pylist()
    two_theta = axis(settings)
    radiation = Radiation.of(settings.wavelength)
    patterns = augmented_patterns(
        lines_of(lines),
        two_theta,
        keys=pattern_keys(names, seed=0, epoch=0),
        augmentation=settings.augmentation,
        radiation=radiation,
        b_iso=settings.b_iso,
    )
    labels = read_table(structures, STRUCTURES, ["structure_id", "space_group", "primitive_volume"])
    labels = labels.take(pc.index_in(lines["structure_id"], labels["structure_id"]))
    visible = np.flatnonzero(np.isfinite(patterns[:, 0])).tolist()
    return pa.table(
        {
            "pattern_id": [names[row] for row in visible],
            "space_group": labels["space_group"].take(visible),
            "primitive_volume": labels["primitive_volume"].take(visible),
            "wavelengths": [radiation.wavelengths] * len(visible),
            "weights": [radiation.shares] * len(visible),
            "two_theta": [two_theta] * len(visible),
            "intensity": list(patterns[visible]),
        },
        schema=MEASURED,
    )


def _draw_test_structures(split: pa.Table, limit: int) -> pa.Array:
    """Identifiers of some test structures: always the same, and each as likely as any other."""
    test = split.filter(pc.equal(split["role"], "test"))["structure_id"].to_pylist()
    order = np.argsort(pattern_keys(test, seed=0, epoch=0), kind="stable")
    return pa.array([test[row] for row in order[:limit]], pa.string())
